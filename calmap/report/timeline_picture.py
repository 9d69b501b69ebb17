"""Rows of bars over a time axis, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from calmap.report.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = (
    *("#4477aa", "#66ccee", "#228833", "#ccbb44", "#aa3377", "#99aadd", "#44aa99", "#ddaa33"),
    *("#882255", "#77bbaa"),
)
SHADES = ("#4477aa", "#7b9dc0")
GAP, NONE, _INK = "#f6dede", "#dddddd", "#333333"
_LIGHT = frozenset({NONE, "#66ccee", "#ccbb44", "#99aadd", "#ddaa33", "#77bbaa"})
_WIDTH, _ROW, _FRAME = 13.33, 0.27, 1.4
_LEFT, _ROOM = 0.26, 0.715
_LABEL, _HEADING = 42, 140
_LETTER, _THIN = 0.07, 0.05
_STYLE: Any = {
    "svg.hashsalt": "calmap",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": "#999999",
}


class Stretch(NamedTuple):
    """A piece of a row: from when to when, what it is, its colour, how much of it there is, its name."""

    start: datetime | None
    end: datetime | None
    title: str
    color: str
    share: float = 1.0
    name: str = ""


class Row(NamedTuple):
    """A row of the picture; one without stretches is a heading."""

    label: str
    stretches: tuple[Stretch, ...] = ()


class Span(NamedTuple):
    """The time that is shown."""

    start: datetime
    end: datetime

    def clip(self, moment: datetime | None, otherwise: datetime) -> datetime:
        """A moment moved into the span; what an open end comes to."""
        return otherwise if moment is None else min(max(moment, self.start), self.end)


def picture(rows: Sequence[Row], span: Span, title: str, form: str) -> bytes:
    """Rows under a title, as the bytes of a ``png`` or an ``svg``."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with style.context(["default", _STYLE]):
        height = _FRAME + _ROW * len(rows)
        figure = Figure(figsize=(_WIDTH, height), dpi=120)
        canvas = FigureCanvasAgg(figure) if form == "png" else FigureCanvasSVG(figure)
        top, bottom = 1 - 0.9 / height, 0.5 / height
        axes = figure.add_axes((_LEFT, bottom, _ROOM, top - bottom))
        titles = _Drawing(axes, rows, span).draw()
        figure.text(0.012, 1 - 0.33 / height, printable(title), fontsize=14, weight="bold", color=_INK)
        said = "validity of references over time"
        figure.text(0.012, 1 - 0.56 / height, said, fontsize=9.5, color="#666666")
        _legend(figure, summed=bool(rows[0].stretches))
        out = BytesIO()
        metadata = {"Software": None} if form == "png" else {"Date": None, "Creator": None}
        canvas.print_figure(out, format=form, metadata=metadata)
    data = out.getvalue()
    return data if form == "png" else _titled(data.decode("utf-8"), titles).encode("utf-8")


class _Drawing:
    """Rows drawn on axes."""

    def __init__(self, axes: Axes, rows: Sequence[Row], span: Span) -> None:
        self.axes = axes
        self.rows = rows
        self.span = span
        self.titles: dict[str, str] = {}

    def draw(self) -> dict[str, str]:
        """Draw; what is to be told of each part, by its id."""
        axes = self.axes
        axes.set_xlim(self._number(self.span.start), self._number(self.span.end))
        axes.set_ylim(len(self.rows) - 0.4, -0.6)
        for number, row in enumerate(self.rows):
            if row.stretches:
                self._row(number, row)
            else:
                axes.axhspan(number - 0.5, number + 0.5, color="#eef2f6", zorder=0)
        self._labels()
        axes.grid(axis="x", color="#cccccc", linewidth=0.6, zorder=1)
        axes.tick_params(axis="x", top=True, labeltop=len(self.rows) > 20, length=3)
        axes.tick_params(axis="y", length=0)
        for side in ("left", "right"):
            axes.spines[side].set_visible(False)
        axes.xaxis_date()
        return self.titles

    def _labels(self) -> None:
        self.axes.set_yticks(range(len(self.rows)), [_shortened(row.label) for row in self.rows], fontsize=8)
        for label, row in zip(self.axes.get_yticklabels(), self.rows, strict=True):
            if not row.stretches:
                label.set_visible(False)
        for number, row in enumerate(self.rows):
            if not row.stretches:
                place = self.axes.get_yaxis_transform()
                text = _shortened(row.label, _HEADING)
                self.axes.text(
                    -0.347,
                    number,
                    text,
                    transform=place,
                    weight="bold",
                    va="center",
                    color=_INK,
                    clip_on=False,
                )

    def _row(self, number: int, row: Row) -> None:
        first = row.stretches[0].start
        if any(stretch.share < 1 for stretch in row.stretches):
            self._bar(number, Span(self.span.start, self.span.end), GAP, hatch="////")
        elif first is not None and first > self.span.start:
            self._bar(number, Span(self.span.start, first), GAP, hatch="////")
        for stretch in row.stretches:
            self._stretch(number, stretch)

    def _stretch(self, number: int, stretch: Stretch) -> None:
        part = Span(
            self.span.clip(stretch.start, self.span.start), self.span.clip(stretch.end, self.span.end)
        )
        if part.start < part.end:
            hatch = "...." if stretch.color == NONE else ""
            drawn = self._bar(number, part, stretch.color, hatch=hatch, share=stretch.share)
            name = f"calmap-{len(self.titles)}"
            drawn.set_gid(name)
            self.titles[name] = printable(f"{stretch.title}, {_when(stretch)}")
            self._name(number, stretch, part)
        self._ends(number, stretch)

    def _bar(self, number: int, part: Span, color: str, *, hatch: str, share: float = 1.0) -> Any:
        from matplotlib.patches import Rectangle

        left, right = self._number(part.start), self._number(part.end)
        height = 0.72 * max(share, 0.12)
        edge = {GAP: "#e0a0a0", NONE: "#aaaaaa"}.get(color, "white")
        patch = Rectangle(
            (left, number + 0.36 - height),
            right - left,
            height,
            facecolor=color,
            hatch=hatch or None,
            edgecolor=edge,
            linewidth=0.7 if self._inches(part) > _THIN else 0,
            zorder=2,
        )
        self.axes.add_artist(patch)
        return patch

    def _ends(self, number: int, stretch: Stretch) -> None:
        """Arrows where an end is open, or beyond the edge."""
        ends = []
        if stretch.start is None or stretch.start < self.span.start:
            ends.append((self.span.start, "<"))
        if stretch.end is None:
            ends.append((self.span.end, ">"))
        for moment, marker in ends:
            self.axes.plot(
                [self._number(moment)],
                [number],
                marker=marker,
                color=_INK,
                markersize=5,
                clip_on=False,
                zorder=4,
                linestyle="none",
            )

    def _name(self, number: int, stretch: Stretch, part: Span) -> None:
        """The name in the bar, if there is room."""
        text = printable(stretch.name)
        if not text or len(text) * _LETTER > self._inches(part) - 0.1:
            return
        middle = (self._number(part.start) + self._number(part.end)) / 2
        ink = _INK if stretch.color in _LIGHT else "white"
        self.axes.text(middle, number, text, ha="center", va="center", fontsize=7, color=ink, zorder=5)

    def _inches(self, part: Span) -> float:
        return (part.end - part.start) / (self.span.end - self.span.start) * _WIDTH * _ROOM

    def _number(self, moment: datetime) -> float:
        from matplotlib import dates

        convert: Any = dates.date2num
        return float(convert(moment))


def _when(stretch: Stretch) -> str:
    start = f"from {stretch.start}" if stretch.start else "from the beginning"
    return f"{start} until {stretch.end}" if stretch.end else f"{start} on"


def _shortened(label: str, length: int = _LABEL) -> str:
    text = printable(label)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _legend(figure: Any, *, summed: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    known = "share of the rules with an answer" if summed else "a reference (a colour for each file)"
    handles: list[Any] = [Patch(facecolor=COLORS[0], label=known)]
    if not summed:
        handles.append(Patch(facecolor=NONE, edgecolor="#aaaaaa", hatch="....", label="not applicable"))
    handles += [
        Patch(facecolor=GAP, edgecolor="#e0a0a0", hatch="////", label="no reference yet"),
        Line2D([], [], marker=">", color=_INK, linestyle="none", markersize=5, label="open end"),
    ]
    figure.legend(handles=handles, loc="upper right", ncols=len(handles), frameon=False, fontsize=9)


def _titled(svg: str, titles: dict[str, str]) -> str:
    """A drawing in which parts tell what they are when they are pointed at."""
    for name, title in titles.items():
        svg = svg.replace(f'<g id="{name}">', f'<g id="{name}"><title>{escape(title)}</title>', 1)
    return svg
