"""Timelines tell what a look-up answers at each date, and dependence what else matters."""

import gzip
import json
import random
from pathlib import Path

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from rule_strategies import NAME, rmaps

import calmap
from calmap.compile.reference import CompiledReference, compile_reference
from calmap.compile.timeline import Timelines, dependence
from calmap.errors import HeaderError, MappingError
from calmap.model.dates import moment_text
from calmap.model.mapping import parse_mapping
from calmap.model.values import UNDEFINED, condition_value


def compiled(text: str) -> CompiledReference:
    mapping = parse_mapping(Path(NAME), text.encode())
    assert mapping.file is not None, mapping.diagnostics
    return compile_reference(mapping.file, None)


def dated(header: dict[str, str], date: tuple[str, ...], at: int) -> dict[str, str]:
    return header | dict(zip(date, moment_text(at).split(" ", len(date) - 1), strict=True))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rmaps(), st.lists(st.integers(0, 2 * 10**15), max_size=4))
def test_a_timeline_answers_as_a_look_up_does(example, moments):
    text, asked = example
    try:
        reference = compiled(text)
    except MappingError:
        assume(False)
    date = dependence(reference).date
    event("dated" if date else "not dated")
    if not date:
        return
    header = {key: condition_value(asked.get(key, UNDEFINED)) for key in reference.terms.required}
    line = Timelines(reference).of({key: value for key, value in header.items() if key not in date})

    for at in (*moments, *(turn + step for turn in line.moments for step in (-1, 0, 1))):
        wanted = reference.interpret(dated(header, date, at))
        assert line.at(at)[:2] == wanted[:2]
        assert line.at(at).place == wanted.place


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rmaps(), st.sampled_from(("X", "3.0", "N/A", "*", "2012-01-01", UNDEFINED)))
def test_nothing_else_matters(example, value):
    text, asked = example
    try:
        reference = compiled(text)
    except MappingError:
        assume(False)
    depends = dependence(reference)
    header = {key: condition_value(asked.get(key, UNDEFINED)) for key in reference.terms.required}
    others = {key for key in header if key not in (*depends.date, *depends.keys)}

    changed = reference.choose(header | dict.fromkeys(others, value))

    assert changed[:2] == reference.choose(header)[:2]


def test_the_rules_of_a_telescope(corpus):
    context = calmap.Cache(corpus / "crds-cache").context("hst_0729.pmap")
    chance = random.Random(5)
    lines: dict[tuple[str, str], Timelines] = {}
    compared = 0
    with gzip.open(corpus / "cases/bestref_context.jsonl.gz", "rt") as cases:
        headers = [case["header"] for case in map(json.loads, cases) if case["context"] == context.name]
    for header in headers[::5]:
        try:
            book = context.rulebook(context.instrument(header))
        except HeaderError:
            continue
        values = book.values(header, None)
        for reftype in book.reftypes:
            reference = book.rules_of(reftype).reference
            if reference is None or not (date := dependence(reference).date):
                continue
            known = lines.setdefault((book.instrument, reftype), Timelines(reference))
            line = known.of({key: value for key, value in values.items() if key not in date})
            for turn in chance.sample(list(line.moments), min(3, len(line.moments))):
                for at in (turn - 1, turn, turn + 1):
                    wanted = reference.choose(dated(values, date, at))
                    assert (line.at(at).answer, line.at(at).files) == (wanted.answer, wanted.files)
                    compared += 1
    assert compared > 4_000
