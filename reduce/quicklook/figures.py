"""Figures with matplotlib, as bytes of PNG."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from reduce.errors import ParameterError
from reduce.frame import Frame, Ramp
from reduce.pipeline import Data
from reduce.quicklook.views import Change, View, counted, gained, sample, view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GREY, _BAD = "gray", (0.85, 0.1, 0.1)
_BARS = 12


def overview(data: Data, title: str) -> bytes:
    """The image, its bad pixels, its values and its quality bits: a PNG."""
    figure = _figure(11, 8.5)
    axes = figure.subplots(2, 2)
    shown = view(data, title)
    draw(axes[0, 0], shown)
    draw(axes[0, 1], shown, bad=True)
    axes[0, 1].set_title("pixels that may not be used, in red", fontsize=9)
    if isinstance(data, Frame):
        _values(axes[1, 0], data)
        _flags(axes[1, 1], data)
    else:
        _gains(axes[1, 0], data)
        _ramps(axes[1, 1], data)
    figure.suptitle(title, fontsize=11)
    return _png(figure)


def steps(changes: Sequence[Change]) -> bytes:
    """The frame before and after each step, a row each: a PNG."""
    figure = _figure(9, 3.9 * len(changes))
    rows = figure.subplots(len(changes), 2, squeeze=False)
    for (left, right), change in zip(rows, changes, strict=True):
        if change.before is None:
            left.set_axis_off()
        else:
            draw(left, change.before)
        draw(right, change.after)
        left.set_title(f"before {change.record.step}", fontsize=9)
        right.set_title(f"after {change.record.step}", fontsize=9)
    return _png(figure)


def change(one: Change) -> bytes:
    """The frame before and after one step: a PNG."""
    return steps([one])


def draw(axes: Axes, shown: View, *, bad: bool = False) -> None:
    """An image with its grey scale; coordinates are those of FITS, from 1."""
    extent = (0.5, shown.shape[1] + 0.5, 0.5, shown.shape[0] + 0.5)
    picture = axes.imshow(
        shown.image,
        cmap=_GREY,
        vmin=shown.low,
        vmax=shown.high,
        origin="lower",
        extent=extent,
        interpolation="nearest",
    )
    if bad:
        overlay = np.zeros((*shown.bad.shape, 4), dtype=np.float32)
        overlay[..., :3] = _BAD
        overlay[..., 3] = np.where(shown.bad > 0, 0.35 + 0.65 * shown.bad, 0)
        axes.imshow(overlay, origin="lower", extent=extent, interpolation="nearest")
    axes.tick_params(labelsize=7)
    bar = axes.figure.colorbar(picture, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(shown.unit, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _values(axes: Axes, frame: Frame) -> None:
    sci, err = sample(frame)
    if sci.size == 0:
        _nothing(axes, "no good pixels")
        return
    low, high = np.percentile(sci, (0.5, 99.5))
    axes.hist(sci, bins=128, range=(float(low), float(high) or 1.0), color="0.35", label="values")
    axes.set_yscale("log")
    axes.set_xlabel(frame.unit or "value", fontsize=8)
    axes.set_ylabel("good pixels", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.set_title(f"median {np.median(sci):.5g}, median error {np.median(err):.3g}", fontsize=9)


def _flags(axes: Axes, frame: Frame) -> None:
    counts = sorted(counted(frame).items(), key=lambda pair: -pair[1])[:_BARS]
    if not counts:
        _nothing(axes, "no quality bit is set")
        return
    names = [name for name, _ in counts]
    axes.barh(names, [100 * count / frame.sci.size for _, count in counts], color=_BAD)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("pixels, %", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.set_title("quality bits", fontsize=9)


def _gains(axes: Axes, ramp: Ramp) -> None:
    values = gained(ramp)
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, (0.5, 99.5)) if values.size else (0, 1)
    axes.hist(
        values, bins=128, range=(float(low), float(high) if high > low else float(low) + 1), color="0.35"
    )
    axes.set_yscale("log")
    axes.set_xlabel(f"last minus first read, {ramp.unit}", fontsize=8)
    axes.tick_params(labelsize=7)


def _ramps(axes: Axes, ramp: Ramp) -> None:
    """Medians and percentiles of the reads of the middle rows over time."""
    middle = ramp.shape[0] // 2
    reads = np.asarray(ramp.reads[slice(max(0, middle - 16), middle + 16)])[:, :, 0].astype(np.float64)
    for percentile in (1, 50, 99):
        axes.plot(
            ramp.times[0],
            np.nanpercentile(reads, percentile, axis=(0, 1)),
            "o-",
            ms=3,
            label=f"{percentile} %",
        )
    axes.set_xlabel("s since the reset", fontsize=8)
    axes.set_ylabel(ramp.unit, fontsize=8)
    axes.legend(fontsize=7, title="percentile of the middle rows", title_fontsize=7)
    axes.tick_params(labelsize=7)


def _nothing(axes: Axes, text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center")


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        raise ParameterError(
            "pictures need matplotlib, which is not installed", "pip install 'calmap-toolkit[reduce]'"
        ) from problem
    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()
