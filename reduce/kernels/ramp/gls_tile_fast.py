"""The compiled fit of a tile of pixels whose reads can all be used.

They have the same times, so one step of the recursion is the same for all of them: a tile is turned over,
(differences, pixels), and the innermost loops run over its pixels in single precision, which compilers turn
into vector instructions. `lane` has a row for each quantity of a pixel, (quantities, TILE); `tile` has them
for each difference, (differences + 2, quantities, TILE), with zeros before the first and after the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reduce.kernels.ramp.gls_reference import FLOOR
from reduce.kernels.ramp.jumps import MINIMUM_FOR_ONE

Array = NDArray[Any]

TILE = 128
ONE, ZERO = np.float32(1), np.float32(0)
SMALLEST = np.float32(FLOOR)
FEW = MINIMUM_FOR_ONE - 1

# Rows of the table of differences that all pixels share.
SPAN, NOISE, PHOTONS, NOISE_LINK, PHOTONS_LINK, GUESS, LAST_SHARE, START_SHARE, GOES_ON, PAIR = range(10)
# Rows of a difference in a tile.
VALUE, FACTOR, INVERSE, Y, Z, RESPONSE, RESIDUAL, PRECISION = range(8)
# Rows of a tile's pixels.
RATE, VARIANCE, RATIO, INFORMATION, STEP, CHI2, BY_PHOTONS, BY_NOISE, SUSPICION = range(9)
LANES, ROWS = 9, 8


@njit(nogil=True, cache=True, error_model="numpy")
def load(values: Array, noise: Array, start: int, count: int, lane: Array, tile: Array) -> None:
    """Take the differences and the noise of a tile, of which `count` pixels matter."""
    # Loops, as slices that are set take seconds to compile.
    for i in range(values.shape[0]):
        for p in range(TILE):
            tile[i + 1, VALUE, p] = values[i, p]
    for p in range(TILE):
        sigma = noise[start + min(p, count - 1)] if noise.size > 1 else noise[0]
        lane[VARIANCE, p] = sigma * sigma if sigma > 0 else np.nan


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _guess(lane: Array, value: Array, weight: Any) -> None:
    for p in range(TILE):
        lane[RATE, p] += weight * value[p]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _forward(lane: Array, before: Array, here: Array, c: Array) -> None:
    """Eliminate a difference: C = L D Lᵀ."""
    span, noise, photons, noise_link, photons_link = (
        c[SPAN],
        c[NOISE],
        c[PHOTONS],
        c[NOISE_LINK],
        c[PHOTONS_LINK],
    )
    for p in range(TILE):
        ratio = lane[RATIO, p]
        link = noise_link + ratio * photons_link
        factor = link * before[INVERSE, p]
        inverse = ONE / (noise + ratio * photons - factor * link)
        y = span - factor * before[Y, p]
        z = here[VALUE, p] - lane[RATE, p] * span - factor * before[Z, p]
        lane[INFORMATION, p] += y * y * inverse
        lane[STEP, p] += y * z * inverse
        lane[CHI2, p] += z * z * inverse
        here[FACTOR, p] = factor
        here[INVERSE, p] = inverse
        here[Y, p] = y
        here[Z, p] = z


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _backward(lane: Array, here: Array, after: Array, c: Array, next_photons_link: Any) -> None:
    """Response of a difference and what it adds to the variance."""
    photons, share, start, goes_on = c[PHOTONS], c[LAST_SHARE], c[START_SHARE], c[GOES_ON]
    mixed = next_photons_link + next_photons_link
    for p in range(TILE):
        following = after[RESPONSE, p]
        h = here[Y, p] * here[INVERSE, p] - after[FACTOR, p] * following
        apart = h - goes_on * following
        lane[BY_NOISE, p] += share * apart * apart + start * h * h
        lane[BY_PHOTONS, p] += photons * h * h + mixed * h * following
        here[RESPONSE, p] = h


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _suspect_one(lane: Array, here: Array, after: Array, limit: Any) -> None:
    """See if a jump is likely in a difference: g² > limit M."""
    for p in range(TILE):
        factor = after[FACTOR, p]
        g = here[Z, p] * here[INVERSE, p] - factor * after[RESIDUAL, p]
        precision = here[INVERSE, p] + factor * factor * after[PRECISION, p]
        h = here[RESPONSE, p]
        left = g - lane[STEP, p] * h
        m = precision - h * h / lane[INFORMATION, p]
        here[RESIDUAL, p] = g
        here[PRECISION, p] = precision
        lane[SUSPICION, p] = max(lane[SUSPICION, p], left * left - limit * m * lane[VARIANCE, p])


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _suspect_two(lane: Array, here: Array, after: Array, limit: Any) -> None:
    """See if a jump is likely in a difference and the next."""
    for p in range(TILE):
        information = lane[INFORMATION, p]
        h, h_next = here[RESPONSE, p], after[RESPONSE, p]
        g = here[RESIDUAL, p] - lane[STEP, p] * h
        g_next = after[RESIDUAL, p] - lane[STEP, p] * h_next
        m = here[PRECISION, p] - h * h / information
        m_next = after[PRECISION, p] - h_next * h_next / information
        mixed = -after[FACTOR, p] * after[PRECISION, p] - h * h_next / information
        fall = g * g * m_next - (g + g) * g_next * mixed + g_next * g_next * m
        more = fall - limit * (m * m_next - mixed * mixed) * lane[VARIANCE, p]
        lane[SUSPICION, p] = max(lane[SUSPICION, p], more)


@njit(nogil=True, cache=True, error_model="numpy")
def solve(lane: Array, tile: Array, table: Array, passes: int) -> None:
    """Rates, chi-squared and variances of a tile."""
    number = table.shape[0]
    for p in range(TILE):
        lane[RATE, p] = ZERO
        lane[STEP, p] = ZERO
    for i in range(number):
        _guess(lane, tile[i + 1, VALUE], table[i, GUESS])
    for _ in range(passes):
        for p in range(TILE):
            rate = lane[RATE, p] + lane[STEP, p]
            lane[RATE, p] = rate
            lane[RATIO, p] = max(rate, ZERO) / lane[VARIANCE, p]
        for row in range(INFORMATION, LANES):
            for p in range(TILE):
                lane[row, p] = ZERO
        for i in range(number):
            _forward(lane, tile[i], tile[i + 1], table[i])
        for p in range(TILE):
            lane[STEP, p] /= lane[INFORMATION, p]
    for i in range(number - 1, -1, -1):
        link = table[i + 1, PHOTONS_LINK] if i + 1 < number else ZERO
        _backward(lane, tile[i + 1], tile[i + 2], table[i], link)


@njit(nogil=True, cache=True, error_model="numpy")
def search(lane: Array, tile: Array, table: Array, one: Any, two: Any) -> None:
    """Where jumps are likely, the suspicion is positive."""
    number = table.shape[0]
    if number > FEW:
        for i in range(number - 1, -1, -1):
            _suspect_one(lane, tile[i + 1], tile[i + 2], one)
            if table[i, PAIR] > 0:
                _suspect_two(lane, tile[i + 1], tile[i + 2], two)
    elif number == FEW:
        for p in range(TILE):
            chi2 = lane[CHI2, p] - lane[STEP, p] * lane[STEP, p] * lane[INFORMATION, p]
            lane[SUSPICION, p] = chi2 - one * lane[VARIANCE, p]


@njit(nogil=True, cache=True, error_model="numpy")
def finish(lane: Array) -> None:
    """Units of electrons and seconds."""
    for p in range(TILE):
        information, step, variance = lane[INFORMATION, p], lane[STEP, p], lane[VARIANCE, p]
        rate = lane[RATE, p] + step
        by_noise = lane[BY_NOISE, p] / (information * information) * variance
        floor = SMALLEST * np.sqrt(by_noise)
        lane[BY_PHOTONS, p] *= max(rate, floor) / (information * information)
        lane[BY_NOISE, p] = by_noise
        lane[CHI2, p] = max(lane[CHI2, p] - step * step * information, ZERO) / variance
        lane[RATE, p] = rate
