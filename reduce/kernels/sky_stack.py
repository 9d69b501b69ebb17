"""Combination of frames that differ by a factor."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image, Mask
from reduce.dq import DQ, flagged
from reduce.kernels.acceleration import available, in_blocks
from reduce.kernels.order_statistics import median_variance
from reduce.kernels.planes import float_type

Method = Literal["mean", "median"]

_MAD_TO_SIGMA = 1.482602218505602
_CLIP_ROUNDS = 2
_SAMPLE = 1_000_000
_ROWS = 16


class Stack(NamedTuple):
    """Frames of the same sky.

    Parameters
    ----------
    sci, variance, dq, masks
        Each (n, ny, nx).
    levels
        What to divide each frame by, (n,).
    used
        Which frames to combine; None for all.
    """

    sci: Image
    variance: Image
    dq: Flags
    masks: Mask
    levels: NDArray[np.float64]
    used: tuple[int, ...] | None = None


class _Values(NamedTuple):
    """Some rows of the frames over their levels: NaN where there is nothing to use; (n, rows, nx)."""

    values: Image
    variances: Image


def combined(stack: Stack, method: Method, clip: float) -> tuple[Image, Image, Flags]:
    """The mean or median of frames over their levels, its variance and DQ, each (ny, nx).

    Rows are taken in blocks, so that little more than the result is in memory.
    """
    used = tuple(range(len(stack.sci))) if stack.used is None else stack.used
    kind = float_type(stack.sci)
    shape = stack.sci.shape[1:]
    image, variance = np.empty(shape, dtype=kind), np.empty(shape, dtype=kind)
    flags = np.empty(shape, dtype=np.uint32)
    weights = np.array([_weight(stack, index) for index in used], dtype=kind)

    estimate = _estimate_fast if available() else _estimate_plain

    def work(rows: slice) -> None:
        with np.errstate(all="ignore"):
            some = _rows(stack, used, rows, kind)
            middle, square = estimate(some, weights, method, clip)
            empty = ~np.isfinite(middle) | ~np.isfinite(square)
            image[rows] = np.where(empty, 1, middle)
            variance[rows] = np.where(empty, 0, square)
            bits = np.stack([stack.dq[index, rows] for index in used]).astype(np.uint32, copy=False)
            usable = np.where(flagged(bits), ~np.uint32(0), bits)
            common = np.bitwise_and.reduce(usable, axis=0)
            every = np.bitwise_or.reduce(bits, axis=0) | np.uint32(DQ.DO_NOT_USE)
            flags[rows] = np.where(empty, every, common)

    in_blocks(shape[0], work, size=_ROWS)
    return image, variance, flags


def _estimate_plain(some: _Values, weights: Image, method: Method, clip: float) -> tuple[Image, Image]:
    """The combination of some rows and its variance, each (rows, nx); NaN where there is nothing."""
    some.values[_outliers(some, clip)] = np.nan
    kept = np.isfinite(some.values)
    count = np.count_nonzero(kept, axis=0)
    if method == "mean":
        share = np.where(kept, weights[:, None, None], weights.dtype.type(0))
        share /= share.sum(axis=0)
        middle = np.sum(share * some.values, axis=0, where=kept)
        square = np.sum(share**2 * some.variances, axis=0, where=kept)
    else:
        middle = _median(some.values)
        precision = np.sum(1 / np.sqrt(some.variances), axis=0, where=kept)
        square = (_median_factors(len(weights))[count] / precision**2).astype(precision.dtype)
    middle[count == 0] = np.nan
    return middle, square


def _estimate_fast(some: _Values, weights: Image, method: Method, clip: float) -> tuple[Image, Image]:
    """The same, compiled."""
    from reduce.kernels.sky_stack_fast import estimate

    middle, square = np.empty_like(some.values[0]), np.empty_like(some.values[0])
    numbers = np.array([0.5, clip, _MAD_TO_SIGMA, 0.0, 1.0], dtype=weights.dtype)
    factors = _median_factors(len(weights))
    estimate(*some, weights, factors, method == "mean", _CLIP_ROUNDS, numbers, middle, square)
    return middle, square


def _median_factors(most: int) -> NDArray[np.float64]:
    """n² times the variance of the median of n unit Gaussians, for n from 0 on."""
    return np.array([0.0, *(n**2 * median_variance(n) for n in range(1, most + 1))])


def _weight(stack: Stack, index: int) -> float:
    """L² over a frame's typical variance.

    One weight for all pixels of a frame: weights from each pixel's own variance, which is known from its own
    counts, would favour pixels that happen to be low.
    """
    step = max(1, int(np.sqrt(stack.variance[index].size / _SAMPLE)))
    some = stack.variance[index, ::step, ::step]
    good = (some > 0) & np.isfinite(some)
    typical = float(np.median(some[good])) if good.any() else 1.0
    return float(stack.levels[index]) ** 2 / typical


def _rows(stack: Stack, used: tuple[int, ...], rows: slice, kind: np.dtype[np.floating]) -> _Values:
    """Some rows of the frames that are used."""
    values = np.empty((len(used), *stack.sci[0, rows].shape), dtype=kind)
    variances = np.empty_like(values)
    for place, index in enumerate(used):
        level = float(stack.levels[index])
        values[place] = stack.sci[index, rows] / level
        variances[place] = stack.variance[index, rows] / level**2
        hidden = stack.masks[index, rows] | flagged(stack.dq[index, rows])
        hidden |= ~((variances[place] >= 0) & (variances[place] < np.inf))
        values[place][hidden] = np.nan
    values[np.isinf(values)] = np.nan
    return _Values(values, variances)


def _outliers(some: _Values, clip: float) -> Mask:
    """Values further from the median than a number of standard deviations."""
    found = np.zeros(some.values.shape, dtype=np.bool_)
    for _ in range(_CLIP_ROUNDS):
        left = np.where(found, np.nan, some.values) if found.any() else some.values
        distance = np.abs(some.values - _median(left))
        scatter = _MAD_TO_SIGMA * _median(np.where(found, np.nan, distance))
        new = distance > clip * np.maximum(np.sqrt(some.variances), scatter)
        if np.array_equal(new, found):
            break
        found = new
    return found


def _median(values: Image) -> Image:
    """The median along the first axis of what is not NaN; NaN where nothing is left."""
    count = np.count_nonzero(~np.isnan(values), axis=0)[None]
    ordered = np.sort(values, axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=0)
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1), axis=0)
    middle: Image = ((low + high) / 2)[0]
    return middle
