"""Pictures of the validity of references over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from calmap.cache.store import write_atomically
from calmap.compile.wording import spoken
from calmap.errors import UsageError
from calmap.report.timeline_picture import COLORS, NONE, SHADES, Row, Span, Stretch, picture

if TYPE_CHECKING:
    from calmap.bestref.validity import Bar, TypeTimeline

ROWS_ON_A_PAGE = 60
_DAY = timedelta(days=1)


def require_matplotlib() -> None:
    """Make sure that pictures can be drawn.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise UsageError(
            "pictures need matplotlib, which is not installed", "pip install 'calmap-toolkit[plot]'"
        )


class Page(NamedTuple):
    """A page of a picture, and the file that it goes to."""

    path: Path
    title: str
    rows: tuple[Row, ...]
    span: Span


def pages(timelines: Sequence[TypeTimeline], title: str, path: Path) -> tuple[Page, ...]:
    """Timelines laid out on several pages if they are long.

    Parameters
    ----------
    timelines
        What to draw. With few rules each has a row of its own, else each type has.
    title
        What stands above.
    path
        The picture, ``.png`` or ``.svg``; further pages have ``-2``, ``-3`` and so on in their names.

    Raises
    ------
    UsageError
        If there is nothing to draw.
    """
    rows = _rows(timelines)
    if not rows:
        raise UsageError(f"{title} has no rules to draw")
    span = _span(timelines)
    cut = _cut(rows)
    if len(cut) == 1:
        return (Page(path, title, cut[0], span),)
    return tuple(
        Page(
            path.with_stem(f"{path.stem}-{number}") if number > 1 else path,
            f"{title}, page {number} of {len(cut)}",
            part,
            span,
        )
        for number, part in enumerate(cut, 1)
    )


def draw(page: Page) -> Path:
    """Write a page; the same timelines give the same bytes.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    CacheError
        If the file can't be written.
    """
    require_matplotlib()
    form = page.path.suffix.lower().lstrip(".")
    write_atomically(page.path, picture(page.rows, page.span, page.title, form), None)
    return page.path


def _rows(timelines: Sequence[TypeTimeline]) -> list[Row]:
    """A row for each rule; where there are too many of several types, one for each type."""
    detailed = len(timelines) == 1 or sum(len(t.lanes) + 1 for t in timelines) <= ROWS_ON_A_PAGE
    if not detailed:
        return [Row(_name(timeline), tuple(_summed(timeline))) for timeline in timelines if timeline.lanes]
    rows = []
    for timeline in timelines:
        colors = _colors(timeline)
        keywords = ", ".join(map(spoken, timeline.parameters))
        rows.append(Row(f"{_name(timeline)}  ({timeline.mapping})  {keywords}"))
        for lane in timeline.lanes:
            stretches = (Stretch(b.start, b.end, b.text, _color(b, colors), 1.0, b.text) for b in lane.bars)
            rows.append(Row(lane.label, tuple(stretches)))
    return rows


def _name(timeline: TypeTimeline) -> str:
    return f"{timeline.instrument} {timeline.reftype}"


def _colors(timeline: TypeTimeline) -> dict[str, str]:
    """A colour for each file of a type; those that follow each other differ."""
    texts = dict.fromkeys(bar.text for lane in timeline.lanes for bar in lane.bars if bar.files)
    return {text: COLORS[number % len(COLORS)] for number, text in enumerate(texts)}


def _color(bar: Bar, colors: dict[str, str]) -> str:
    return colors[bar.text] if bar.files else NONE


def _summed(timeline: TypeTimeline) -> Iterator[Stretch]:
    """The rules of a type taken together: how many of them have a reference, from one new one to the next."""
    bars = [bar for lane in timeline.lanes for bar in lane.bars]
    begun = Counter(bar.start for bar in bars)
    ended = Counter(bar.end for bar in bars if bar.end is not None)
    moments = sorted({moment for moment in (*begun, *ended) if moment is not None})
    rules, valid = len(timeline.lanes), 0
    for number, (start, end) in enumerate(pairwise([None, *moments, None]), 1):
        valid += begun[start] - (ended[start] if start else 0)
        if valid:
            title = f"{valid} of {rules} rules have an answer, {begun[start]} a new one"
            name = f"{rules} rule{'s' * (rules != 1)}" if valid == rules else ""
            yield Stretch(start, end, title, SHADES[number % 2], valid / rules, name)


def _cut(rows: list[Row]) -> list[tuple[Row, ...]]:
    """Rows in parts of about the same length, one for each page; a heading comes again on each."""
    count = -(-len(rows) // ROWS_ON_A_PAGE)
    length = -(-len(rows) // count)
    parts = [tuple(rows[start : start + length]) for start in range(0, len(rows), length)]
    head = () if rows[0].stretches else (rows[0],)
    return [parts[0], *((*head, *part) for part in parts[1:])]


def _span(timelines: Sequence[TypeTimeline]) -> Span:
    """From the first date to the last, with margins; one date long before all others does not count."""
    bars = [bar for timeline in timelines for lane in timeline.lanes for bar in lane.bars]
    moments = sorted({m for bar in bars for m in (bar.start, bar.end) if m is not None})
    if not moments:
        moments = [datetime(2000, 1, 1)]
    while len(moments) > 2 and moments[1] - moments[0] > 2 * (moments[-1] - moments[1]):
        del moments[0]
    first, last = moments[0], moments[-1]
    margin = max((last - first) / 16, 30 * _DAY)
    earliest, latest = datetime(1, 1, 2) + margin, datetime(9999, 12, 30) - margin
    return Span(max(first, earliest) - margin, min(last, latest) + 1.5 * margin)
