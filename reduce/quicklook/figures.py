"""Pictures of a file: what is in it, what each step did, and which references were used and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reduce.quicklook.collector import Change
from reduce.quicklook.drawing import (
    WIDTH,
    Picture,
    axes_at,
    difference,
    draw,
    draw_flags,
    figure,
    image_axes,
    labelled,
    legend,
    nothing,
    plain,
    raster,
    titled,
    wrapped,
)
from reduce.quicklook.subject import PERCENTILES, Panel, Subject
from reduce.quicklook.views import Glance, widened
from reduce.quicklook.words import about, number, percent, use_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BARS, _BINS = 12, 128
_ROW, _HEAD = 3.15, 0.75
_COLUMNS = 150
"""Letters of the small type that fit beside each other."""


def overview(subject: Subject) -> Picture:
    """The images of a file, its flagged pixels, values and quality bits."""
    drawn = _images(subject) if subject.kind == "images" else _image(subject)
    words = f"{wrapped(subject.name, 110, 3)}\n{wrapped(about(subject), 130, 2)}"
    top = 1 - 0.08 / drawn.get_figheight()
    drawn.text(0.5, top, words, fontsize=10, ha="center", va="top", linespacing=1.3, parse_math=False)
    return raster(drawn)


def steps(changes: Sequence[Change]) -> Iterator[Picture]:
    """Before and after each step, and the difference, a picture each."""
    for count, one in enumerate(changes, 1):
        drawn = figure(_ROW)
        before, after, change = (_place(drawn, column) for column in range(3))
        draw(*before, one.before)
        draw(*after, one.after, flags=True)
        difference(*change, one.before, one.after)
        step, was, now = one.record.step, percent(one.before.unusable), percent(one.after.unusable)
        titled(before[0], f"{count}. before {step}")
        titled(after[0], f"after {step}" + (f", unusable {was} → {now}" if was != now else ""))
        titled(change[0], "after minus before")
        yield raster(drawn)


def _place(drawn: Figure, column: int) -> tuple[Axes, Axes]:
    """Axes for an image in a column of three, and for its scale."""
    return image_axes(drawn, 0.45 + column * (WIDTH - 0.1) / 3, 0.3, 2.55)


def references(subject: Subject, note: str) -> Picture:
    """The references that were used and why, as text; and why steps are not shown."""
    lines = [*use_lines(subject.provenance), *([note] if note else [])]
    folded = [piece for line in lines for piece in _folded(line)]
    drawn = figure(0.3 + 0.134 * len(folded))
    text = "\n".join(folded)
    drawn.text(
        0.015,
        1 - 0.1 / drawn.get_figheight(),
        text,
        fontsize=8,
        va="top",
        family="monospace",
        parse_math=False,
    )
    return raster(drawn)


def _folded(line: str) -> list[str]:
    text = plain(line)
    indent = " " * (len(text) - len(text.lstrip()) + 4)
    return wrap(text, _COLUMNS, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _image(subject: Subject) -> Figure:
    """A frame or a ramp."""
    drawn, seen = figure(9.2), subject.main
    first, bar = image_axes(drawn, 0.9, 4.45, 3.75, wcs=subject.wcs)
    draw(first, bar, seen.view)
    if subject.wcs is not None:
        _sky(first)
    titled(first, f"{subject.panels[0].title}, zscale")
    _flagged(axes_at(drawn, (6.9, 4.45, 3.75, 3.75)), seen)
    _values(axes_at(drawn, (0.75, 0.55, 4.6, 2.9)), seen)
    if subject.curves is None:
        _bits(axes_at(drawn, (7.2, 0.55, 4.1, 2.9)), seen)
    else:
        _reads(axes_at(drawn, (6.6, 0.55, 4.7, 2.9)), subject)
    return drawn


def _images(subject: Subject) -> Figure:
    """Images of a reference file."""
    seen = subject.main
    values = [panel for panel in subject.panels if not panel.mask]
    rows = -(-len(values) // 3)
    below = 4.0 if seen.counts or not values else 0.0
    drawn = figure(_HEAD + rows * (_ROW + 0.2) + below)
    for place, panel in enumerate(values):
        row, column = divmod(place, 3)
        left = 0.45 + column * (WIDTH - 0.1) / 3
        axes, bar = image_axes(drawn, left, below + (rows - 1 - row) * (_ROW + 0.2) + 0.4, 2.55)
        draw(axes, bar, panel.glance.view)
        titled(axes, _described(panel), size=8)
    if below:
        _flagged(axes_at(drawn, (1.2, 0.6, 3.0, 3.0)), seen, alone=not values)
        _bits(axes_at(drawn, (7.2, 0.6, 4.1, 2.9)), seen)
    return drawn


def _described(panel: Panel) -> str:
    values = panel.glance.values
    if not values.size:
        return f"{panel.title}\nno good pixels"
    low, middle, high = np.percentile(values, (1, 50, 99))
    return f"{panel.title}\nmedian {number(middle)}, from {number(low)} to {number(high)}"


def _sky(axes: Any) -> None:
    """Right ascension and declination along the edges."""
    for coordinate, name in zip(axes.coords, ("right ascension", "declination"), strict=False):
        coordinate.set_axislabel(name, fontsize=8)
        coordinate.set_ticks(number=4)
        coordinate.set_ticklabel(size=7, exclude_overlapping=True)


def _flagged(axes: Axes, seen: Glance, *, alone: bool = False) -> None:
    if alone:
        draw_flags(axes, seen.view)
        titled(axes, "flagged pixels")
    else:
        draw(axes, None, seen.view, flags=True)
        share = percent(seen.view.unusable)
        titled(axes, f"flagged pixels; {share} can't be used")
    legend(axes, seen.view)


def _values(axes: Axes, seen: Glance) -> None:
    """The histogram of good pixels."""
    values = seen.values
    if not values.size:
        nothing(axes, "no good pixels")
        return
    edges = bins(values)
    axes.hist(values, bins=edges.tolist(), color="0.35", log=True)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0.5)
    middle = float(np.median(values))
    axes.axvline(middle, color="#d55e00", lw=1)
    labelled(axes, seen.view.unit or "value", "good pixels")
    outside = int(np.count_nonzero((values < edges[0]) | (values > edges[-1])))
    beyond = f"; {percent(outside / values.size)} beyond" if outside else ""
    error = f", median error {number(float(np.median(seen.errors)))}" if seen.errors.size else ""
    titled(axes, f"median {number(middle)}{error}{beyond}")
    axes.xaxis.get_offset_text().set_fontsize(7)


def bins(values: NDArray[Any]) -> NDArray[np.float64]:
    """Edges of the bins of a histogram, around the values but for a few that lie far off."""
    low, middle, high = (float(value) for value in np.percentile(values, (0.5, 50, 99.5)))
    margin = 0.1 * (high - low)
    low, high = max(float(values.min()), low - margin), min(float(values.max()), high + margin)
    low, high = widened(low, high) if high > low else _around(middle)
    if high - low <= _BINS and (values == np.round(values)).all():
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    return np.linspace(low, high, _BINS + 1)


def _around(value: float) -> tuple[float, float]:
    half = max(0.5, 1e-3 * abs(value))
    return value - half, value + half


def _bits(axes: Axes, seen: Glance) -> None:
    """How many pixels have each quality bit."""
    counts = sorted(seen.counts.items(), key=lambda pair: -pair[1])[:_BARS]
    if not counts:
        nothing(axes, "no quality bit is set")
        return
    total = seen.view.shape[0] * seen.view.shape[1]
    shares = [100 * count / total for _, count in counts]
    bars = axes.barh([name for name, _ in counts], shares, color="0.55", height=0.7)
    axes.bar_label(bars, [f" {count}" for _, count in counts], fontsize=7)
    axes.set_ylim(max(5, len(counts)) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.set_xlim(min(shares) / 10, 400 * max(1, max(shares) / 100))
    labelled(axes, "pixels, %")
    titled(axes, "quality bits")


def _reads(axes: Axes, subject: Subject) -> None:
    """Percentiles of the reads in the middle rows over time."""
    curves = subject.curves
    assert curves is not None
    for percentile, levels, color in zip(PERCENTILES, curves.levels, ("0.6", "0.1", "0.6"), strict=True):
        axes.plot(curves.times, levels, "o-", ms=3, lw=1, color=color, label=f"{percentile} %")
    which = f" of the first of {curves.groups} groups" if curves.groups > 1 else ""
    titled(axes, f"reads{which}, percentiles of the middle rows")
    labelled(axes, "seconds since the reset", subject.main.view.unit or "value")
    axes.legend(fontsize=7)
