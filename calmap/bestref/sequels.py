"""What follows from a rule, in order of time or of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise

from calmap.bestref.meaning import Interval
from calmap.compile.tree import Node, Ordered, Row, Terminal
from calmap.compile.wording import either
from calmap.source import Position

_MAX_ROWS = 20


def intervals(selector: Ordered, here: Row | None, position: Callable[[int], Position]) -> Iterator[Interval]:
    """When each row of a UseAfter or ClosestTime selector is chosen.

    Parameters
    ----------
    selector
        The selector.
    here
        The row that is asked for.
    position
        Line and column of an offset.
    """
    rows = tuple(row for row in selector.rows if row.key is not None)
    starts, ends = _nearest(rows) if selector.kind == "ClosestTime" else _after(rows)
    for row, start, end in zip(rows, starts, ends, strict=True):
        if start is None or start != end:
            line = position(row.span.start).line
            yield Interval(start, end, said(row.choice), line, row is here)


def other_rows(selector: Ordered) -> Iterator[str]:
    """What a selector by number or version says, in sentences."""
    names = either(selector.parameters, "and")
    words = {
        "VersionAfter": "from version {} on",
        "SelectVersion": "for {}",
        "GeometricallyNearest": "nearest to {}",
        "Bracket": "at {}, or between it and the next number",
    }
    for row in selector.rows[:_MAX_ROWS]:
        yield f"By {names}, {words.get(selector.kind, '{}').format(row.written)}: {said(row.choice)}."
    if len(selector.rows) > _MAX_ROWS:
        yield f"And {len(selector.rows) - _MAX_ROWS:,} rows more."


def said(node: Node) -> str:
    """What stands at the end of a row."""
    if not isinstance(node, Terminal):
        return "what the selector below it chooses"
    return either(node.files, "and") or node.written


def _after(rows: tuple[Row, ...]) -> tuple[list[str | None], list[str | None]]:
    keys: list[str | None] = [str(row.key) for row in rows]
    return keys, [*keys[1:], None][: len(keys)]


def _nearest(rows: tuple[Row, ...]) -> tuple[list[str | None], list[str | None]]:
    """The middles between the dates, which are in order of the text; at a middle the earlier counts."""
    dates = sorted({row.key for row in rows if isinstance(row.key, datetime)})
    middles = [(early + (late - early) / 2).isoformat(" ") for early, late in pairwise(dates)]
    starts = dict(zip(dates, [None, *middles], strict=False))
    ends = dict(zip(dates, [*middles, None], strict=False))
    keys = [row.key for row in rows if isinstance(row.key, datetime)]
    return [starts[key] for key in keys], [ends[key] for key in keys]
