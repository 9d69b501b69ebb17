"""Moments of sorted samples of Gaussian noise: what a median or a trimmed mean has for an error."""

from __future__ import annotations

from functools import lru_cache
from math import comb, erf, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_EXACT = 32
_REACH = 7.5
_STEPS = 76
_NODES = 40


class Moments(NamedTuple):
    """Of the values that are left when the ends of a sorted sample of unit variance are cut off.

    Parameters
    ----------
    mean
        Variance of their mean.
    median
        Variance of their median.
    scatter
        Expectation of the sum of their squared distances to their mean, over their number less one; 1 for a
        sample with both its ends.
    """

    mean: float
    median: float
    scatter: float


def median_variance(count: int) -> float:
    """Variance of the median of `count` numbers from a Gaussian of unit variance.

    Exact up to 32 numbers, then within 0.5 %: π/2 / (n + π/2 − 1) for odd and π/2 / (n + π/2) for even n,
    which tend to the familiar π/(2n) (Kendall & Stuart, The Advanced Theory of Statistics, vol. 1, §14).
    """
    if count <= _EXACT:
        return trimmed(count, 0, 0).median
    return pi / 2 / (count + pi / 2 - count % 2)


@lru_cache(maxsize=512)
def trimmed(count: int, lowest: int, highest: int) -> Moments:
    """Moments of what is left of `count` sorted numbers without some at either end.

    The variance of L = Σ w_i x_(i) is 2 ∫∫_{x<y} Cov(G(N(x)), G(N(y))) dx dy with N(x) the number of values
    below x and G(k) = Σ_{i≤k} w_i (Hoeffding's formula); it is integrated numerically.
    Above 32 numbers the moments are the asymptotic ones (Huber 1981, Robust Statistics, §3.3), the variances
    within 0.5 %, the scatter within 6 %.

    Parameters
    ----------
    count
        Size of the sample.
    lowest, highest
        How many are cut off; together less than `count`.
    """
    left = count - lowest - highest
    if count > _EXACT:
        return _asymptotic(count, lowest, highest)
    even = np.zeros(count)
    even[lowest : count - highest] = 1 / left
    middle = np.zeros(count)
    middle[lowest + (left - 1) // 2] += 0.5
    middle[lowest + left // 2] += 0.5
    mean = _variance(even)
    first, second = _raw_moments(count)
    square = float(np.sum(second[lowest : count - highest]))
    spread = square - left * (mean + float(even @ first) ** 2)
    return Moments(mean, _variance(middle), spread / (left - 1) if left > 1 else 1.0)


def _below(x: Numbers) -> Numbers:
    """Part of a Gaussian below x."""
    return np.array([0.5 * (1 + erf(value / sqrt(2))) for value in x.ravel()]).reshape(x.shape)


def _binomial(count: int, p: Numbers) -> Numbers:
    """Probability of each k of 0 … count, shape (count + 1, *p.shape)."""
    return np.array([comb(count, k) * p**k * (1 - p) ** (count - k) for k in range(count + 1)])


def _variance(weights: Numbers) -> float:
    """Variance of a weighted sum of a sorted Gaussian sample."""
    count = len(weights)
    steps = np.concatenate([[0.0], np.cumsum(weights)])
    x = np.linspace(-_REACH, _REACH, _STEPS)
    nodes, node_weights = np.polynomial.legendre.leggauss(_NODES)
    gap = _REACH * (nodes + 1)
    low, high = _below(x)[:, None], _below(x[:, None] + gap)
    between = (high - low) / (1 - low)
    p_low, p_high = _binomial(count, low), _binomial(count, high)
    product = np.zeros(high.shape)
    for k in range(count + 1):
        rest = np.tensordot(steps[k:], _binomial(count - k, between), 1)
        product += steps[k] * p_low[k] * rest
    covariance = product - np.tensordot(steps, p_low, 1) * np.tensordot(steps, p_high, 1)
    return float(2 * (x[1] - x[0]) * _REACH * np.sum(covariance @ node_weights))


def _raw_moments(count: int) -> tuple[Numbers, Numbers]:
    """Expectations of each sorted value and of its square."""
    x = np.linspace(-_REACH, _REACH, 4 * _STEPS)
    below = _below(x)
    density = np.exp(-(x**2) / 2) / sqrt(2 * pi) * (x[1] - x[0])
    each = count * _binomial(count - 1, below) * density
    return each @ x, each @ x**2


def _asymptotic(count: int, lowest: int, highest: int) -> Moments:
    """The moments of a large sample."""
    left = count - lowest - highest
    x = np.linspace(-_REACH, _REACH, 20 * _STEPS + 1)
    below = _below(x)
    density = np.exp(-(x**2) / 2) / sqrt(2 * pi) * (x[1] - x[0])
    start, end = np.interp([lowest / count, 1 - highest / count], below, x)
    cut = np.clip(x, start, end)
    winsorized = float(density @ cut**2 - (density @ cut) ** 2)
    inner = density * ((x >= start) & (x <= end))
    inner = inner / inner.sum()
    scatter = float(inner @ x**2 - (inner @ x) ** 2)
    return Moments(winsorized * count / left**2, median_variance(count), scatter)
