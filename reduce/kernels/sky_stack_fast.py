"""Clipped means and medians of stacks, compiled: does what `reduce.kernels.sky_stack.estimated` does.

The numbers that multiply values come in the values' own type, so that every step is rounded as NumPy does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(nogil=True, cache=True, error_model="numpy")
def _middle(x: Array, n: int, half: Any) -> Any:
    """The median of the first numbers of an array, which are put in order."""
    for i in range(1, n):
        value = x[i]
        place = i
        while place > 0 and x[place - 1] > value:
            x[place] = x[place - 1]
            place -= 1
        x[place] = value
    return (x[(n - 1) // 2] + x[n // 2]) * half


@njit(nogil=True, cache=True, error_model="numpy")
def _clipped(x: Array, v: Array, out: Array, room: Array, rounds: int, numbers: Array) -> None:
    """Mark the outliers of a pixel in `out`."""
    half, clip, to_sigma = numbers[0], numbers[1], numbers[2]
    frames = x.size
    out[:] = False
    for _ in range(rounds):
        n = 0
        for i in range(frames):
            if not (np.isnan(x[i]) or out[i]):
                room[n] = x[i]
                n += 1
        if n == 0:
            return
        centre = _middle(room, n, half)
        far = False
        for i in range(frames):
            far |= abs(x[i] - centre) > clip * np.sqrt(v[i])
        if not (far or out.any()):
            return
        n = 0
        for i in range(frames):
            if not (np.isnan(x[i]) or out[i]):
                room[n] = abs(x[i] - centre)
                n += 1
        scatter = to_sigma * _middle(room, n, half)
        changed = False
        for i in range(frames):
            new = abs(x[i] - centre) > clip * max(np.sqrt(v[i]), scatter)
            changed |= new != out[i]
            out[i] = new
        if not changed:
            return


@njit(nogil=True, cache=True, error_model="numpy")
def estimate(
    values: Array,
    variances: Array,
    weights: Array,
    factors: Array,
    is_mean: bool,
    rounds: int,
    numbers: Array,
    image: Array,
    variance: Array,
) -> None:
    """Put the combination of stacks (n, rows, columns) into `image` and `variance`; NaN where there is none.

    `numbers` are 1/2, the threshold of the clipping in σ, what makes σ of a median absolute deviation, 0 and
    1; `factors` is n² times the variance of the median of n unit Gaussians, for n from 0 on.
    """
    frames, rows, columns = values.shape
    half, zero, one = numbers[0], numbers[3], numbers[4]
    x, v, room, share = weights.copy(), weights.copy(), weights.copy(), weights.copy()
    out = np.zeros(frames, np.bool_)
    for row in range(rows):
        for column in range(columns):
            for i in range(frames):
                x[i] = values[i, row, column]
                v[i] = variances[i, row, column]
            _clipped(x, v, out, room, rounds, numbers)
            n = 0
            total = zero
            for i in range(frames):
                out[i] = out[i] or not np.isfinite(x[i])
                share[i] = zero if out[i] else weights[i]
                total += share[i]
                if not out[i]:
                    room[n] = x[i]
                    n += 1
            image[row, column] = np.nan
            variance[row, column] = np.nan
            if n == 0:
                continue
            if is_mean:
                centre, square = zero, zero
                for i in range(frames):
                    if not out[i]:
                        part = share[i] / total
                        centre += part * x[i]
                        square += part * part * v[i]
                image[row, column] = centre
                variance[row, column] = square
            else:
                precision = zero
                for i in range(frames):
                    if not out[i]:
                        precision += one / np.sqrt(v[i])
                image[row, column] = _middle(room, n, half)
                variance[row, column] = factors[n] / (precision * precision)
