"""Which combinations of values have no answer, held against the interpreter."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from rule_strategies import NAME, Selector, rmaps
from small_rmaps import Question

from calmap.bestref import Cache
from calmap.compile.coverage import Coverage, Region, cover
from calmap.compile.diagram import TooLargeError
from calmap.compile.domain import named_values
from calmap.compile.reference import CompiledReference, compile_reference
from calmap.compile.relevance import Relevance
from calmap.compile.tree import Answer
from calmap.compile.trials import Trials
from calmap.errors import MappingError
from calmap.model.mapping import parse_mapping
from calmap.model.values import UNDEFINED
from calmap.syntax.expression import names

LATE = {"D": "9999-12-31 23:59:59", "V": "999999"}


def coverage(reference: CompiledReference, allowed: Mapping[str, tuple[str, ...]] | None = None) -> Coverage:
    return cover(reference, named_values(reference.tree), allowed or {})


def combinations(found: Coverage) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Labels and values of every combination."""
    pairs = [tuple(zip(d.labels, d.values, strict=True)) for d in found.domains]
    names = [domain.parameter for domain in found.domains]
    for chosen in product(*pairs):
        yield (
            tuple(label for label, _ in chosen),
            dict(zip(names, (value for _, value in chosen), strict=True)),
        )


def holds(region: Region, labels: tuple[str, ...]) -> bool:
    return all(wanted is None or label in wanted for wanted, label in zip(region.labels, labels, strict=True))


def is_hole(reference: CompiledReference, found: Coverage, values: dict[str, str]) -> bool:
    """True if for some value of the switch, which expressions name, no number at all leads to an answer."""
    header = dict.fromkeys(reference.terms.required, UNDEFINED) | LATE
    numbers = Trials(reference.tree, {}, found.free).settings
    return any(
        all(
            reference.interpret(header | setting | values | switch).answer is Answer.NOT_FOUND
            for setting in map(dict, numbers)
        )
        for switch in ({"SWITCH": "UNDEFINED"}, {"SWITCH": "OMIT"})
    )


@st.composite
def match_rmaps(draw: st.DrawFn) -> str:
    """Rmaps with rules that often leave holes: plain values, few other patterns, dates below."""
    elements = st.sampled_from(
        ("X", "Y", "Z", "X|Y", "N/A", "N/A", "*", "X*", "NOT X", "1.0", "2.0", "(Y|Z)")
    )
    rows = st.sampled_from(("2010-01-01 00:00:00", "2011-06-15 12:30:00", "2013/03/04"))
    files = st.sampled_from(("a.fits", "b.fits", "c.fits", "N/A"))
    below = st.one_of(
        st.builds(Selector, st.just("UseAfter"), st.dictionaries(rows, files, max_size=2)), files
    )
    keys = st.tuples(elements, elements, elements)
    rules = Selector("Match", draw(st.dictionaries(keys, below, max_size=6)))
    extra: dict[str, Any] = {}
    if draw(st.booleans()):
        expression = draw(st.sampled_from(("(A == 'X')", "(A != 'X' and OTHER == 'Y')", "(B in ['Y', 'Z'])")))
        extra[draw(st.sampled_from(("rmap_relevance", "rmap_omit")))] = expression
    if draw(st.booleans()):
        extra["parkey_relevance"] = {"B": draw(st.sampled_from(("(A == 'X')", "(A != 'Y')")))}
    if draw(st.booleans()):
        extra["merge_overlaps"] = draw(st.booleans())
    question = Question(repr(rules), (("A", "B", "SUBARRAY"), ("D",)), {}, extra, NAME)
    return question.text()


def check_against_the_interpreter(text: str) -> None:
    mapping = parse_mapping(Path(NAME), text.encode())
    assert mapping.file is not None, mapping.diagnostics
    try:
        reference = compile_reference(mapping.file, None)
        found = coverage(reference)
    except (MappingError, TooLargeError):
        event("refused")
        assume(False)
    assume(not reference.terms.unmatched_is_na)
    looked_at = {domain.parameter for domain in found.domains}
    assume(Relevance(reference.terms).names & {"A", "B", "D"} <= looked_at)
    assume(reference.terms.omit is None or reference.terms.relevance is None)
    assume("SWITCH" not in {n.name for e in reference.terms.parkey_relevance.values() for n in names(e)})
    assume("FOO" not in Relevance(reference.terms).names)
    total = 0
    event(f"holes: {bool(found.holes)}")
    for labels, values in combinations(found):
        total += 1
        in_holes = sum(holds(region, labels) for region in found.holes)
        assert in_holes == is_hole(reference, found, values), (labels, values)
    assert total == found.combinations
    assert sum(region.combinations for region in found.holes) == found.missing


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(match_rmaps())
def test_holes_are_what_the_interpreter_does_not_find(text):
    check_against_the_interpreter(text)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(rmaps())
def test_holes_of_rules_of_every_kind(example):
    text, _ = example
    check_against_the_interpreter(text)


@pytest.mark.parametrize(("name", "instrument"), [("jwst_0541.pmap", "miri"), ("hst_0729.pmap", "nicmos")])
def test_holes_of_real_rules(corpus: Path, name: str, instrument: str) -> None:
    """Of every hole one combination, and some combinations that are in none, asked of the interpreter."""
    context = Cache(corpus / "crds-cache").context(name)
    chance = Random(7)
    for reftype in context.reftypes(instrument):
        reference = context.type_rules(instrument, reftype).reference
        if reference is None or reference.terms.unmatched_is_na:
            continue
        found = coverage(reference)
        labels = [tuple(domain.labels) for domain in found.domains]
        picked = [[chance.choice(column) for column in labels] for _ in range(20)]
        for region in found.holes:
            columns = zip(region.labels, labels, strict=True)
            picked.append([chance.choice(limited or every) for limited, every in columns])
        for combination in picked:
            values = {
                domain.parameter: domain.values[domain.labels.index(label)]
                for domain, label in zip(found.domains, combination, strict=True)
            }
            late = values | {"META.OBSERVATION.DATE": "9999-12-31", "META.OBSERVATION.TIME": "23:59:59"}
            late |= {"DATE-OBS": "9999-12-31", "TIME-OBS": "23:59:59", "REFTYPE": reftype.upper()}
            missing = any(holds(region, tuple(combination)) for region in found.holes)
            assert missing == is_hole(reference, found, late), (reftype, combination)
