"""Robust levels of the reference pixels, without headers or shapes of whole frames."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from reduce.kernels.medians import MAD_TO_SIGMA, median

Samples = NDArray[np.float32]
"""Counts with NaN for those that are not to be used."""

_CLIP = 3.0
_ROUNDING = 1.0
_ROWS = 256


def channel_levels(ends: Samples, channels: int, parities: int) -> Samples:
    """Level of each column from the reference pixels in the first and last rows.

    Parameters
    ----------
    ends
        Shape (rows, nx, ngroups, nreads).
    channels
        Number of channels of the same width.
    parities
        2 if odd and even columns have levels of their own, else 1.

    Returns
    -------
    numpy.ndarray
        Shape (nx, ngroups, nreads). NaN in reads without any usable pixel; a channel without one has the
        median of the others.
    """
    rows, columns, groups, reads = ends.shape
    width = columns // channels
    by_channel = np.moveaxis(ends.reshape(rows, channels, width, groups, reads), 0, 2)
    levels = np.empty((channels, width, groups, reads), dtype=np.float32)
    for parity in range(parities):
        some = by_channel[:, parity::parities]
        sample = some.reshape(channels, -1, groups, reads)
        levels[:, parity::parities] = _clipped_mean(sample)[:, None]
    levels = levels.reshape(columns, groups, reads)
    return np.where(np.isnan(levels), median(levels, axis=0), levels)


def row_levels(sides: Samples, window: int) -> Samples:
    """Level of each row from the reference columns: the mean of left and right, each without outliers.

    Means follow the drift with 2/3 of the noise that medians add to it.

    Parameters
    ----------
    sides
        Shape (ny, 2 border, ngroups, nreads), the left columns before the right ones.
    window
        Rows that a mean is taken over, an odd number; fewer at the ends.

    Returns
    -------
    numpy.ndarray
        Shape (ny, ngroups, nreads); 0 where no pixel can be used.
    """
    half = window // 2
    padded = np.pad(sides, ((half, half), (0, 0), (0, 0), (0, 0)), constant_values=np.nan)
    levels = np.empty((sides.shape[0], *sides.shape[2:]), dtype=np.float32)
    for first in range(0, sides.shape[0], _ROWS):
        rows = slice(first, min(first + _ROWS, sides.shape[0]))
        nearby = sliding_window_view(padded[rows.start : rows.stop + 2 * half], window, axis=0)
        levels[rows] = _mean_of_sides(nearby)
    return levels


def _mean_of_sides(nearby: Samples) -> Samples:
    """From the rows' windows, shape (rows, 2 border, ngroups, nreads, window)."""
    means = []
    for side in np.split(nearby, 2, axis=1):
        sample = np.moveaxis(side, (1, -1), (1, 2))
        means.append(_clipped_mean(sample.reshape(sample.shape[0], -1, *sample.shape[3:])))
    left, right = means
    left, right = np.where(np.isnan(left), right, left), np.where(np.isnan(right), left, right)
    mean: Samples = np.nan_to_num((left + right) / 2, nan=0.0)
    return mean


def _clipped_mean(sample: Samples) -> Samples:
    """Means along the second axis, without what is far off the median; NaN for nothing."""
    offsets = sample - np.expand_dims(median(sample, axis=1), 1)
    spread = np.expand_dims(median(np.abs(offsets), axis=1), 1) * MAD_TO_SIGMA
    used = np.abs(offsets) <= np.maximum(_CLIP * spread, _ROUNDING)
    count = used.sum(axis=1)
    total = np.where(used, sample, 0).sum(axis=1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
