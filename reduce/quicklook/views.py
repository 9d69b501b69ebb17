"""What is shown of a frame: small images with their stretch, and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.dq import DEFINITIONS, DQ, flagged
from reduce.frame import Frame, Ramp
from reduce.pipeline import Data
from reduce.provenance import StepRecord
from reduce.step import Step

SIZE = 512
"""Pixels of a small image along its longer side."""
_SAMPLE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A small image.

    Parameters
    ----------
    title
        What it is.
    image
        Means of the good pixels of each cell, (rows, columns); not a number where none is good.
    low, high
        Values that are shown black and white, by the zscale algorithm of IRAF.
    unit
        Unit of the values.
    bad
        Share of the pixels of each cell that may not be used.
    shape
        Of the whole image.
    """

    title: str
    image: NDArray[np.float32]
    low: float
    high: float
    unit: str
    bad: NDArray[np.float32]
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a step did to a frame."""

    record: StepRecord
    before: View | None
    after: View


def view(data: Data, title: str) -> View:
    """A frame, or what a ramp gained from its first to its last read."""
    image, bad = _image(data)
    every = max(1, -(-max(image.shape) // SIZE))
    small, share = _cells(image, bad, every)
    low, high = stretch(small)
    rows, columns = image.shape
    return View(title, small, low, high, data.unit, share, (rows, columns))


def _image(data: Data) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if isinstance(data, Frame):
        return data.sci, flagged(data.dq, DQ.DO_NOT_USE)
    return gained(data), flagged(data.pixeldq, DQ.DO_NOT_USE)


def gained(ramp: Ramp) -> NDArray[np.float32]:
    """Last minus first read of the first group, (ny, nx)."""
    rows, columns = ramp.shape
    image = np.empty((rows, columns), dtype=np.float32)
    for first in range(0, rows, 256):
        block = np.asarray(ramp.reads[slice(first, min(first + 256, rows))])[:, :, 0]
        image[first : first + block.shape[0]] = block[:, :, -1].astype(np.float32) - block[:, :, 0]
    return image


def _cells(
    image: NDArray[Any], bad: NDArray[np.bool_], every: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means of good pixels over cells, and the share of bad ones; what is left over at the edges is cut."""
    rows, columns = (max(1, length // every) for length in image.shape)
    height, width = min(image.shape[0], rows * every), min(image.shape[1], columns * every)
    bad = bad[:height, :width] | ~np.isfinite(image[:height, :width])
    values = np.where(bad, 0, image[:height, :width])
    cells = (rows, height // rows, columns, width // columns)
    good = (~bad).reshape(cells).sum(axis=(1, 3))
    total = values.reshape(cells).sum(axis=(1, 3), dtype=np.float64)
    mean = np.where(good > 0, total / np.maximum(good, 1), np.nan)
    share = bad.reshape(cells).mean(axis=(1, 3))
    return mean.astype(np.float32), share.astype(np.float32)


def stretch(image: NDArray[Any]) -> tuple[float, float]:
    """Limits of the grey scale; 0 and 1 for an image without a good pixel."""
    from astropy.visualization import ZScaleInterval

    values = image[np.isfinite(image)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(limit) for limit in ZScaleInterval().get_limits(values))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def sample(frame: Frame) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values and errors of good pixels; of a large frame a regular sample."""
    every = max(1, round((frame.sci.size / _SAMPLE) ** 0.5))
    good = ~flagged(frame.dq[::every, ::every], DQ.DO_NOT_USE)
    return frame.sci[::every, ::every][good], frame.err[::every, ::every][good]


def counted(frame: Frame) -> dict[str, int]:
    """Number of pixels with each quality bit that occurs."""
    counts = {one.name: int(flagged(frame.dq, DQ(one.value)).sum()) for one in DEFINITIONS}
    return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True, slots=True)
class Collector:
    """Sees the steps of a reduction and keeps a small image before and after each; see `Watcher`."""

    changes: list[Change] = field(default_factory=list)

    def begun(self, step: Step) -> None:
        """See `reduce.pipeline.Watcher`."""

    def rows(self, done: int, total: int) -> None:
        """See `reduce.pipeline.Watcher`."""

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """Keep what a step on a frame did."""
        if record.status != "COMPLETE" or not isinstance(after, Frame):
            return
        earlier = self.changes[-1].after if self.changes and isinstance(before, Frame) else None
        self.changes.append(Change(record, earlier or view(before, "before"), view(after, "after")))
