"""Rules and rows that are never chosen: no look-up at all finds what is reported."""

from __future__ import annotations

import pytest
from crowded_rules import Crowd, Crowded, crowded, crowds
from hypothesis import HealthCheck, assume, event, given, settings
from small_rmaps import Question, compiled

from calmap.compile.grid import Grid
from calmap.compile.interpreter import Tried, choose
from calmap.compile.observations import Observations
from calmap.compile.reach import hidden_by, unreachable
from calmap.compile.tree import Match, MatchRule, Ordered, Terminal
from calmap.errors import MappingError


def reached(rules: Crowded, header: dict[str, str]) -> set[int]:
    """Where the rules and rows stand that the answer to a header comes from."""
    trail: list[object] = []
    outcome = choose(rules.tree, header, rules.terms.selector.substitutions, trail)  # type: ignore[arg-type]
    found = {item.row.span.start for item in trail if not isinstance(item, Tried)}  # type: ignore[attr-defined]
    tried = [rule for item in trail if isinstance(item, Tried) for rule in item.rules]
    return found | {rule.span.start for rule in tried if _answers(rule, found, outcome.answer)}


def _answers(rule: MatchRule, rows: set[int], answer: object) -> bool:
    if isinstance(rule.choice, Ordered):
        return any(row.span.start in rows for row in rule.choice.rows)
    return not isinstance(rule.choice, Terminal) or rule.choice.answer is answer


@settings(max_examples=110, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(crowds())
def test_what_is_never_chosen_is_found_by_no_look_up(crowd: Crowd) -> None:
    try:
        rules = crowded(crowd)
    except MappingError:
        assume(False)
    hidden = list(unreachable(Grid(rules.match, rules.known)))
    event(f"{min(len(hidden), 3)} hidden")
    if hidden:
        answering = set().union(*(reached(rules, header) for header in rules.headers()))
        for item in hidden:
            assert not answering & {row.span.start for row in item.rows}, item
            assert item.rows or item.rule.span.start not in answering, item


def match_of(text: str, extra: dict[str, object] | None = None) -> Match:
    match = compiled(Question(f"Match({{{text}}})", (("A", "B"), ("D",)), {}, extra or {})).tree
    assert isinstance(match, Match)
    return match


def rows(*dates: str, name: str = "a.fits") -> str:
    return "UseAfter({" + ", ".join(f"'{date}-01-01 00:00:00' : '{name}'" for date in dates) + "})"


LIGHT = f"('A', 'N/A') : {rows('2001', '2003', '2005')}"
KNOWN = Observations(listed={"B": frozenset({"X", "Y"})})


def told(match: Match, known: Observations = Observations()) -> list[tuple[object, ...]]:  # noqa: B008
    found = unreachable(Grid(match, known))
    return [
        (item.rule.key, [row.written[:4] for row in item.rows], [r.key for r in item.by]) for item in found
    ]


@pytest.mark.parametrize(
    ("heavy", "hidden"),
    [
        ([("A", "*", rows("2001"))], None),
        ([("A", "*", rows("2000"))], None),
        ([("A", "*", "'b.fits'")], None),
        ([("A", "*", "'OMIT'")], None),
        ([("A", "NOT X", rows("2001")), ("A", "X|Y", rows("1999"))], None),
        ([("A|C", "NOT X", rows("2001")), ("A", "X", "'N/A'")], None),
        ([("A", "*", rows("2002"))], ["2003", "2005"]),
        ([("A", "*", rows("2003"))], ["2003", "2005"]),
        ([("A", "*", rows("2004"))], ["2005"]),
        ([("A", "*", rows("2006"))], []),
        ([("A", "X|Y", rows("2001"))], []),
        ([("A", "NOT X", rows("2001"))], []),
        ([("A", "NOT X", rows("2001")), ("A", "X", rows("2004"))], ["2005"]),
        ([("B", "*", rows("2001"))], []),
        ([("A", "(.*)", rows("2001"))], []),
    ],
)
def test_rules_of_more_weight_hide_what_they_all_take(
    heavy: list[tuple[str, str, str]], hidden: list[str] | None
) -> None:
    match = match_of(", ".join([LIGHT, *(f"('{a}', '{b}') : {choice}" for a, b, choice in heavy)]))
    keys = [(a, b) for a, b, _ in heavy]
    found = [item for item in told(match) if item[0] == ("A", "N/A")]
    assert [item[1] for item in found] == ([[]] if hidden is None else [hidden] if hidden else [])
    assert all(sorted(item[2]) == sorted(keys) for item in found)  # type: ignore[call-overload]


def test_values_of_the_telescope_are_all_that_there_are_but_a_keyword_may_be_missing() -> None:
    both = f"('A', 'X|Y') : {rows('2000')}"
    assert told(match_of(f"{LIGHT}, {both}"), KNOWN) == []
    assert told(match_of(f"{LIGHT}, {both}, ('A', 'UNDEFINED') : 'c.fits'"), KNOWN)[0][0] == ("A", "N/A")


def test_a_keyword_that_may_be_n_a_saves_a_rule() -> None:
    match = match_of(f"{LIGHT}, ('A', '*') : {rows('2000')}")
    assert told(match)
    assert told(match, Observations(uncertain=frozenset({"A"})))
    assert told(match, Observations(uncertain=frozenset({"B"}))) == []


def test_of_equal_dates_the_name_that_comes_last_is_chosen() -> None:
    special, general = rows("2001", "2003", name="b.fits"), rows("2001", "2002", name="c.fits")
    assert told(match_of(f"('A', 'X') : {special}, ('A|B', 'X') : {general}")) == [
        (("A", "X"), ["2001"], [("A|B", "X")])
    ]
    assert told(match_of(f"('A', 'X') : {general}, ('A|B', 'X') : {special}")) == []


def test_a_file_wins_over_a_word() -> None:
    (found,) = told(match_of("('A', 'X') : 'N/A', ('A|B', 'X') : 'a.fits'"))
    assert found[0] == ("A", "X")
    assert told(match_of("('A', 'X') : 'a.fits', ('A|B', 'X') : 'N/A'")) == []


def test_a_literal_that_is_no_compared_value_is_never_met() -> None:
    (found,) = unreachable(Grid(match_of("('{x}', 'X') : 'a.fits', ('{X}', 'X') : 'b.fits'"), Observations()))
    assert (found.rule.key[0], found.parameter) == ("{x}", "A")


def test_what_hides_a_row_depends_on_its_date() -> None:
    match = match_of(f"('A', '*') : {rows('2002')}, {LIGHT}")
    grid, number = Grid(match, Observations()), [rule.key for rule in match.rules].index(("A", "N/A"))
    assert hidden_by(grid, number) == ()
    assert hidden_by(grid, number, "2001-12-31 00:00:00") == ()
    assert [rule.key for rule in hidden_by(grid, number, "2003-01-01 00:00:00")] == [("A", "*")]
