"""Rules, and rows of rules, that no observation can ever get."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import NamedTuple

from calmap.compile.answers import FROM_FIRST, always_answers
from calmap.compile.grid import Grid, Met, escape
from calmap.compile.observations import Observations
from calmap.compile.tree import Answer, MatchRule, Ordered, Row, RowKey, Terminal

_ALL = Observations()
_STEPS = 20
_MAX_DROPPED = 50
_ORDER = (Answer.FOUND, Answer.NOT_APPLICABLE, Answer.OMITTED)


class Hidden(NamedTuple):
    """A rule, or rows of a rule, that no observation gets.

    Parameters
    ----------
    rule
        The rule.
    rows
        The rows that are never chosen; empty if none of the rule is.
    by
        Rules that take every observation instead; empty if there is no such observation.
    parameter
        The parameter of which no value is accepted, if that is why.
    instead
        The row of a rule of equal weight that is always taken, if that is why.
    equal
        True if the rules are of equal weight, and their answer wins over the word of this one.
    """

    rule: MatchRule
    rows: tuple[Row, ...] = ()
    by: tuple[MatchRule, ...] = ()
    parameter: str = ""
    instead: Row | None = None
    equal: bool = False


def hidden_by(grid: Grid, number: int, since: RowKey = None) -> tuple[MatchRule, ...]:
    """Rules of more weight that together take every observation that would come to a rule.

    Empty if there may be an observation that they leave. Observations whose value is ``N/A`` are not
    thought of.

    Parameters
    ----------
    grid, number
        The rules, and which of them.
    since
        Key of one of its rows, for observations from then on; for all of its rows if not given.

    Raises
    ------
    TooComplexError
        If there are too many rules and values.
    """
    return tuple(found for _, found in grid.rules(_hiding(grid, number, since)))


def unreachable(grid: Grid) -> Iterator[Hidden]:
    """Rules and rows of a Match selector that no observation ever gets.

    Nothing is said of a rule of which it isn't certain.

    Raises
    ------
    TooComplexError
        If there are too many rules and values.
    """
    for number in range(len(grid.match.rules)):
        yield from unreachable_of(grid, number)


def unreachable_of(grid: Grid, number: int) -> Iterator[Hidden]:
    """One rule, or rows of it, if no observation ever gets them.

    Raises
    ------
    TooComplexError
        If there are too many rules and values.
    """
    rule = grid.match.rules[number]
    if parameter := _impossible(grid, number):
        yield Hidden(rule, parameter=parameter)
    elif by := _hiding(grid, number, None):
        yield Hidden(rule, by=tuple(other for _, other in grid.rules(by)))
    elif by := _outdone(grid, number):
        yield Hidden(rule, by=tuple(other for _, other in grid.rules(by)), equal=True)
    else:
        yield from _hidden_rows(grid, number)


def _impossible(grid: Grid, number: int) -> str:
    for column, met in zip(grid.columns, grid.met(number), strict=True):
        if not met.samples and not met.others and not column.uncertain:
            return column.parameter
    return ""


def _hiding(grid: Grid, number: int, since: RowKey) -> int:
    """Rules of more weight, as few as possible, of which one always answers before a rule is looked at."""
    if not grid.leads_to_files:
        return 0
    choice = grid.match.rules[number].choice
    kind = choice.kind if isinstance(choice, Ordered) else ""
    if since is None and isinstance(choice, Ordered) and choice.rows and kind in FROM_FIRST:
        since = choice.rows[0].key
    mets = grid.met(number)
    heavier = reduce(and_, grid.meetings(met.all for met in mets), grid.heavier(number))
    if not heavier:
        return 0
    grid.spend(_STEPS + sum(len(met.samples) for met in mets))
    if not _covers(mets, heavier):
        return 0
    answering = [
        other
        for other, rule in grid.rules(heavier)
        if always_answers(rule.choice, since, kind) and grid.advantage(other, number)[0] > 0
    ]
    return _fewest(mets, answering)


def _covers(mets: list[Met], rules: int) -> bool:
    """True if whatever comes to a rule comes to one of these too."""
    found = escape([met.all for met in mets], rules)
    return found.values is None and found.certain


def _fewest(mets: list[Met], numbers: list[int]) -> int:
    single = next((1 << n for n in numbers if _covers(mets, 1 << n)), 0)
    whole = sum(1 << n for n in numbers)
    if single or not _covers(mets, whole):
        return single
    for number in numbers[:_MAX_DROPPED]:
        if _covers(mets, whole & ~(1 << number)):
            whole &= ~(1 << number)
    return whole


def _outdone(grid: Grid, number: int) -> int:
    """A rule of equal weight that matches wherever a rule does, and whose answer wins over its word."""
    choice = grid.match.rules[number].choice
    if not isinstance(choice, Terminal) or choice.answer is Answer.FOUND:
        return 0
    better = _ORDER[: _ORDER.index(choice.answer)]
    for other, rule in grid.rules(_as_wide(grid, number)):
        if isinstance(rule.choice, Terminal) and rule.choice.answer in better:
            return 1 << other
    return 0


def _as_wide(grid: Grid, number: int) -> int:
    """Rules of equal weight that match every observation that a rule matches."""
    if not grid.match.merge_overlaps:
        return 0
    same = grid.as_heavy(number)
    for met in grid.met(number) if same else ():
        for sample in met.all:
            same &= sample.accepting
            if not same:
                return 0
    always = (other for other, _ in grid.rules(same) if grid.advantage(other, number) == (0, 0))
    return sum(1 << other for other in always)


def _hidden_rows(grid: Grid, number: int) -> Iterator[Hidden]:
    rule = grid.match.rules[number]
    choice = rule.choice
    if not isinstance(choice, Ordered) or choice.kind not in FROM_FIRST or not choice.rows:
        return
    rows = choice.rows
    taken = len(rows)
    if by := _hiding(grid, number, rows[-1].key):
        taken = bisect_left(rows, True, key=lambda row: bool(_hiding(grid, number, row.key)))
        yield Hidden(rule, rows[taken:], tuple(other for _, other in grid.rules(by)))
    yield from _rows_of_twins(grid, number, rows[:taken])


def _rows_of_twins(grid: Grid, number: int, rows: tuple[Row, ...]) -> Iterator[Hidden]:
    """Rows in whose place the row of another rule with the same date is always taken."""
    rule = grid.match.rules[number]
    left = {row.key: row for row in rows}
    for _, twin in grid.rules(_as_wide(grid, number)):
        if not isinstance(twin.choice, Ordered) or not isinstance(rule.choice, Ordered):
            continue
        for row in twin.choice.rows if twin.choice.kind == rule.choice.kind else ():
            own = left.get(row.key)
            if own is not None and _name(own) < _name(row):
                yield Hidden(rule, (left.pop(row.key),), (twin,), instead=row)


def _name(row: Row) -> str:
    return row.choice.written if isinstance(row.choice, Terminal) else ""
