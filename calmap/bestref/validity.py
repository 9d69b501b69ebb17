"""From when to when each reference of a context is valid, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from calmap.bestref.context import Context
from calmap.compile.tree import Answer, Match, MatchRule, Node, Ordered, Terminal
from calmap.model.dates import DateError, parse_date
from calmap.model.values import ANY, NA


@dataclass(frozen=True, slots=True)
class Bar:
    """A time in which one answer holds; None for an end that is open.

    Parameters
    ----------
    start, end
        The first moment, and the first moment after it.
    files
        The references; empty if the rules say that none applies.
    text
        What stands in the rules.
    """

    start: datetime | None
    end: datetime | None
    files: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One rule.

    Parameters
    ----------
    label
        What the rule says of its keywords, as far as they tell it from other rules.
    line
        Where it stands.
    bars
        Its answers in order of time.
    """

    label: str
    line: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class TypeTimeline:
    """The rules of one reference type.

    Parameters
    ----------
    instrument, reftype, mapping
        Whose they are.
    parameters
        Keywords that the labels speak of.
    lanes
        A lane for each rule.
    """

    instrument: str
    reftype: str
    mapping: str
    parameters: tuple[str, ...]
    lanes: tuple[Lane, ...]


def timeline(context: Context, types: Iterable[tuple[str, str]]) -> tuple[TypeTimeline, ...]:
    """Timelines of some types; those without rules are left out.

    Parameters
    ----------
    context
        The rules.
    types
        Instruments and types.
    """
    found = []
    for instrument, reftype in types:
        rules = context.type_rules(instrument, reftype)
        if rules.reference is None:
            continue
        position = rules.reference.file.source.position
        tree = rules.reference.tree
        shown = _distinguishing(tree)
        lanes = tuple(
            Lane(" ".join(label) or "any", position(node.span.start).line, bars)
            for label, node in _leaves(tree, shown)
            if (bars := tuple(_bars(node)))
        )
        names = tuple(name for name in (tree.parameters if isinstance(tree, Match) else ()) if name in shown)
        found.append(TypeTimeline(instrument, reftype, rules.mapping, names, lanes))
    return tuple(found)


def _distinguishing(node: Node) -> frozenset[str]:
    """Parameters of which the rules of the first selector don't all say the same."""
    if not isinstance(node, Match):
        return frozenset()
    columns = zip(*(rule.key for rule in node.rules), strict=True)
    return frozenset(
        name for name, column in zip(node.parameters, columns, strict=False) if len(set(column)) > 1
    )


def _leaves(
    node: Node, shown: frozenset[str], so_far: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Ordered | Terminal]]:
    """Every way through Match selectors, with what it says."""
    if not isinstance(node, Match):
        yield so_far, node
        return
    for rule in sorted(node.rules, key=lambda rule: rule.span.start):
        yield from _leaves(rule.choice, shown, (*so_far, *_elements(node, rule, shown)))


def _elements(match: Match, rule: MatchRule, shown: frozenset[str]) -> Iterator[str]:
    for name, element in zip(match.parameters, rule.key, strict=True):
        if element not in (NA, ANY) and (name in shown or not shown):
            yield element


def _bars(node: Ordered | Terminal) -> Iterator[Bar]:
    if isinstance(node, Terminal):
        yield Bar(None, None, node.files, node.written)
        return
    if node.kind not in ("UseAfter", "ClosestTime"):
        files = tuple(name for row in node.rows for name in _files(row.choice))
        yield Bar(None, None, files, f"{len(node.rows)} by {node.kind}")
        return
    dated = [(date, row.choice) for row in node.rows if (date := _date(row.written)) is not None]
    last = dict(sorted(dated, key=lambda pair: (pair[0], _text(pair[1]))))
    moments: list[datetime | None] = list(last)
    if node.kind == "ClosestTime":
        middles = [early + (late - early) / 2 for early, late in pairwise(last)]
        moments = [None, *middles]
    for (start, end), choice in zip(pairwise([*moments, None]), last.values(), strict=True):
        yield Bar(start, end, _files(choice), _text(choice))


def _date(text: str) -> datetime | None:
    try:
        return parse_date(text)
    except DateError:
        return None


def _files(node: Node) -> tuple[str, ...]:
    if isinstance(node, Terminal):
        return node.files if node.answer is Answer.FOUND else ()
    lines = node.rules if isinstance(node, Match) else node.rows
    return tuple(dict.fromkeys(name for line in lines for name in _files(line.choice)))


def _text(node: Node) -> str:
    return node.written if isinstance(node, Terminal) else ", ".join(_files(node))
