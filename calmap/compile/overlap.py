"""Rules of one Match selector that an observation may match with equal weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_
from typing import NamedTuple

from calmap.compile.answers import always_answers, asked_of_both
from calmap.compile.grid import Grid, Met, Sample, escape
from calmap.compile.observations import Observations
from calmap.compile.tree import Match, MatchRule
from calmap.model.values import ANY, NA, alternatives

_ALL = Observations()
_STEPS = 20


class Overlap(NamedTuple):
    """Two rules that an observation matches with equal weight.

    Parameters
    ----------
    first, second
        The rules; in the order of the text, but for `overlaps_with`, where the first is the one asked for.
    weight
        How many elements match.
    example
        Conditioned header values by parameter for which both match, and both have an answer. A parameter
        that does not matter may be absent.
    hidden
        True if a rule of more weight answers the example, and no other example was found.
    """

    first: MatchRule
    second: MatchRule
    weight: int
    example: dict[str, str]
    hidden: bool = False


def overlaps(grid: Grid) -> Iterator[Overlap]:
    """All pairs of rules that overlap with equal weight, each once, in the order of the text.

    Raises
    ------
    TooComplexError
        If there are too many rules and values.
    """
    for number, earlier in partners(grid):
        for other, _ in grid.rules(earlier):
            found = overlap(grid, other, number)
            if found is not None:
                yield found


def overlaps_with(grid: Grid, number: int) -> Iterator[Overlap]:
    """The rules that overlap with one rule with equal weight.

    Raises
    ------
    TooComplexError
        If there are too many rules and values.
    """
    for other, _ in grid.rules(grid.meeting(number) & grid.as_heavy(number)):
        found = overlap(grid, number, other)
        if found is not None:
            yield found


def partners(grid: Grid) -> Iterator[tuple[int, int]]:
    """Each rule in the order of the text, with a mask of those before it that overlap with equal weight."""
    rules = grid.match.rules
    earlier = 0
    for number in sorted(range(len(rules)), key=lambda n: rules[n].written.start):
        same = grid.as_heavy(number) & earlier
        if same and (same := same & grid.meeting(number)):
            yield number, same
        earlier |= 1 << number


def overlap(grid: Grid, first: int, second: int) -> Overlap | None:
    """The overlap of two rules of equal weight, or None if there is no date at which both have an answer."""
    one, other = grid.match.rules[first], grid.match.rules[second]
    asked = asked_of_both(grid.match, one.choice, other.choice)
    if asked is None:
        return None
    both = 1 << first | 1 << second
    mets = grid.met(first)
    grid.spend(_STEPS + sum(len(met.samples) for met in mets))
    choices = [_both(met, both) for met in mets]
    if not all(choices):
        return None
    heavier = reduce(and_, grid.meetings(choices), grid.heavier(first))
    escaped = escape(choices, heavier)
    if escaped.values is None:
        answering = (
            1 << number
            for number, rule in grid.rules(heavier)
            if isinstance(rule.choice, Match) or always_answers(rule.choice, asked.key, asked.kind)
        )
        escaped = escape(choices, sum(answering))
    values = escaped.values or tuple(samples[0].value for samples in choices)
    pairs = zip(grid.columns, values, strict=True)
    example = {column.parameter: value for column, value in pairs if not column.is_idle}
    weight = grid.weights[first]
    return Overlap(one, other, weight, {**example, **asked.header}, escaped.values is None)


def _both(met: Met, both: int) -> Sequence[Sample]:
    return [sample for sample in met.samples if sample.accepting & both == both]


def special_cases(match: Match, key: Sequence[str]) -> Iterator[MatchRule]:
    """Existing rules of which a rule with a key is, for CRDS, a special case of equal weight.

    CRDS compares elements as texts: an element covers an equal one, members of its own list, and what
    it takes for less, ``N/A`` included; it does not look at what patterns accept.

    Parameters
    ----------
    match
        The rules.
    key
        A key, conditioned and substituted.
    """
    for rule in match.rules:
        pairs = tuple(zip(rule.key, key, strict=True))
        only_here = sum(mine == NA != other for other, mine in pairs)
        only_there = sum(other == NA != mine for other, mine in pairs)
        if rule.key != tuple(key) and only_here == only_there and all(_covers(*pair) for pair in pairs):
            yield rule


def _covers(general: str, element: str) -> bool:
    if general in (element, ANY) or element == NA or (general, element) == (NA, ANY):
        return True
    return element != ANY and set(alternatives(general)) > set(alternatives(element))
