"""Drawing with matplotlib: figures that are rastered without a window, text that is never a formula."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.errors import ParameterError
from reduce.quicklook.groups import GROUPS
from reduce.quicklook.views import View

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Picture: TypeAlias = NDArray[np.uint8]
"""Rows, columns, and red, green and blue."""
WIDTH = 11.5
"""Of all figures, inches."""
_DPI = 100
_NO_DATA = "#4a5878"
_FAINTEST = 0.2
_LONGEST = 8
"""How many times longer than wide an image may be to be drawn with square pixels."""


def require() -> None:
    """Make sure that there is something to draw with.

    Raises
    ------
    ParameterError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as problem:
        raise ParameterError(
            "pictures need matplotlib, which is not installed", "pip install 'calmap-toolkit[reduce]'"
        ) from problem


@contextmanager
def style() -> Iterator[None]:
    """The same look everywhere, whatever somebody has set; no words about letters that the font lacks."""
    require()
    from matplotlib.style import context

    with context("default"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def figure(height: float) -> Figure:
    """An empty figure of the usual width, `height` inches high; what it holds is placed in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), dpi=_DPI)


def axes_at(drawn: Figure, place: tuple[float, float, float, float], **options: Any) -> Any:
    """Axes somewhere: left, bottom, width and height in inches."""
    left, bottom, width, height = place
    whole = drawn.get_figheight()
    return drawn.add_axes((left / WIDTH, bottom / whole, width / WIDTH, height / whole), **options)


def image_axes(
    drawn: Figure, left: float, bottom: float, side: float, *, wcs: WCS | None = None
) -> tuple[Any, Any]:
    """Axes for an image, square, and for its scale beside it."""
    options = {} if wcs is None else {"projection": wcs}
    return (
        axes_at(drawn, (left, bottom, side, side), **options),
        axes_at(drawn, (left + side + 0.1, bottom, 0.12, side)),
    )


def raster(drawn: Figure) -> Picture:
    """A figure as pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(drawn)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[:, :, :3]


def png(*pictures: Picture) -> bytes:
    """Pictures below each other; the same bytes every time."""
    from matplotlib.image import imsave

    buffer = BytesIO()
    nothing_of_us: Any = {"Software": None}
    imsave(buffer, np.concatenate(pictures), format="png", metadata=nothing_of_us)
    return buffer.getvalue()


def plain(text: str) -> str:
    """A text that can be drawn: in one line, without control characters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def wrapped(text: str, width: int, lines: int) -> str:
    """A text in so many lines at most; what is left out of its middle is shown by dots."""
    text = plain(text)
    room = width * lines
    if len(text) > room:
        half = room // 2 - 1
        text = f"{text[:half]}…{text[-half:]}"
    return "\n".join(wrap(text, width, break_on_hyphens=False) or [""])


def titled(axes: Axes, text: str, *, size: float = 9) -> None:
    """Give axes a title."""
    words = "\n".join(plain(line) for line in text.splitlines())
    axes.set_title(words, fontsize=size, parse_math=False)


def labelled(axes: Axes, across: str = "", up: str = "") -> None:
    """Give axes labels, and small numbers."""
    axes.set_xlabel(plain(across), fontsize=8, parse_math=False)
    axes.set_ylabel(plain(up), fontsize=8, parse_math=False)
    axes.tick_params(labelsize=7)


def nothing(axes: Axes, text: str) -> None:
    """Words instead of a picture."""
    axes.set_axis_off()
    words = wrapped(text, 44, 6)
    axes.text(
        0.5, 0.5, words, ha="center", va="center", fontsize=9, transform=axes.transAxes, parse_math=False
    )


def draw(axes: Axes, bar: Axes | None, shown: View, *, flags: bool = False) -> None:
    """An image in grey with its scale; with `flags` also the flagged pixels in the colours of their groups.

    Coordinates are those of FITS, from 1; on axes with sky coordinates those of astropy, from 0.
    """
    where = _where(axes, shown)
    drawn = axes.imshow(shown.image, cmap=_map("gray"), vmin=shown.low, vmax=shown.high, **where)
    if flags:
        axes.imshow(overlay(shown), **where)
    axes.tick_params(labelsize=7)
    if bar is not None:
        _scale(bar, drawn, shown.unit)


def draw_flags(axes: Axes, shown: View) -> None:
    """Flagged pixels alone, on white."""
    axes.imshow(overlay(shown), **_where(axes, shown))
    axes.set_facecolor("white")
    axes.tick_params(labelsize=7)


def _scale(bar: Axes, drawn: Any, unit: str) -> None:
    scale = bar.figure.colorbar(drawn, cax=bar)
    scale.set_label(plain(unit), fontsize=8, parse_math=False)
    bar.tick_params(labelsize=7)
    bar.yaxis.get_offset_text().set_fontsize(7)


def difference(axes: Axes, bar: Axes, before: View, after: View) -> None:
    """What was added to an image, red and blue; or words if nothing was, or it can't be said."""
    words = _no_difference(before, after)
    if words:
        nothing(axes, words)
        bar.set_axis_off()
        return
    added = after.image - before.image
    known = np.abs(added[np.isfinite(added)])
    limit = float(np.percentile(known, 99)) or float(known.max())
    drawn = axes.imshow(added, cmap=_map("RdBu_r"), vmin=-limit, vmax=limit, **_where(axes, after))
    axes.tick_params(labelsize=7)
    _scale(bar, drawn, after.unit)


def _no_difference(before: View, after: View) -> str:
    if before.unit != after.unit:
        return f"from {before.unit or 'no unit'} to {after.unit or 'no unit'}"
    if before.image.shape != after.image.shape:
        return f"from {before.shape[1]} × {before.shape[0]} to {after.shape[1]} × {after.shape[0]} pixels"
    added = after.image - before.image
    return "" if (added[np.isfinite(added)] != 0).any() else "no value changed"


def overlay(shown: View) -> NDArray[np.float32]:
    """Colours of flagged pixels, the stronger the more of them are in a cell; (rows, columns, 4)."""
    from matplotlib.colors import to_rgb

    colors = np.array([to_rgb(group.color) for group in GROUPS], dtype=np.float32)
    result = np.zeros((*shown.share.shape, 4), dtype=np.float32)
    result[..., :3] = colors[shown.group]
    result[..., 3] = np.where(shown.share > 0, _FAINTEST + (1 - _FAINTEST) * np.sqrt(shown.share), 0)
    return result


def legend(axes: Axes, shown: View) -> None:
    """What the colours of flagged pixels mean, below the axes."""
    from matplotlib.patches import Patch

    present = np.unique(shown.group[shown.share > 0])
    handles = [Patch(color=GROUPS[number].color, label=GROUPS[number].name) for number in present]
    if handles:
        axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.07),
            ncols=min(4, len(handles)),
            fontsize=7,
            frameon=False,
            handlelength=1,
            columnspacing=1,
        )


def _where(axes: Axes, shown: View) -> dict[str, Any]:
    """How a small image is drawn: over the pixels of the whole that it shows."""
    rows, columns = (length * size for length, size in zip(shown.image.shape, shown.cell, strict=True))
    first = -0.5 if hasattr(axes, "coords") else 0.5
    square = max(shown.shape) <= _LONGEST * min(shown.shape)
    return {
        "extent": (first, first + columns, first, first + rows),
        "origin": "lower",
        "interpolation": "nearest",
        "aspect": "equal" if square else "auto",
    }


def _map(name: str) -> Any:
    from matplotlib import colormaps

    return colormaps[name].with_extremes(bad=_NO_DATA)
