"""When a reference is chosen, and what may keep it from being chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from calmap.compare.rows import RuleRow
from calmap.compile.grid import Grid, TooComplexError
from calmap.compile.observations import observations
from calmap.compile.overlap import overlaps_with
from calmap.compile.prepare import prepare
from calmap.compile.reach import hidden_by
from calmap.compile.terms import reference_terms
from calmap.compile.tree import Match, MatchRule, Node, Ordered, Row, RowKey, Terminal
from calmap.model.dates import DateError, parse_date
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import MappingFile

_SHOWN = 3


class Outlook(NamedTuple):
    """The future of a row.

    Parameters
    ----------
    since, until
        The interval of observation dates in which it is chosen, as far as its rule is asked; None where
        it has no end, or the rule knows no dates.
    before, after
        What its rule chooses before and after that; empty for nothing.
    by_date
        The selector that chooses by date: ``UseAfter``, ``ClosestTime``, or empty.
    warnings
        One sentence for each rule that competes with it.
    notes
        One sentence on the rules that win where they match too.
    """

    since: str | None = None
    until: str | None = None
    before: str = ""
    after: str = ""
    by_date: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def outlook(file: MappingFile, observatory: Observatory | None, row: RuleRow) -> Outlook:
    """When a row of an rmap is chosen, and which other rules compete with its own.

    Raises
    ------
    MappingError
        If the rules make no sense.
    """
    terms = reference_terms(file, observatory)
    tree = prepare(file.selector, terms.selector)
    found, key = _own(tree, row)
    rule = _rule(tree, row)
    if rule is None or not isinstance(tree, Match):
        return found
    try:
        grid, number = Grid(tree, observations(terms, observatory)), tree.rules.index(rule)
        hiding = hidden_by(grid, number, key)
        if hiding:
            places = _places(file, hiding)
            return found._replace(
                warnings=(f"it is never chosen: more specific rules take every observation first ({places})",)
            )
        warnings = tuple(_overlaps(file, grid, number))
        return found._replace(warnings=warnings, notes=tuple(_winners(file, grid, number)))
    except TooComplexError:
        return found._replace(warnings=("the rules are too many to compare with each other",))


def interval(file: MappingFile, observatory: Observatory | None, row: RuleRow) -> Outlook:
    """As `outlook`, without a look at other rules."""
    return _own(prepare(file.selector, reference_terms(file, observatory).selector), row)[0]


def _own(tree: Node, row: RuleRow) -> tuple[Outlook, RowKey]:
    """What the rule of a row says of it by itself, and the date of the row."""
    rule = _rule(tree, row)
    selector = rule.choice if rule is not None else tree
    if isinstance(selector, Ordered):
        end = row.steps[-1].span.end
        for index, item in enumerate(selector.rows):
            if item.place.end == end:
                return _interval(selector, index), item.key
    return Outlook(), None


def _rule(tree: Node, row: RuleRow) -> MatchRule | None:
    rules = tree.rules if isinstance(tree, Match) else ()
    return next((rule for rule in rules if rule.span == row.steps[0].span), None)


def _interval(selector: Ordered, index: int) -> Outlook:
    rows = selector.rows
    row = rows[index]
    earlier = rows[index - 1] if index else None
    later = rows[index + 1] if index + 1 < len(rows) else None
    before, after = (_file(other.choice) if other else "" for other in (earlier, later))
    if selector.kind == "UseAfter":
        return Outlook(row.written, later.written if later else None, before, after, selector.kind)
    if selector.kind == "ClosestTime":
        return Outlook(_middle(earlier, row), _middle(row, later), before, after, selector.kind)
    return Outlook()


def _middle(one: Row | None, other: Row | None) -> str | None:
    """The moment as near to one date as to another."""
    if one is None or other is None:
        return None
    try:
        first, second = parse_date(one.written), parse_date(other.written)
    except DateError:
        return None
    middle: datetime = first + (second - first) / 2
    return middle.replace(microsecond=0).isoformat(" ")


def _file(choice: Node) -> str:
    return choice.written if isinstance(choice, Terminal) else ""


def _overlaps(file: MappingFile, grid: Grid, number: int) -> Iterator[str]:
    """What to say of rules with the same weight that match some observations too."""
    found = list(islice(overlaps_with(grid, number), _SHOWN + 1))
    rule = grid.match.rules[number]
    nearest = isinstance(rule.choice, Ordered) and rule.choice.kind == "ClosestTime"
    how = (
        f"the {'nearer' if nearest else 'later'} date wins"
        if grid.match.merge_overlaps
        else "neither is chosen"
    )
    for item in found[:_SHOWN]:
        example = ", ".join(f"{name}={value}" for name, value in item.example.items())
        where = _places(file, (item.second,))
        yield f"an observation with {example} also matches the rule in {where} with the same weight: {how}"
    if len(found) > _SHOWN:
        yield "there are more such rules; calmap check lists them"


def _winners(file: MappingFile, grid: Grid, number: int) -> Iterator[str]:
    """What to say of rules with more weight that match some observations too."""
    others = tuple(other for _, other in grid.rules(grid.meeting(number) & grid.heavier(number)))
    if others:
        yield f"where a more specific rule matches too, that one wins ({_places(file, others)})"


def _places(file: MappingFile, rules: Sequence[MatchRule]) -> str:
    lines = sorted(file.source.position(rule.span.start).line for rule in rules)
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines[:_SHOWN]))}{more}"
