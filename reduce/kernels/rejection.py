"""Which values of a pixel's stack are left out before they are combined."""

from __future__ import annotations

from math import erf, exp, inf, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Mask
from reduce.errors import ParameterError
from reduce.kernels.medians import MAD_TO_SIGMA
from reduce.kernels.order_statistics import median_variance, trimmed

Numbers = NDArray[np.float64]

REJECTIONS = ("none", "sigma", "biweight", "minmax", "variance")
NONE, SIGMA, BIWEIGHT, MINMAX, VARIANCE = range(5)

_SMALL_MAD = (1.0, 1.0, 1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107)


class Rule(NamedTuple):
    """How a stack is rejected and combined, as numbers that compiled code takes too.

    Parameters
    ----------
    weighted, middle
        False, False is the mean; False, True the median; and so on.
    reject
        Place in `REJECTIONS`.
    low, high
        Clipping thresholds in standard deviations; infinite for a side that is not clipped.
    lowest, highest
        Numbers of values that ``minmax`` leaves out.
    known
        True if the variances are known.
    own_weights
        True if each frame comes with a weight.
    measure
        True if the error is measured from the scatter.
    truncation
        Variance of a unit Gaussian that is cut at `low` and `high`.
    """

    weighted: bool
    middle: bool
    reject: int
    low: float
    high: float
    lowest: int
    highest: int
    known: bool
    own_weights: bool
    measure: bool
    truncation: float


class Tables(NamedTuple):
    """Numbers that depend on how many values there are, each with the count as its index.

    Parameters
    ----------
    median
        Variance of the median of unit Gaussians.
    between
        The same for a median that falls between two values: for odd counts from the even ones beside them.
    distance
        Root mean square of their distances to their median.
    mad
        What makes their median absolute deviation an unbiased σ (Croux & Rousseeuw 1992, Computational
        Statistics 1, 411).
    widening
        By how much a threshold grows that rests on the scatter of so few values alone.
    trimmed_mean, trimmed_median, trimmed_scatter
        See `reduce.kernels.order_statistics.Moments`, by the count before ``minmax``.
    """

    median: Numbers
    between: Numbers
    distance: Numbers
    mad: Numbers
    widening: Numbers
    trimmed_mean: Numbers
    trimmed_median: Numbers
    trimmed_scatter: Numbers


def checked_threshold(value: float | None, name: str) -> float:
    """A threshold as a number; infinite for None."""
    if value is None:
        return inf
    if not value > 0:
        raise ParameterError(f"{name} is {value}; a clipping threshold is a positive number of sigmas")
    return float(value)


def truncated_variance(low: float, high: float) -> float:
    """Variance of a unit Gaussian cut at -low and high."""

    def part(x: float) -> float:
        return 0.5 * (1 + erf(x / sqrt(2)))

    def density(x: float) -> float:
        return exp(-(x**2) / 2) / sqrt(2 * pi)

    inside = part(high) - part(-low)
    mean = (density(low) - density(high)) / inside
    edges = sum(x * density(x) for x in (low, high) if x < inf)
    return 1 - edges / inside - mean**2


def tables(frames: int, rule: Rule) -> Tables:
    """The tables for up to so many values."""
    counts = range(frames + 1)
    median = np.array([0.0, *(median_variance(n) for n in counts[1:])])
    n = np.maximum(np.arange(frames + 1.0), 1)
    between = np.array([0.0, 1.0, *(_between(k) for k in counts[2:])])[: frames + 1]
    mad = np.array([_SMALL_MAD[k] if k < len(_SMALL_MAD) else k / (k - 0.8) for k in counts])
    widening = np.array([1 + 12 / (k - 3) if k > 3 else inf for k in counts])
    cut = rule.lowest + rule.highest if rule.reject == MINMAX else frames + 1
    moments = np.array(
        [trimmed(k, rule.lowest, rule.highest) if k > cut else (0.0, 0.0, 1.0) for k in counts]
    )
    distance = np.sqrt(np.maximum(1 + median - 2 / n, 0))
    return Tables(median, between, distance, MAD_TO_SIGMA * mad, widening, *np.ascontiguousarray(moments.T))


def _between(count: int) -> float:
    even = (count, count) if count % 2 == 0 else (count - 1, count + 1)
    return sum(k * median_variance(k) for k in even) / 2 / count


def rejected(
    values: Numbers, variances: Numbers, usable: Mask, rule: Rule, table: Tables
) -> tuple[Mask, Mask]:
    """What is left of each stack.

    Clipping takes away the value that lies farthest out by the measure of its threshold, one at a time, and
    looks again. The majority always stays: where it would have to go, the stack is undecided and all of it
    is kept. It is undecided as well where values stay that only their scatter excuses, not their variances.

    Parameters
    ----------
    values
        Shape (n, …), sorted along the first axis, what is not usable last.
    variances
        Their variances, same shape; not looked at if they are not known.
    usable
        Which values take part, same shape.

    Returns
    -------
    tuple of Mask
        Which values are left, (n, …), and which stacks are undecided, (…).
    """
    count = usable.sum(axis=0)
    undecided = np.zeros(count.shape, dtype=bool)
    if rule.reject == NONE:
        return usable, undecided
    if rule.reject == MINMAX:
        return _without_ends(usable, count, rule), undecided
    left = usable.copy()
    for _ in range(len(values)):
        excess = _excess(values, variances, left, rule, table)
        worst = np.argmax(excess, axis=0)[None]
        outside = np.take_along_axis(excess, worst, 0)[0] > 1
        undecided |= outside & (left.sum(axis=0) <= count // 2 + 1)
        going = outside & ~undecided
        if not going.any():
            break
        kept = np.take_along_axis(left, worst, 0) & ~going
        np.put_along_axis(left, worst, kept, 0)
    left = np.where(undecided, usable, left)
    if rule.known and rule.reject != VARIANCE:
        strict = _excess(values, variances, left, rule._replace(reject=VARIANCE), table)
        undecided |= (strict > 1).any(axis=0)
    return left, undecided


def _without_ends(usable: Mask, count: NDArray[np.int_], rule: Rule) -> Mask:
    place = np.arange(len(usable)).reshape(-1, *[1] * count.ndim)
    inner: Mask = (place >= rule.lowest) & (place < count - rule.highest)
    return np.where(count > rule.lowest + rule.highest, usable & inner, usable)


def _excess(values: Numbers, variances: Numbers, left: Mask, rule: Rule, table: Tables) -> Numbers:
    """Distances from the centre over the threshold; 0 for what takes no part."""
    count = left.sum(axis=0)
    centre, scale = _centre_and_scale(values, left, count, rule, table)
    if rule.known:
        width = np.maximum(scale, np.sqrt(variances)) * table.distance[count]
    else:
        with np.errstate(invalid="ignore"):
            width = np.broadcast_to(scale * table.widening[count], values.shape)
        width = np.where((width > 0) & (count > 3), width, np.inf)
    away = np.where(left, values - centre, 0.0)
    threshold = np.where(away < 0, rule.low, rule.high) * width
    return np.where(left & (count > 1), np.abs(away) / np.where(threshold > 0, threshold, np.inf), 0.0)


def _centre_and_scale(
    values: Numbers, left: Mask, count: NDArray[np.int_], rule: Rule, table: Tables
) -> tuple[Numbers, Numbers]:
    centre = masked_median(values, left)
    if rule.reject == VARIANCE:
        return centre, np.zeros_like(centre)
    away = np.where(left, values - centre, 0.0)
    deviation = masked_median(np.abs(away), left)
    if rule.reject == SIGMA:
        return centre, deviation * table.mad[count]
    unit = np.where(deviation > 0, deviation, 1.0)
    near = np.maximum(1 - (away / (6 * unit)) ** 2, 0.0) ** 2 * left
    location = centre + (away * near).sum(axis=0) / np.maximum(near.sum(axis=0), 1e-30)
    u2 = np.minimum((away / (9 * unit)) ** 2, 1.0)
    top = count * (away**2 * (1 - u2) ** 4).sum(axis=0)
    bottom = np.abs(((1 - u2) * (1 - 5 * u2) * left).sum(axis=0))
    scale = np.where(deviation > 0, np.sqrt(top) / np.maximum(bottom, 1e-30), 0.0)
    return np.where(deviation > 0, location, centre), scale


def masked_median(values: Numbers, left: Mask) -> Numbers:
    """Median along the first axis of the values that are left; 0 where none is."""
    ordered = np.sort(np.where(left, values, np.inf), axis=0)
    count = left.sum(axis=0)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, 0)[0]
    upper = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1)[None], 0)[0]
    lower, upper = np.where(count > 0, lower, 0.0), np.where(count > 0, upper, 0.0)
    middle: Numbers = 0.5 * (lower + upper)
    return middle
