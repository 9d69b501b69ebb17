"""Rules that some observations of a rule match too, and what they leave of it."""

from __future__ import annotations

from typing import NamedTuple

from calmap.bestref.meaning import Rival
from calmap.checks.unreachable import why_hidden
from calmap.compile.grid import Grid, TooComplexError
from calmap.compile.observations import Observations
from calmap.compile.overlap import overlaps_with
from calmap.compile.reach import unreachable_of
from calmap.compile.tree import Match, MatchRule, Row
from calmap.source import Source

MAX_RIVALS = 20


class Competition(NamedTuple):
    """How a rule fares among others.

    Parameters
    ----------
    rivals
        Rules of more weight, then rules of equal weight.
    hidden
        Why no observation gets the rule, or rows of it, in a sentence; empty if some do.
    notes
        What else has to be said.
    """

    rivals: tuple[Rival, ...] = ()
    hidden: str = ""
    notes: tuple[str, ...] = ()


def competition(
    match: Match, rule: MatchRule, row: Row | None, known: Observations, source: Source
) -> Competition:
    """Look for the rules that compete with a rule, or with one row of it."""
    try:
        grid = Grid(match, known)
        number = match.rules.index(rule)
        heavier = [
            Rival(_line(source, other), _written(source, other), grid.weights[at], "heavier")
            for at, other in grid.rules(grid.heavier(number) & grid.meeting(number))
        ]
        equal = [
            Rival(_line(source, other), _written(source, other), weight, "equal", example)
            for _, other, weight, example, *_ in overlaps_with(grid, number)
        ]
        hidden = _hidden(grid, number, row, source)
    except TooComplexError as problem:
        return Competition(notes=(f"Which other rules compete with it is too much to find out: {problem}.",))
    heavier.sort(key=lambda rival: (-rival.weight, rival.line))
    equal.sort(key=lambda rival: rival.line)
    found = (*heavier, *equal)
    notes = [_joined(match)] if equal else []
    if len(found) > MAX_RIVALS:
        notes.append(f"{len(found) - MAX_RIVALS:,} more rules compete with it.")
    return Competition(found[:MAX_RIVALS], hidden, tuple(notes))


def _hidden(grid: Grid, number: int, row: Row | None, source: Source) -> str:
    for hidden in unreachable_of(grid, number):
        if not hidden.rows or row is None or row in hidden.rows:
            words = why_hidden(hidden, source)
            return f"{words[0].upper()}{words[1:]}."
    return ""


def _joined(match: Match) -> str:
    if not match.merge_overlaps:
        return "An observation that matches rules of equal weight has no answer, as merge_overlaps is off."
    return "Rules of equal weight are taken together: of all their dates the one that fits best counts."


def _line(source: Source, rule: MatchRule) -> int:
    return source.position(rule.span.start).line


def _written(source: Source, rule: MatchRule) -> str:
    return " ".join(source.slice(rule.span).split())
