"""Cosmic rays that only dithered frames tell apart from stars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reduce.arrays import Image, Mask
from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.combine import Combined, Source, combine
from reduce.kernels.mosaic import DrizzleInput, PixelMap, drizzle_frames, pixel_area, placed

if TYPE_CHECKING:
    from astropy.wcs import WCS

_FEWEST = 3


def dither_outliers(
    frames: Sequence[DrizzleInput],
    output_wcs: WCS | None,
    shape: tuple[int, int],
    *,
    threshold: float = 5.0,
    gradient: float = 1.0,
    memory: float = 1e9,
) -> list[Mask]:
    """Where each frame differs from the median of all on the sky.

    Each frame is drizzled alone; the median of these is brought back to the frame, and a pixel is an outlier
    if it is farther from it than `threshold` σ plus `gradient` times the largest step of the median to
    a neighbour, which allows for blurring and small errors of position (Fruchter & Hook 2002, §8; Gonzaga
    et al. 2012, The DrizzlePac Handbook, §4.2.7). Nothing is told where fewer than three frames overlap. The
    values are flux in nominal pixels, see `drizzle_frames`.

    Parameters
    ----------
    frames
        Frames on one level: their sky subtracted or the same.
    output_wcs, shape
        The grid, as for `drizzle_frames`.
    threshold
        Standard deviations, above 0.
    gradient
        Not negative.
    memory
        Bytes of scratch space of the median; the drizzled frames are held besides.

    Returns
    -------
    list of Mask
        True for outliers, in the shape of each frame.
    """
    if not (threshold > 0 and gradient >= 0):
        raise ParameterError(f"threshold {threshold} and gradient {gradient} must be positive")
    if not frames:
        raise DataError("there are no frames to compare")
    alone = [drizzle_frames([frame], output_wcs, shape) for frame in frames]
    sources = [Source(one.sci, (one.variance,), one.dq) for one in alone]
    median = combine(sources, method="median", reject="none", memory=memory)
    maps = (placed(frame, output_wcs, number) for number, frame in enumerate(frames, 1))
    return [_outliers(f, m, median, threshold, gradient) for f, m in zip(frames, maps, strict=True)]


def _outliers(
    frame: DrizzleInput, places: PixelMap, median: Combined, threshold: float, gradient: float
) -> Mask:
    area = float(np.nanmean(pixel_area(places)))
    model, step = (_sampled(image, places) * area for image in (median.sci, _steps(median.sci)))
    known = _sampled((median.count >= _FEWEST).astype(np.float32), places) > 0.999
    good = (frame.dq & np.uint32(DQ.DO_NOT_USE)) == 0
    with np.errstate(invalid="ignore"):
        allowed = threshold * np.sqrt(np.maximum(frame.variance, 0)) + gradient * step
        outliers: Mask = known & good & (np.abs(frame.sci - model) > allowed)
    return outliers


def _steps(image: Image) -> Image:
    """The largest difference of each pixel to one of its four neighbours."""
    result = np.zeros_like(image)
    for axis in (0, 1):
        step = np.abs(np.diff(image, axis=axis))
        first = [slice(None)] * 2
        second = [slice(None)] * 2
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        for side in (tuple(first), tuple(second)):
            result[side] = np.maximum(result[side], step)
    return result


def _sampled(image: Image, places: PixelMap) -> Image:
    """An image between its pixels, linearly; 0 outside."""
    ny, nx = image.shape
    x, y = places[..., 0], places[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= nx - 1) & (y <= ny - 1)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    left, low = np.minimum(x.astype(int), max(nx - 2, 0)), np.minimum(y.astype(int), max(ny - 2, 0))
    right, high = np.minimum(left + 1, nx - 1), np.minimum(low + 1, ny - 1)
    u, v = x - left, y - low
    lower = image[low, left] * (1 - u) + image[low, right] * u
    upper = image[high, left] * (1 - u) + image[high, right] * u
    return np.where(inside, lower * (1 - v) + upper * v, 0)
