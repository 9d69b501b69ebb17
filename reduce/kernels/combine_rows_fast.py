"""Stacks that need no closer look, many columns at a time, compiled to vector instructions.

Most pixels have no outlier: neither end of the sorted stack is farther from the median than the least of the
thresholds. Then sums over the stack and its middle are all it takes. A network sorts many stacks at once
(Batcher 1968; Knuth, The Art of Computer Programming, vol. 3, §5.2.2M).
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reduce.dq import DQ
from reduce.kernels.rejection import BIWEIGHT, MINMAX, NONE, Rule

Array = NDArray[Any]

COLUMNS = 256

_BAD = np.uint32(DQ.DO_NOT_USE)
_NO_BIT = np.uint32(0)
_ALL_BITS = np.uint32(0xFFFFFFFF)
_MARGIN = 1 - 1e-9


class Room(NamedTuple):
    """Scratch arrays: values and variances (n, columns), sums of stacks, bits (columns,)."""

    x: Array
    v: Array
    sums: Array
    bits: Array


def room_for(frames: int) -> Room:
    """Scratch arrays for so many frames."""
    return Room(
        np.empty((frames, COLUMNS)),
        np.empty((frames, COLUMNS)),
        np.empty((5, COLUMNS)),
        np.empty(COLUMNS, np.uint32),
    )


def sorting_network(size: int) -> NDArray[np.int64]:
    """Pairs of places to compare and exchange, in order, shape (pairs, 2)."""
    pairs = []
    top = 1 << max(size - 1, 1).bit_length() - 1
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(size - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def applies(rule: Rule) -> bool:
    """True if a rule can do with sums."""
    return rule.known and not rule.measure and rule.reject != MINMAX and not (rule.middle and rule.weighted)


@njit(nogil=True, cache=True, error_model="numpy")
def plain_stacks(block, rule, table, network, row, start, room, sci, variance, dq, count, done):  # type: ignore[no-untyped-def]
    """Combine up to `COLUMNS` columns of a row where it is easy; say in `done` where it was."""
    frames, _, columns = block.sci.shape
    stop = min(start + COLUMNS, columns)
    width = stop - start
    x, v, sums, bits = room.x, room.v, room.sums, room.bits[:width]
    sums[:] = 0.0
    bits[:] = _ALL_BITS
    n, quietest, total = sums[0, :width], sums[1, :width], sums[2, :width]
    first, noise = sums[3, :width], sums[4, :width]
    quietest[:] = inf
    for frame in range(frames):
        _clean(
            block.sci[frame, row, start:stop],
            block.variance[frame, row, start:stop],
            block.dq[frame, row, start:stop],
            block.scales[frame],
            x[frame, :width],
            v[frame, :width],
            bits,
        )
        _count(x[frame, :width], v[frame, :width], n, quietest)
        if rule.middle:
            _add_steepness(v[frame, :width], noise)
        elif not rule.weighted:
            _add(x[frame, :width], v[frame, :width], 1.0, total, first, noise)
        elif rule.own_weights:
            _add(x[frame, :width], v[frame, :width], block.weights[frame], total, first, noise)
        else:
            _add_by_variance(x[frame, :width], v[frame, :width], total, first)
    _sort(x, network, width)
    _look_for_outliers(x, n, quietest, rule, table, done)
    for c in range(width):
        k = int(n[c])
        if rule.middle and k < 3:
            done[c] = False
        if not done[c]:
            continue
        if rule.middle:
            sci[row, start + c] = 0.5 * (x[(k - 1) // 2, c] + x[k // 2, c])
            variance[row, start + c] = table.median[k] * (n[c] / noise[c]) ** 2
        elif rule.weighted and not rule.own_weights:
            sci[row, start + c] = first[c] / total[c]
            variance[row, start + c] = 1 / total[c]
        else:
            sci[row, start + c] = first[c] / total[c]
            variance[row, start + c] = noise[c] / total[c] ** 2
        dq[row, start + c] = bits[c]
        count[row, start + c] = k


@njit(nogil=True, cache=True, error_model="numpy")
def _clean(sci, variance, dq, scale, x, v, bits):  # type: ignore[no-untyped-def]
    """Values and variances, both infinite where they can't be used; and the bits of those that can."""
    square = scale**2
    for c in range(len(x)):
        noise = variance[c] * square
        value = sci[c] * scale
        good = (dq[c] & _BAD == _NO_BIT) & (noise > 0) & (noise < inf) & (abs(value) < inf)
        x[c] = value if good else inf
        v[c] = noise if good else inf
        bits[c] &= dq[c] if good else _ALL_BITS


@njit(nogil=True, cache=True, error_model="numpy")
def _count(x, v, n, quietest):  # type: ignore[no-untyped-def]
    for c in range(len(x)):
        n[c] += 1.0 if x[c] < inf else 0.0
        quietest[c] = v[c] if v[c] < quietest[c] else quietest[c]


@njit(nogil=True, cache=True, error_model="numpy")
def _add(x, v, weight, total, first, noise):  # type: ignore[no-untyped-def]
    for c in range(len(x)):
        total[c] += weight if x[c] < inf else 0.0
        first[c] += weight * x[c] if x[c] < inf else 0.0
        noise[c] += weight * weight * v[c] if x[c] < inf else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _add_by_variance(x, v, total, first):  # type: ignore[no-untyped-def]
    for c in range(len(x)):
        weight = 1 / v[c]
        total[c] += weight
        first[c] += weight * x[c] if x[c] < inf else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _add_steepness(v, noise):  # type: ignore[no-untyped-def]
    for c in range(len(v)):
        noise[c] += 1 / sqrt(v[c])


@njit(nogil=True, cache=True, error_model="numpy")
def _look_for_outliers(x, n, quietest, rule, table, done):  # type: ignore[no-untyped-def]
    """Set `done` where no value can be outside; the stacks are sorted unless nothing is rejected."""
    least = min(rule.low, rule.high)
    for c in range(len(n)):
        k = int(n[c])
        if k == 0 or k == 1 or rule.reject == NONE:
            done[c] = k > 0
            continue
        lowest, highest = x[0, c], x[k - 1, c]
        far = highest - lowest
        if rule.reject != BIWEIGHT:
            centre = 0.5 * (x[(k - 1) // 2, c] + x[k // 2, c])
            far = max(highest - centre, centre - lowest)
        done[c] = far <= least * sqrt(quietest[c]) * table.distance[k] * _MARGIN


@njit(nogil=True, cache=True, error_model="numpy")
def _sort(x, network, width):  # type: ignore[no-untyped-def]
    """Sort each column."""
    for pair in range(len(network)):
        one, other = x[network[pair, 0], :width], x[network[pair, 1], :width]
        for c in range(len(one)):
            a, b = one[c], other[c]
            one[c] = a if a < b else b
            other[c] = b if a < b else a
