"""Headers that come to a certain line of a reference mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice, product
from typing import NamedTuple, TypeAlias

from calmap.compile.answers import header_for
from calmap.compile.domain import example
from calmap.compile.grid import Grid, TooComplexError, escape
from calmap.compile.observations import Observations
from calmap.compile.reference import CompiledReference
from calmap.compile.relevance import Relevance
from calmap.compile.tree import Match, MatchRule, Node, Ordered, Row
from calmap.model.dates import DateError, parse_date
from calmap.model.values import ANY, NA, UNDEFINED, condition_text
from calmap.syntax.ast import Entry
from calmap.syntax.expression import Choice, Compare, Constant, Either, Every, Expression, Name, Not, Sequence

_MAX_TRIES = 2_000
_MAX_ROWS = 20
_SECOND = timedelta(seconds=1)
Header: TypeAlias = Mapping[str, str]


class Way(NamedTuple):
    """A selector on the way to a line, and which of its rules or rows is meant."""

    selector: Match | Ordered
    line: MatchRule | Row


def way_to(tree: Node, entries: tuple[Entry, ...]) -> tuple[Way, ...] | None:
    """The way through rules to an entry; None if the rules have dropped it."""
    found: list[Way] = []
    node = tree
    for entry in entries:
        if not isinstance(node, Match | Ordered):
            return tuple(found)
        lines: tuple[MatchRule | Row, ...] = node.rules if isinstance(node, Match) else node.rows
        line = next((line for line in lines if line.span.start == entry.key.start), None)
        if line is None:
            return None
        found.append(Way(node, line))
        node = line.choice
    return tuple(found)


def header_reaching(
    reference: CompiledReference, way: tuple[Way, ...], entry: Entry, known: Observations
) -> dict[str, str] | None:
    """Conditioned values for which the interpreter's answer stands in an entry; None if none are found.

    Parameters
    ----------
    reference
        The mapping.
    way
        The way to the entry.
    entry
        Where the answer shall stand.
    known
        What is known of the observations.
    """
    blank = dict.fromkeys(reference.terms.required, UNDEFINED)

    def reaches(header: dict[str, str]) -> bool:
        place = reference.interpret({**blank, **header}).place
        return place is not None and entry.start <= place < entry.end

    for header in islice(_tries(reference, way, known), _MAX_TRIES):
        if reaches(header):
            for name in sorted(_careless(way) & header.keys()):
                less = {other: value for other, value in header.items() if other != name}
                header = less if reaches(less) else header
            return header
    return None


def _careless(way: tuple[Way, ...]) -> set[str]:
    """Keywords that don't matter, or may be anything."""
    return {
        name
        for step in way
        if isinstance(step.selector, Match) and isinstance(step.line, MatchRule)
        for name, element in zip(step.selector.parameters, step.line.key, strict=True)
        if element in (NA, ANY)
    }


def _tries(
    reference: CompiledReference, way: tuple[Way, ...], known: Observations
) -> Iterator[dict[str, str]]:
    levels = [tuple(_values(step, known)) for step in way]
    end = way[-1].line.choice
    levels.append(tuple(_ends(end)) or ({},))
    wanted = {name: values for name, values in _named(reference).items() if values}
    for headers in product(*levels):
        header = {name: value for part in headers for name, value in part.items()}
        yield header
        for values in product(*((header.get(name, UNDEFINED), *wanted[name]) for name in wanted)):
            chosen = dict(zip(wanted, values, strict=True))
            yield {**header, **{name: value for name, value in chosen.items() if value != UNDEFINED}}


def _values(step: Way, known: Observations) -> Iterator[dict[str, str]]:
    """Values that lead on at a selector, the most promising first."""
    if isinstance(step.selector, Ordered):
        assert isinstance(step.line, Row)
        yield from _row_values(step.selector, step.line)
        return
    assert isinstance(step.line, MatchRule)
    names = step.selector.parameters
    for values in _match_values(step.selector, step.line, known):
        yield {name: value for name, value in zip(names, values, strict=True) if value != UNDEFINED}


def _match_values(match: Match, rule: MatchRule, known: Observations) -> Iterator[tuple[str, ...]]:
    try:
        grid = Grid(match, known)
        number = match.rules.index(rule)
        choices = [met.all for met in grid.met(number)]
        heavier = grid.heavier(number)
        for rules in (heavier | grid.as_heavy(number), heavier, 0):
            found = escape(choices, rules).values
            if found is not None:
                yield found
        yield from product(*(tuple(sample.value for sample in samples[:3]) for samples in choices))
    except TooComplexError:
        columns = zip(rule.key, rule.patterns, strict=True)
        yield tuple(
            UNDEFINED if element in (NA, ANY) else example(element, pattern) or UNDEFINED
            for element, pattern in columns
        )


def _ends(node: Node) -> Iterator[dict[str, str]]:
    """Values that lead to some row of a selector, the last row first."""
    if isinstance(node, Ordered):
        rows = node.rows[::-1][:_MAX_ROWS]
        for row in rows:
            yield from _row_values(node, row)


def _row_values(selector: Ordered, row: Row) -> Iterator[dict[str, str]]:
    if selector.kind not in ("UseAfter", "ClosestTime"):
        found = header_for(selector, row.key)
        yield from [found] if found is not None else []
        return
    start = _date(row.written)
    if start is None:
        return
    dates = (_date(other.written) for other in selector.rows)
    end = min((date for date in dates if date is not None and date > start), default=None)
    moments = [start]
    if end is not None and selector.kind == "UseAfter":
        moments += [start + (end - start) / 2, end - _SECOND]
    for moment in moments:
        found = header_for(selector, moment.replace(microsecond=0).isoformat(" "))
        if found is not None:
            yield found


def _date(text: str) -> datetime | None:
    try:
        return parse_date(text)
    except DateError:
        return None


def _named(reference: CompiledReference) -> dict[str, tuple[str, ...]]:
    """Values that the expressions of the header compare keywords with."""
    found: dict[str, dict[str, None]] = {}
    for expression in Relevance(reference.terms).expressions:
        for part in _compared(expression):
            for name, value in part:
                found.setdefault(name, {})[condition_text(value)] = None
    return {name: tuple(values)[:8] for name, values in found.items()}


def _compared(expression: Expression) -> Iterator[tuple[tuple[str, str], ...]]:
    for part in _comparisons(expression):
        if isinstance(part.first, Name):
            for _, right in part.rest:
                items = right.items if isinstance(right, Sequence) else (right,)
                texts = (str(item.value) for item in items if isinstance(item, Constant))
                yield tuple((part.first.name, text) for text in texts)


def _comparisons(expression: Expression) -> Iterator[Compare]:
    match expression:
        case Compare():
            yield expression
        case Every(items) | Either(items):
            for item in items:
                yield from _comparisons(item)
        case Not(item):
            yield from _comparisons(item)
        case Choice(then, condition, otherwise):
            for item in (then, condition, otherwise):
                yield from _comparisons(item)
