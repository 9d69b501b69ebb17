"""Likelihood-ratio detection of jumps in ramps.

A jump adds an unknown charge to one difference of reads, or to two when it falls among the frames that are
averaged to the read between them. Brandt (2024b, arXiv:2404.01326): leave such differences out of the fit and
see how much chi-squared falls. With the precision matrix P = C⁻¹, the spans s and h = P s,

    M = P − h hᵀ / (sᵀ h),  g = M D,

leaving out difference i lowers chi-squared by g_i² / M_ii, leaving out two of them by g_Sᵀ (M_SS)⁻¹ g_S.
"""

from __future__ import annotations

from math import erfc, inf, log, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.errors import ParameterError

Floats = NDArray[np.float64]
MINIMUM_FOR_ONE = 3
"""Differences that are needed to tell which one has the jump."""
MINIMUM_FOR_TWO = 4
_FAR = 35.0


class Thresholds(NamedTuple):
    """Falls of chi-squared above which there is a jump: one difference left out, two left out."""

    one: float
    two: float


def thresholds(sigma: float) -> Thresholds:
    """Falls of chi-squared as unlikely as a deviation by so many σ.

    For 4.5 σ they are 20.25 and 23.8 (Brandt 2024b, §3).

    Raises
    ------
    ParameterError
        If `sigma` is not positive.
    """
    if not 0 < sigma < inf:
        raise ParameterError(f"the threshold of jumps is {sigma}; it has to be a positive number of σ")
    if sigma < _FAR:
        return Thresholds(sigma**2, -2 * log(erfc(sigma / sqrt(2))))
    return Thresholds(sigma**2, sigma**2 + 2 * log(sigma * sqrt(pi / 2)))


class Suspects(NamedTuple):
    """The likeliest jump of each ramp.

    Parameters
    ----------
    first
        Number of the difference, (pixels,); -1 where no jump is likely enough.
    length
        1, or 2 if the next difference has a part of it.
    """

    first: NDArray[np.int64]
    length: NDArray[np.int64]


def suspects(
    residual: Floats,
    response: Floats,
    precision: Floats,
    next_precision: Floats,
    *,
    information: Floats,
    pairs: NDArray[np.bool_],
    number: NDArray[np.int64],
    limits: Thresholds,
) -> Suspects:
    """Find the likeliest jump of each ramp.

    Parameters
    ----------
    residual, response
        g and h of the module's formulas, (differences, pixels).
    precision, next_precision
        Diagonal of P, and its elements that belong to a difference and the next, (differences, pixels).
    information
        sᵀ h, (pixels,).
    pairs
        True where a jump may fall into both the difference and the next, (differences, pixels).
    number
        Differences of each ramp, (pixels,); those beyond are left alone.
    limits
        How much chi-squared has to fall.
    """
    slots = np.arange(residual.shape[0])[:, None]
    m = precision - response**2 / information
    one = np.where((slots < number) & (m > 0), residual**2 / np.where(m > 0, m, 1), 0) - limits.one
    one[:, number < MINIMUM_FOR_ONE] = -inf
    g, following, m_following = residual[:-1], residual[1:], m[1:]
    mixed = next_precision[:-1] - response[:-1] * response[1:] / information
    determinant = m[:-1] * m_following - mixed**2
    possible = pairs[:-1] & (slots[:-1] + 1 < number) & (number >= MINIMUM_FOR_TWO) & (determinant > 0)
    fall = g**2 * m_following - 2 * g * following * mixed + following**2 * m[:-1]
    two = np.full(one.shape, -inf)
    two[:-1] = np.where(possible, fall / np.where(possible, determinant, 1), -inf) - limits.two
    length = np.where(two.max(axis=0) > one.max(axis=0), 2, 1)
    best = np.where(length == 2, two.argmax(axis=0), one.argmax(axis=0))
    found = np.maximum(one.max(axis=0), two.max(axis=0)) > 0
    return Suspects(np.where(found, best, -1), length)
