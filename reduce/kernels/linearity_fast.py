"""Compiled loops over polynomials of single pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reduce.dq import DQ

_SATURATED = np.uint8(DQ.SATURATED)


@njit(nogil=True, cache=True)
def _usable(coefficients: NDArray[Any], is_factor: bool) -> bool:
    for value in coefficients:
        if not np.isfinite(value):
            return False
    return bool(coefficients[0] + 1.0 != 0.0 if is_factor else coefficients[1] != 0.0)


@njit(nogil=True, cache=True)
def _set_polynomial(coefficients: NDArray[Any], is_factor: bool, polynomial: NDArray[Any]) -> int:
    """Terms of the correction; gives their number. A loop compiles much faster than slices."""
    shift = 1 if is_factor else 0
    polynomial[0] = 0.0
    for power in range(len(coefficients)):
        polynomial[power + shift] = coefficients[power]
    if is_factor:
        polynomial[1] += 1.0
    return len(polynomial)


@njit(nogil=True, cache=True)
def _differentiate(polynomial: NDArray[Any]) -> int:
    """Make it the derivative; gives the number of its terms."""
    length = len(polynomial) - 1
    for power in range(length):
        polynomial[power] = polynomial[power + 1] * (power + 1)
    return length


@njit(nogil=True, cache=True)
def _sum_powers(
    pixel: NDArray[Any], polynomial: NDArray[Any], length: int, is_squared: bool, sums: NDArray[Any]
) -> None:
    sums[:] = polynomial[length - 1]
    for power in range(length - 2, -1, -1):
        coefficient = polynomial[power]
        for read in range(len(pixel)):
            sums[read] = sums[read] * pixel[read] + coefficient
    if is_squared:
        for read in range(len(pixel)):
            sums[read] *= sums[read]


@njit(nogil=True, cache=True)
def evaluate(
    reads: NDArray[Any],
    skipped: NDArray[Any],
    coefficients: NDArray[Any],
    is_factor: bool,
    is_derivative: bool,
    out: NDArray[Any],
    unknown: NDArray[Any],
) -> None:
    """Corrected reads, or squares of the correction's derivative at them.

    `reads` and `out` are (ny, nx, n); `skipped` holds the reads' flags in the same shape or has no elements,
    `coefficients` is (ny, nx, ncoef). `unknown` (ny, nx) says which pixels have no correction; it becomes
    true for those with unusable coefficients.
    """
    rows, columns, count = reads.shape
    polynomial = np.empty(coefficients.shape[2] + is_factor)
    sums = np.empty(count)
    for row in range(rows):
        for column in range(columns):
            pixel = reads[row, column]
            result = out[row, column]
            if unknown[row, column] or not _usable(coefficients[row, column], is_factor):
                unknown[row, column] = True
                for read in range(count):
                    result[read] = 1.0 if is_derivative else pixel[read]
                continue
            length = _set_polynomial(coefficients[row, column], is_factor, polynomial)
            if is_derivative:
                length = _differentiate(polynomial)
            _sum_powers(pixel, polynomial, length, is_derivative, sums)
            for read in range(count):
                result[read] = sums[read]
            if skipped.size:
                for read in range(count):
                    if skipped[row, column, read] & _SATURATED:
                        result[read] = 1.0 if is_derivative else pixel[read]


@njit(nogil=True, cache=True)
def slope(
    reads: NDArray[Any],
    skipped: NDArray[Any],
    coefficients: NDArray[Any],
    is_factor: bool,
    which: NDArray[Any],
    unknown: NDArray[Any],
    out: NDArray[Any],
) -> None:
    """Root mean square of the correction's derivative over the reads `which` of each group; see `evaluate`.

    `reads` and `skipped` are (ny, nx, ngroups, nreads), `out` is (ny, nx).
    """
    rows, columns, groups, _ = reads.shape
    polynomial = np.empty(coefficients.shape[2] + is_factor)
    for row in range(rows):
        for column in range(columns):
            out[row, column] = 1.0
            if unknown[row, column] or not _usable(coefficients[row, column], is_factor):
                continue
            _set_polynomial(coefficients[row, column], is_factor, polynomial)
            length = _differentiate(polynomial)
            squares = 0.0
            for group in range(groups):
                for read in which:
                    if skipped.size and skipped[row, column, group, read] & _SATURATED:
                        squares += 1.0
                        continue
                    value = reads[row, column, group, read]
                    total = polynomial[length - 1]
                    for power in range(length - 2, -1, -1):
                        total = total * value + polynomial[power]
                    squares += total * total
            out[row, column] = np.sqrt(squares / (groups * len(which)))


@njit(nogil=True, cache=True)
def invert(
    linear: NDArray[Any],
    coefficients: NDArray[Any],
    is_factor: bool,
    tolerance: float,
    limit: int,
    out: NDArray[Any],
) -> int:
    """Newton's iterations for counts whose correction is `linear`; tells how many did not converge.

    `linear` and `out` are (ny, nx, n), `coefficients` (ny, nx, ncoef).
    """
    rows, columns, count = linear.shape
    order = coefficients.shape[2] + is_factor
    polynomial = np.empty(order)
    lost = 0
    for row in range(rows):
        for column in range(columns):
            if not _usable(coefficients[row, column], is_factor):
                out[row, column] = linear[row, column]
                continue
            _set_polynomial(coefficients[row, column], is_factor, polynomial)
            for read in range(count):
                wanted = linear[row, column, read]
                value = wanted
                done = not np.isfinite(wanted)
                for _ in range(limit):
                    if done:
                        break
                    level = polynomial[order - 1]
                    slope = 0.0
                    for power in range(order - 2, -1, -1):
                        slope = slope * value + level
                        level = level * value + polynomial[power]
                    if slope == 0.0:
                        break
                    step = (level - wanted) / slope
                    value -= step
                    done = slope > 0.0 and abs(step) <= tolerance * max(abs(value), 1.0)
                if not done:
                    lost += 1
                out[row, column, read] = value
    return lost
