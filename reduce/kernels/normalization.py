"""Division of a frame by its typical value."""

from __future__ import annotations

from collections.abc import Mapping
from math import acos, sqrt
from typing import Literal, NamedTuple, get_args

import numpy as np

from reduce.arrays import Corrected, Flags, Image
from reduce.dq import flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels.medians import MAD_TO_SIGMA
from reduce.kernels.planes import (
    as_flags,
    flag_unusable,
    float_type,
    frame_planes,
    same_shape,
    total_variance,
)

Statistic = Literal["mean", "median", "mode"]

_CLIP = 3.0
_ROUNDS = 20
_SKEWED = 0.3
_SETTLED = 1e-4


class Typical(NamedTuple):
    """The typical value of an image and its standard deviation, both in the image's unit."""

    value: float
    error: float


class Normalized(NamedTuple):
    """A frame that was divided by its typical value, and what it was divided by."""

    arrays: Corrected
    factor: Typical


def normalize(
    sci: Image, variances: Mapping[str, Image], dq: Flags, *, statistic: Statistic = "median"
) -> Normalized:
    """Divide a frame by the typical value of its good pixels.

    Parameters
    ----------
    sci, variances, dq
        The frame, each plane (ny, nx).
    statistic
        See `typical`.

    Returns
    -------
    Normalized
        The variance's parts are divided by the square of the factor. The factor's own error is not in them:
        it is the same for all pixels. A pixel whose result or variance is not finite has ``DO_NOT_USE``.

    Raises
    ------
    DataError
        If shapes differ, no pixel is good, or the typical value is not above zero.
    ParameterError
        If there is no such statistic.
    """
    factor = typical(sci, variances, dq, statistic=statistic)
    if factor.value <= 0:
        raise DataError(
            f"the {statistic} of the good pixels is {factor.value:g}; a frame can only be divided by what is"
            " above zero"
        )
    kind = float_type(sci).type
    with np.errstate(over="ignore", invalid="ignore"):
        share = kind(1 / factor.value)
        scaled = {origin: np.multiply(part, share, dtype=kind) * share for origin, part in variances.items()}
        result = np.divide(sci, kind(factor.value), dtype=kind)
    flags = as_flags(dq).copy()
    flag_unusable(flags, result, scaled.values())
    return Normalized(Corrected(result, scaled, flags), factor)


def typical(
    sci: Image, variances: Mapping[str, Image], dq: Flags, *, statistic: Statistic = "median"
) -> Typical:
    """The typical value of the pixels that are numbers and may be used.

    The error is what the pixels' noise makes of it, for values that differ by more than noise: of N pixels
    with the mean variance σ² and the spread s (σ included) it is σ²/N for the mean and s²·arccos(1 − σ²/s²)/N
    for the median, which is the familiar π/2·σ²/N where s = σ. (The variance of the number of pixels below
    the median, over the square of their density, for Gaussian values and noise.)

    Parameters
    ----------
    sci, variances, dq
        The frame, each plane (ny, nx).
    statistic
        ``mean``; ``median``; or ``mode``, which is 2.5 median − 1.5 mean of the pixels within 3σ of their
        median, and their median if they are skewed (Bertin & Arnouts 1996, A&AS 117, 393, §3).

    Raises
    ------
    DataError
        If shapes differ or no pixel is good.
    ParameterError
        If there is no such statistic.
    """
    if statistic not in get_args(Statistic):
        raise ParameterError(
            f"{statistic!r} is not a way to normalize", f"one of {', '.join(get_args(Statistic))}"
        )
    same_shape(sci, frame_planes(variances, dq))
    total = total_variance(sci, variances)
    good = np.isfinite(sci) & (total >= 0) & (total < np.inf) & ~flagged(dq)
    values = sci[good].astype(float_type(sci), copy=False)
    if not values.size:
        raise DataError("no pixel is good; there is nothing to normalize by")
    noise = float(np.mean(total[good], dtype=np.float64))
    mean = float(np.mean(values, dtype=np.float64))
    if statistic == "mean":
        return Typical(mean, sqrt(noise / values.size))
    median = float(np.median(values))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(values - median)))
    if statistic == "mode":
        return _mode(values, median, spread, noise)
    return Typical(median, sqrt(_median_variance(noise, spread) / values.size))


def _mode(values: Image, median: float, spread: float, noise: float) -> Typical:
    """The mode of a crowd with outliers."""
    for _ in range(_ROUNDS):
        kept = values[np.abs(values - median) <= _CLIP * spread]
        lost = values.size - kept.size
        if not lost or not kept.size:
            break
        values, median = kept, float(np.median(kept))
        spread = float(np.std(values, dtype=np.float64))
        if lost < _SETTLED * values.size:
            break
    mean = float(np.mean(values, dtype=np.float64))
    of_median = _median_variance(noise, spread)
    if abs(mean - median) > _SKEWED * spread:
        return Typical(median, sqrt(of_median / values.size))
    # For Gaussian noise the covariance of a mean and a median is the variance of the mean.
    variance = 6.25 * of_median + 2.25 * noise - 7.5 * noise
    return Typical(2.5 * median - 1.5 * mean, sqrt(max(variance, 0.0) / values.size))


def _median_variance(noise: float, spread: float) -> float:
    """N times the variance of a median; see `typical`."""
    if spread**2 <= noise:
        return noise * acos(0.0)
    return spread**2 * acos(1 - noise / spread**2)
