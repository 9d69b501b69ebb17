"""The life of a calibration: rules that were certified and decertified at random choose by the spans."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from deliveries import CHECKOUT, demo_cache, tree

from calmap.bestref import Cache
from calmap.cache.history import undo
from calmap.cache.layout import Layout
from calmap.compile.reference import compile_reference
from calmap.compile.tree import Answer
from calmap.delivery.change import Change, make
from calmap.delivery.recertification import plan_certification, plan_decertification
from calmap.edit.application import parsed
from calmap.edit.spans import OverlapError, Span, certified, decertified
from calmap.edit.validity import periods_of, place_at, retimed
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping, load_mapping
from calmap.observatories.library import load_observatory

RMAP = CHECKOUT / "mappings/ligeriri/ligeriri_iris_dq_0001.rmap"
RULE = (("IMG1", "GENERIC"),)
OLD, NEW = "IRIS_IMG1_DQ_20240901T000000_0.0.1.fits", "IRIS_IMG1_DQ_20250301T000000_0.0.1.fits"
FILES = (OLD, NEW, "third.fits", "fourth.fits")
START, HOURS = datetime(2024, 8, 1), 24 * 400
DATES = 10_000


class Model:
    """Which file is valid in each hour; the last one stands for all that follow."""

    def __init__(self) -> None:
        self.valid: dict[int, str] = {}
        self.certify(OLD, (datetime(2024, 9, 1) - START) // timedelta(hours=1), None)
        for number in self.hours((datetime(2025, 3, 1) - START) // timedelta(hours=1), None):
            self.valid[number] = NEW

    def hours(self, begin: int, end: int | None) -> range:
        return range(begin, HOURS + 1 if end is None else end)

    def certify(self, file: str, begin: int, end: int | None) -> bool:
        hours = self.hours(begin, end)
        if any(self.valid.get(number, file) != file for number in hours):
            return False
        self.valid |= dict.fromkeys(hours, file)
        return True

    def decertify(self, file: str, begin: int, end: int | None) -> bool:
        gone = [number for number in self.hours(begin, end) if self.valid.get(number) == file]
        for number in gone:
            del self.valid[number]
        return bool(gone)

    def at(self, moment: datetime) -> str | None:
        return self.valid.get(min((moment - START) // timedelta(hours=1), HOURS))


def some_span(chance: random.Random) -> tuple[int, int | None]:
    begin = chance.randrange(HOURS)
    length = chance.choice((1, 24, 24 * 7, 24 * 60))
    return begin, None if chance.random() < 0.1 else min(begin + chance.randint(1, length), HOURS)


def as_span(begin: int, end: int | None) -> Span:
    return Span(START + timedelta(hours=begin), None if end is None else START + timedelta(hours=end))


def differences(mapping: Mapping, model: Model, chance: random.Random) -> list[datetime]:
    """Of many random dates those for which the compiled rules choose another file than the model."""
    compiled = compile_reference(parsed(mapping), load_observatory("ligeriri"))
    seconds = HOURS * 3600
    moments = [
        START + timedelta(seconds=chance.randrange(-seconds // 9, seconds * 10 // 9)) for _ in range(DATES)
    ]
    wrong = []
    for moment in moments:
        outcome = compiled.choose(
            {
                "META.INSTRUMENT.DETECTOR": "IMG1",
                "META.SUBARRAY.NAME": "FULL",
                "META.DATE": str(moment),
            }
        )
        chosen = outcome.files[0] if outcome.answer is Answer.FOUND else None
        if chosen != model.at(moment):
            wrong.append(moment)
    return wrong


@pytest.mark.parametrize("seed", range(6))
def test_rules_choose_by_the_spans(seed: int) -> None:
    chance = random.Random(seed)
    mapping, model, refused = load_mapping(RMAP), Model(), 0
    others = [line for line in mapping.text.splitlines() if "_IMG1_" not in line]

    for _ in range(80):
        file, span = chance.choice(FILES), some_span(chance)
        place = place_at(parsed(mapping), RULE)
        if place is None:
            break
        known = periods_of(parsed(mapping), place)
        if chance.random() < 0.5:
            model.decertify(file, *span)
            mapping = retimed(mapping, place, decertified(known, file, as_span(*span)))
        elif model.certify(file, *span):
            mapping = retimed(mapping, place, certified(known, file, as_span(*span)))
        else:
            refused += 1
            with pytest.raises(OverlapError):
                certified(known, file, as_span(*span))

    assert refused > 3
    assert len(set(model.valid.values())) > 1
    assert differences(mapping, model, chance) == []
    assert [line for line in others if line not in mapping.text] == []


def test_a_cache_keeps_to_the_spans_and_every_change_can_be_undone(tmp_path: Path) -> None:
    cache, chance, model = demo_cache(tmp_path), random.Random(19), Model()
    layout = Layout(cache)
    states, made = [tree(cache)], 0

    def context() -> str:
        return layout.newest_context("ligeriri")

    while made < 12:
        file, span = chance.choice(FILES[:2]), some_span(chance)
        certify = chance.random() < 0.5
        plan_of = plan_certification if certify else plan_decertification
        given = [Path(file)] if certify else [file]

        def plan(plan_of=plan_of, given=given, span=span) -> Change:
            rules = Cache(layout).rules("ligeriri")
            done = plan_of(rules, context(), given, as_span(*span))
            return Change("validity", done.revision, done.copies)

        if not getattr(model, "certify" if certify else "decertify")(file, *span):
            with pytest.raises(RefusedError):
                make(layout, plan)
            assert tree(cache) == states[-1]
        elif not make(layout, plan).change.is_empty:
            made += 1
            states.append(tree(cache))

    rmap = Cache(layout).context(context()).type_rules("iris", "dq").mapping
    assert differences(load_mapping(layout.mapping_path(rmap)), model, chance) == []
    for state in reversed(states[:-1]):
        undo(layout)
        assert tree(cache) == state
