"""Rules that some observations of a rule match too."""

from __future__ import annotations

from calmap.bestref.meaning import Rival
from calmap.compile.grid import Grid, TooComplexError
from calmap.compile.observations import Observations
from calmap.compile.overlap import overlaps_of
from calmap.compile.tree import Match, MatchRule
from calmap.source import Source

MAX_RIVALS = 20


def heavier_and_equal(
    match: Match, rule: MatchRule, known: Observations, source: Source
) -> tuple[tuple[Rival, ...], tuple[str, ...]]:
    """Rules of more weight, then rules of equal weight, and what has to be said about them."""
    try:
        grid = Grid(match, known)
        number = match.rules.index(rule)
        heavier = [
            Rival(_line(source, other), _written(source, other), grid.weights[at], "heavier")
            for at, other in grid.rules(grid.heavier(number) & grid.meeting(number))
        ]
        equal = [
            Rival(_line(source, other), _written(source, other), weight, "equal", example)
            for _, other, weight, example, *_ in overlaps_of(match, rule, known)
        ]
    except TooComplexError as problem:
        return (), (f"Which other rules compete with it is too much to find out: {problem}.",)
    heavier.sort(key=lambda rival: (-rival.weight, rival.line))
    equal.sort(key=lambda rival: rival.line)
    found = (*heavier, *equal)
    notes = [_joined(match)] if equal else []
    if len(found) > MAX_RIVALS:
        notes.append(f"{len(found) - MAX_RIVALS:,} more rules compete with it.")
    return found[:MAX_RIVALS], tuple(notes)


def _joined(match: Match) -> str:
    if not match.merge_overlaps:
        return "An observation that matches rules of equal weight has no answer, as merge_overlaps is off."
    return "Rules of equal weight are taken together: of all their dates the one that fits best counts."


def _line(source: Source, rule: MatchRule) -> int:
    return source.position(rule.span.start).line


def _written(source: Source, rule: MatchRule) -> str:
    return " ".join(source.slice(rule.span).split())
