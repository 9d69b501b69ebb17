"""What is shown of an image: a small one with its stretch, numbers, and the count of quality bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags
from reduce.dq import DEFINITIONS, DQ, flagged
from reduce.frame import Frame, FrameRows
from reduce.quicklook.groups import GROUPS, members

SIZE = 512
"""Pixels of a small image along each side, at most."""
_SAMPLE = 1_000_000
_BLOCK = 256
_NOWHERE = -1e300, 1e300


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A small image.

    Parameters
    ----------
    image
        Means of the good pixels of each cell, (rows, columns); not a number where none is good.
    low, high
        Values that are shown black and white, by the zscale algorithm of IRAF.
    unit
        Unit of the values; empty if it is not known.
    group
        Number of the group of `reduce.quicklook.groups` that most flagged pixels of each cell are of.
    share
        Share of the pixels of each cell that are of this group.
    cell
        Rows and columns of a cell. What is left over at the edges is not shown.
    shape
        Of the whole image.
    unusable
        Share of the pixels that may not be used.
    """

    image: NDArray[np.float32]
    low: float
    high: float
    unit: str
    group: NDArray[np.uint8]
    share: NDArray[np.float32]
    cell: tuple[int, int]
    shape: tuple[int, int]
    unusable: float


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """An image and its numbers.

    Parameters
    ----------
    view
        What it looks like.
    values
        Of good pixels; of a large image a regular sample.
    errors
        Of the same pixels; none if there are no errors.
    counts
        Number of pixels with each quality bit that occurs.
    """

    view: View
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    counts: Mapping[str, int]


class Block(NamedTuple):
    """Some rows of an image, its quality bits and variances."""

    values: NDArray[Any]
    flags: Flags
    variance: NDArray[Any] | None = None


class _Part(NamedTuple):
    """What is kept of a block."""

    image: NDArray[np.float32]
    group: NDArray[np.uint8]
    share: NDArray[np.float32]
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    counts: NDArray[np.int64]


def look(frame: Frame | FrameRows) -> Glance:
    """A frame and its numbers, some rows of it at a time."""

    def block(rows: slice) -> Block:
        variance: Any = sum(np.asarray(each[rows]) for each in frame.variances.values())
        return Block(
            np.asarray(frame.sci[rows]), np.asarray(frame.dq[rows]), variance if frame.variances else None
        )

    return glance((block(rows) for rows in blocks(frame.shape)), frame.shape, frame.unit)


def view(frame: Frame | FrameRows) -> View:
    """What a frame looks like."""
    parts = (Block(np.asarray(frame.sci[rows]), np.asarray(frame.dq[rows])) for rows in blocks(frame.shape))
    return glance(parts, frame.shape, frame.unit).view


def cell_of(shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of a cell of the small image."""
    rows, columns = (-(-length // SIZE) for length in shape)
    return rows, columns


def blocks(shape: tuple[int, int]) -> Iterator[slice]:
    """Rows of an image that belong together: some whole cells."""
    every = cell_of(shape)[0]
    step = every * max(1, _BLOCK // every)
    for first in range(0, shape[0], step):
        yield slice(first, min(first + step, shape[0]))


def glance(given: Iterator[Block], shape: tuple[int, int], unit: str, *, mask: bool = False) -> Glance:
    """What blocks of rows show together; they are those of `blocks`, in order.

    With `mask` a pixel with any bit is shown as flagged, also one that may be used.
    """
    cell, every = cell_of(shape), max(1, round((shape[0] * shape[1] / _SAMPLE) ** 0.5))
    parts: list[_Part] = []
    first = 0
    for block in given:
        parts.append(_part(block, cell, every, -first % every, mask=mask))
        first += block.values.shape[0]
    image, group, share, values, errors = (
        np.concatenate([part[number] for part in parts]) for number in range(5)
    )
    totals = np.sum([part.counts for part in parts], axis=0)
    counts = {one.name: int(total) for one, total in zip(DEFINITIONS, totals, strict=True) if total}
    low, high = stretch(image)
    unusable = counts.get(str(DQ.DO_NOT_USE.name), 0) / (shape[0] * shape[1])
    shown = View(image, low, high, unit, group, share, cell, shape, unusable)
    return Glance(shown, values, errors, counts)


def small(values: NDArray[Any], flags: Flags, whole: tuple[int, int], unit: str) -> View:
    """What single pixels of an image look like, one of each cell."""
    part = _part(Block(values, flags), (1, 1), 1, 0)
    low, high = stretch(part.image)
    unusable = float(flagged(flags).mean())
    return View(part.image, low, high, unit, part.group, part.share, cell_of(whole), whole, unusable)


def _part(block: Block, cell: tuple[int, int], every: int, start: int, *, mask: bool = False) -> _Part:
    values, flags = block.values, block.flags
    bad = flagged(flags, DQ.DO_NOT_USE) | ~np.isfinite(values)
    good = _pooled(~bad, cell)
    total = _pooled(np.where(bad, 0, values), cell)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(good > 0, total / np.maximum(good, 1), np.nan).astype(np.float32)
    mean[~np.isfinite(mean)] = np.nan
    some = slice(start, None, every), slice(None, None, every)
    kept = ~bad[some]
    errors = np.zeros(0) if block.variance is None else np.sqrt(block.variance[some][kept].astype(np.float64))
    sample = np.clip(values[some][kept].astype(np.float64), *_NOWHERE)
    seen = np.where(flags, flags | np.uint32(DQ.DO_NOT_USE), flags) if mask else flags
    return _Part(mean, *_shown(seen, cell), sample, errors, _counted(flags))


def _pooled(array: NDArray[Any], cell: tuple[int, int]) -> NDArray[np.float64]:
    """Sums over cells."""
    height, width = cell
    rows, columns = array.shape[0] // height, array.shape[1] // width
    cut = array[: rows * height, : columns * width]
    if cell == (1, 1):
        return cut.astype(np.float64)
    flat = np.ascontiguousarray(cut).reshape(-1, width)
    across = flat[:, 0].astype(np.float64)
    for column in range(1, width):
        across += flat[:, column]
    total: NDArray[np.float64] = across.reshape(rows, height, columns).sum(axis=1)
    return total


def _shown(flags: Flags, cell: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The group that most flagged pixels of each cell are of, and the share that they have."""
    present = int(np.bitwise_or.reduce(flags, axis=None))
    shape = tuple(length // size for length, size in zip(flags.shape, cell, strict=True))
    group, most = np.zeros(shape, dtype=np.uint8), np.zeros(shape)
    for number, one in enumerate(GROUPS):
        if present & one.bits:
            count = _pooled(members(flags, one), cell)
            group[count > most] = number
            most = np.maximum(count, most)
    return group, (most / (cell[0] * cell[1])).astype(np.float32)


def _counted(flags: Flags) -> NDArray[np.int64]:
    """Number of pixels with each bit."""
    present = int(np.bitwise_or.reduce(flags, axis=None))
    return np.array(
        [np.count_nonzero(flags & np.uint32(one.value)) if present & one.value else 0 for one in DEFINITIONS],
        dtype=np.int64,
    )


def stretch(image: NDArray[Any]) -> tuple[float, float]:
    """Limits of the grey scale; 0 and 1 for an image without a good pixel."""
    from astropy.visualization import ZScaleInterval

    values = image[np.isfinite(image)].astype(np.float64)
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(limit) for limit in ZScaleInterval().get_limits(values))
    return widened(low, high)


def widened(low: float, high: float) -> tuple[float, float]:
    """Limits that differ enough to be told apart."""
    near = 1e-6 * max(abs(low), abs(high))
    if high - low > near:
        return low, high
    half = max(0.5, 1e3 * near)
    return low - half, low + half
