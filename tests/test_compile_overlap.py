"""Rules of equal weight: each overlap has a header that shows it, and none is missed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
from crowded_rules import Crowd, Crowded, crowded, crowds
from hypothesis import HealthCheck, assume, event, given, settings
from small_rmaps import Question, compiled

from calmap.compile.grid import Grid, TooComplexError
from calmap.compile.interpreter import Tried, choose, outcomes
from calmap.compile.observations import Observations
from calmap.compile.overlap import Overlap, overlaps, overlaps_with, special_cases
from calmap.compile.tree import Answer, Match, MatchRule, Ordered
from calmap.errors import MappingError
from calmap.model.patterns import MATCH, NO_MATCH
from calmap.model.values import NA

SOME = settings(max_examples=90, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rules_of(text: str, parkey: tuple[tuple[str, ...], ...] = (("A", "B"), ("D",))) -> Match:
    match = compiled(Question(f"Match({{{text}}})", parkey, {})).tree
    assert isinstance(match, Match)
    return match


def row(date: str = "2001-01-01", name: str = "a.fits") -> str:
    return f"UseAfter({{'{date} 00:00:00' : '{name}'}})"


def read(crowd: Crowd) -> Crowded:
    try:
        return crowded(crowd)
    except MappingError:
        assume(False)
        raise


def tried(rules: Crowded, header: dict[str, str]) -> list[Tried]:
    trail: list[object] = []
    choose(rules.tree, header, rules.terms.selector.substitutions, trail)  # type: ignore[arg-type]
    return [item for item in trail if isinstance(item, Tried)]


def pair(found: Overlap) -> tuple[int, int]:
    return found.first.span.start, found.second.span.start


@SOME
@given(crowds())
def test_both_rules_match_the_example_with_equal_weight(crowd: Crowd) -> None:
    rules = read(crowd)
    found = list(overlaps(rules.grid))
    event(f"{min(len(found), 3)} overlaps")
    for item in found:
        judged = [outcomes(rule, rules.match.parameters, item.example) for rule in item[:2]]
        assert NO_MATCH not in judged[0] + judged[1]
        assert judged[0].count(MATCH) == judged[1].count(MATCH) == item.weight
        last = tried(rules, item.example)[-1]
        if not item.hidden:
            assert item.first in last.rules
            assert item.second in last.rules
        for name, allowed in rules.known.listed.items():
            assert item.example.get(name) in (*allowed, None) or name in rules.known.ignored


@SOME
@given(crowds())
def test_no_overlap_is_missed(crowd: Crowd) -> None:
    rules = read(crowd)
    found = {pair(item) for item in overlaps(rules.grid)}
    listed = {k: values for k, values in rules.known.listed.items() if k not in rules.known.ignored}
    shown = {pair(item) for item in overlaps(rules.grid) if not item.hidden}
    for header in rules.headers():
        if any(header.get(name) == NA for name in rules.known.uncertain):
            continue
        if any(header[name] == "UNDEFINED" not in values for name, values in listed.items()):
            continue
        groups = tried(rules, header)
        for group in groups:
            both = [rule for rule in group.rules if _has_answer(rule, header)]
            for one, other in combinations(sorted(both, key=lambda rule: rule.span.start), 2):
                assert (one.span.start, other.span.start) in found, header
                if group is groups[-1]:
                    assert (one.span.start, other.span.start) in shown, header


def _has_answer(rule: MatchRule, header: dict[str, str]) -> bool:
    if not isinstance(rule.choice, Ordered):
        return True
    return choose(rule.choice, header, {}).answer is not Answer.NOT_FOUND


@SOME
@given(crowds())
def test_one_rule_against_the_others_gives_the_same_as_all_pairs(crowd: Crowd) -> None:
    rules = read(crowd)
    pairs = {frozenset(pair(item)): item.hidden for item in overlaps(rules.grid)}
    for number, rule in enumerate(rules.match.rules):
        found = {frozenset(pair(item)): item.hidden for item in overlaps_with(rules.grid, number)}
        assert found == {both: hidden for both, hidden in pairs.items() if rule.span.start in both}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("'A|B', 'N/A'", "'B|C', 'N/A'", {"A": "B"}),
        ("'A', 'N/A'", "'N/A', 'B'", {"A": "A", "B": "B"}),
        ("'NOT A', '1'", "'NOT B', '#<5#'", {"A": "OTHER", "B": "1.0"}),
        ("'F1*', 'X'", "'*W', 'X'", {"A": "F1W", "B": "X"}),
        ("'F[0-3]?', 'X'", "'F*W|A', 'X'", None),
        ("'#>2 AND <4#', 'X'", "'BETWEEN 3 9', 'X'", {"A": "3.0", "B": "X"}),
        ("'#>2 AND <3#', 'X'", "'BETWEEN 3 9', 'X'", None),
        ("'(NRC.*LONG)', 'X'", "'NRCALONG|NRCA1', 'X'", {"A": "NRCALONG", "B": "X"}),
        ("'{A|B}', 'X'", "'A|B', 'X'", None),
        ("'A', 'X'", "'A', 'N/A'", None),
        ("'A|B', 'X'", "'C', 'X'", None),
    ],
)
def test_an_example_is_a_value_that_both_accept(first: str, second: str, expected: object) -> None:
    any_value = "('N/A', 'N/A') : 'b.fits'"
    match = rules_of(f"({first}) : {row()}, ({second}) : {row('2002-02-02')}, {any_value}")
    examples = [item.example for item in overlaps(Grid(match, Observations()))]
    assert examples == ([] if expected is None else [{**expected, "D": "2002-02-02 00:00:00"}])  # type: ignore[dict-item]


def test_the_example_avoids_a_heavier_rule() -> None:
    rules = f"('A|B', 'N/A') : {row()}, ('B|C|A', 'N/A') : {row()}, ('A', 'X') : {row()}"
    (found,) = overlaps(Grid(rules_of(rules), Observations()))
    assert not found.hidden
    assert found.example["A"] == "B" or found.example["B"] != "X"


def test_a_heavier_rule_hides_an_overlap_unless_its_first_date_is_later() -> None:
    light = f"('A|B', 'N/A') : {row()}, ('B|C', 'N/A') : {row('2002-01-01')}"
    for date, hidden in (("2000-01-01", True), ("2002-01-01", True), ("2003-01-01", False)):
        match = rules_of(f"{light}, ('B', '*') : {row(date)}")
        assert [item.hidden for item in overlaps(Grid(match, Observations()))] == [hidden]


def test_dates_come_in_as_many_keywords_as_the_rules_have() -> None:
    text = f"'A|B' : {row()}, 'B|C' : {row()}"
    (found,) = overlaps(Grid(rules_of(text, (("A",), ("DATE-OBS", "TIME-OBS"))), Observations()))
    assert found.example == {"A": "B", "DATE-OBS": "2001-01-01", "TIME-OBS": "00:00:00"}


def test_too_many_rules_are_refused_rather_than_never_finished() -> None:
    rules = ",".join(f"('A{i}|N/A', '>{i}') : 'a{i}.fits'" for i in range(2000))
    with pytest.raises(TooComplexError, match="2,000 rules"):
        list(overlaps(Grid(rules_of(rules), Observations())))


ELEMENTS = (
    *("N/A", "*", "A", "B", "A|B", "A|B|C", "B|C", "NOT A", "{A}", "(A.*)", "(A|B)", "A*", "A*|B"),
    *("#>1 AND <2#", ">1", "", "1.0", "1.0|2.0", "A|N/A", "BETWEEN 1 2"),
)


def test_special_cases_are_those_of_crds() -> None:
    if find_spec("crds") is None:
        pytest.skip("the package crds is not installed")
    chance = random.Random(20240924)
    pairs = []
    for _ in range(20_000):
        width = chance.choice((1, 2, 2, 3, 4))
        pairs.append(tuple(tuple(chance.choice(ELEMENTS) for _ in range(width)) for _ in "ab"))
    program = Path(__file__).with_name("crds_special_cases.py")
    asked = [sys.executable, "-W", "ignore", str(program)]
    done = subprocess.run(asked, input=json.dumps(pairs), capture_output=True, text=True, check=True)
    expected = json.loads(done.stdout)
    assert sum(expected) > 300
    for (key, other), expected_one in zip(pairs, expected, strict=True):
        match = SimpleNamespace(rules=(SimpleNamespace(key=other),))
        assert bool(list(special_cases(match, key))) == expected_one, (key, other)  # type: ignore[arg-type]
