"""Combination of a stack, compiled; does what `reduce.kernels.combine_reference` does.

Each pixel's stack is sorted in a small array of its own and then handled as numbers.
"""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reduce.dq import DQ
from reduce.kernels.combine_reference import ABSENT, WRONG, Block
from reduce.kernels.combine_rows_fast import COLUMNS, applies, plain_stacks, room_for, sorting_network
from reduce.kernels.rejection import BIWEIGHT, MINMAX, NONE, VARIANCE, Rule, Tables

Array = NDArray[Any]

_BAD = np.uint32(DQ.DO_NOT_USE)
_UNSURE = np.uint32(DQ.UNRELIABLE_ERROR)
_UNDECIDED = np.uint32(DQ.OUTLIER | DQ.UNRELIABLE_ERROR)
_ALL_BITS = np.uint32(0xFFFFFFFF)


class _Scratch(NamedTuple):
    """Values, variances, weights, distances from the centre and places of frames of one pixel."""

    x: Array
    v: Array
    w: Array
    away: Array
    place: Array


def combine_block(block: Block, rule: Rule, table: Tables, *into: Array) -> None:
    """Combine rows into four arrays: image, variance, DQ and count, each (rows, columns)."""
    network = sorting_network(len(block.sci) if rule.middle or rule.reject != NONE else 0)
    _combine_rows(block, rule, table, network, room_for(len(block.sci)), applies(rule), *into)


@njit(nogil=True, cache=True, error_model="numpy")
def _combine_rows(block, rule, table, network, room, screen, sci, variance, dq, count):  # type: ignore[no-untyped-def]
    frames, rows, columns = block.sci.shape
    done = np.zeros(COLUMNS, np.bool_)
    pixel = _Scratch(
        np.empty(frames), np.empty(frames), np.empty(frames), np.empty(frames), np.empty(frames, np.int64)
    )
    kept = _Scratch(
        np.empty(frames), np.empty(frames), np.empty(frames), np.empty(frames), np.empty(frames, np.int64)
    )
    for row in range(rows):
        for start in range(0, columns, COLUMNS):
            if screen:
                plain_stacks(block, rule, table, network, row, start, room, sci, variance, dq, count, done)
            for column in range(start, min(start + COLUMNS, columns)):
                if not done[column - start]:
                    value, error, bits, n = _combined(block, rule, table, row, column, pixel, kept)
                    sci[row, column] = value
                    variance[row, column] = error
                    dq[row, column] = bits
                    count[row, column] = n


@njit(nogil=True, cache=True, error_model="numpy")
def _combined(block, rule, table, row, column, pixel, kept):  # type: ignore[no-untyped-def]
    """Value, variance, bits and count of a pixel."""
    x, v, w, index = pixel.x, pixel.v, pixel.w, pixel.place
    n = _gathered(block, rule, row, column, 0, x, v, index)
    good = n > 0
    rank = 1
    while n == 0 and rank < 4:
        n = _gathered(block, rule, row, column, rank, x, v, index)
        rank += 1
    before = n
    undecided, cut = False, False
    if good and rule.reject == MINMAX:
        cut = n > rule.lowest + rule.highest
        if cut:
            n = _without_ends(x, v, index, n, rule)
    elif good and rule.reject != NONE:
        n, undecided = _clipped(x, v, index, n, rule, table, pixel.away, kept)
    _weigh(block, rule, v, index, n, w)
    centre, error = _estimate(x, v, w, n, before, cut, undecided, rule, table)
    bits = _bits(block, row, column, index, n, good)
    if undecided:
        bits |= _UNDECIDED
    if n > 0 and error == 0:
        bits |= _UNSURE
    return centre, error, bits, n if good else 0


@njit(nogil=True, cache=True, error_model="numpy")
def _gathered(block, rule, row, column, rank, x, v, index):  # type: ignore[no-untyped-def]
    """Put the values of a rank into x, sorted, with variances and places of frames; return their number."""
    n = 0
    for frame in range(block.sci.shape[0]):
        bits = block.dq[frame, row, column]
        if bits & _BAD == 0:
            own = 0
        elif bits & ABSENT != 0:
            own = 3
        elif bits & WRONG != 0:
            own = 2
        else:
            own = 1
        if own != rank:
            continue
        value = block.sci[frame, row, column] * block.scales[frame]
        noise = 1.0
        if rule.known:
            noise = block.variance[frame, row, column] * block.scales[frame] ** 2
        if not (isfinite(value) and noise > 0 and isfinite(noise)):
            continue
        place = n
        while place > 0 and x[place - 1] > value:
            x[place], v[place], index[place] = x[place - 1], v[place - 1], index[place - 1]
            place -= 1
        x[place], v[place], index[place] = value, noise, frame
        n += 1
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def _without_ends(x, v, index, n, rule):  # type: ignore[no-untyped-def]
    left = n - rule.lowest - rule.highest
    for i in range(left):
        j = i + rule.lowest
        x[i], v[i], index[i] = x[j], v[j], index[j]
    return left


@njit(nogil=True, cache=True, error_model="numpy")
def _clipped(x, v, index, n, rule, table, away, kept):  # type: ignore[no-untyped-def]
    """Take the worst away until none is outside; return how many are left, and if that is undecided."""
    before, least = n, n // 2 + 1
    while True:
        worst, excess = _excess(x, v, n, rule, table, away)
        if excess <= 1:
            return n, rule.known and rule.reject != VARIANCE and _any_outside(x, v, n, rule, table)
        if n == before:
            for i in range(n):
                kept.x[i], kept.v[i], kept.place[i] = x[i], v[i], index[i]
        if n <= least:
            for i in range(before):
                x[i], v[i], index[i] = kept.x[i], kept.v[i], kept.place[i]
            return before, True
        n -= 1
        for i in range(worst, n):
            x[i], v[i], index[i] = x[i + 1], v[i + 1], index[i + 1]


@njit(nogil=True, cache=True, error_model="numpy")
def _excess(x, v, n, rule, table, away):  # type: ignore[no-untyped-def]
    """The place of the value farthest out and its distance over the threshold."""
    worst, highest = 0, 0.0
    if n < 2 or (n < 4 and not rule.known):
        return worst, highest
    centre = 0.5 * (x[(n - 1) // 2] + x[n // 2])
    if rule.known and rule.reject != BIWEIGHT and not _any_outside(x, v, n, rule, table):
        return worst, highest
    scale = 0.0
    if rule.reject != VARIANCE:
        deviation = _deviation(x, n, centre, away)
        scale = deviation * table.mad[n]
        if rule.reject == BIWEIGHT:
            centre, scale = _biweight(x, n, centre, deviation)
    wide = scale * table.widening[n]
    for i in range(n):
        distance = x[i] - centre
        width = wide
        if rule.known:
            width = max(scale, sqrt(v[i])) * table.distance[n]
        threshold = width * (rule.low if distance < 0 else rule.high)
        if threshold > 0 and abs(distance) > threshold and abs(distance) / threshold > highest:
            worst, highest = i, abs(distance) / threshold
    return worst, highest


@njit(nogil=True, cache=True, error_model="numpy")
def _any_outside(x, v, n, rule, table):  # type: ignore[no-untyped-def]
    """True if a value is outside by its own variance alone."""
    centre = 0.5 * (x[(n - 1) // 2] + x[n // 2])
    for i in range(n):
        distance = x[i] - centre
        threshold = (rule.low if distance < 0 else rule.high) * table.distance[n]
        if n > 1 and abs(distance) / (threshold * sqrt(v[i])) > 1:
            return True
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _deviation(x, n, centre, away):  # type: ignore[no-untyped-def]
    """Median absolute deviation of sorted numbers: their distances are two sorted lists, merged."""
    up = 0
    while up < n and x[up] < centre:
        up += 1
    down = up - 1
    for i in range(n // 2 + 1):
        below = centre - x[down] if down >= 0 else inf
        above = x[up] - centre if up < n else inf
        if below < above:
            away[i] = below
            down -= 1
        else:
            away[i] = above
            up += 1
    return 0.5 * (away[(n - 1) // 2] + away[n // 2])


@njit(nogil=True, cache=True, error_model="numpy")
def _biweight(x, n, centre, deviation):  # type: ignore[no-untyped-def]
    """Location and scale of Beers et al. 1990, eqs. 5 and 9."""
    if deviation <= 0:
        return centre, 0.0
    moment, near, top, bottom = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        distance = x[i] - centre
        weight = max(1 - (distance / (6 * deviation)) ** 2, 0.0) ** 2
        moment += weight * distance
        near += weight
        u2 = min((distance / (9 * deviation)) ** 2, 1.0)
        top += distance**2 * (1 - u2) ** 4
        bottom += (1 - u2) * (1 - 5 * u2)
    return centre + moment / near, sqrt(n * top) / max(abs(bottom), 1e-30)


@njit(nogil=True, cache=True, error_model="numpy")
def _weigh(block, rule, v, index, n, w):  # type: ignore[no-untyped-def]
    for i in range(n):
        if not rule.weighted:
            w[i] = 1.0
        elif rule.own_weights:
            w[i] = block.weights[index[i]]
        elif rule.middle:
            w[i] = 1 / sqrt(v[i])
        else:
            w[i] = 1 / v[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _estimate(x, v, w, n, before, cut, undecided, rule, table):  # type: ignore[no-untyped-def]
    """The combined value and its variance; 0 if that is not known."""
    if n == 0:
        return 0.0, 0.0
    total, squares, noise, steep, moment = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        total += w[i]
        squares += w[i] * w[i]
        noise += w[i] * w[i] * v[i]
        moment += w[i] * x[i]
    centre, variance = moment / total, noise / total**2
    if rule.middle:
        centre = _weighted_median(x, w, n, total) if rule.weighted else 0.5 * (x[(n - 1) // 2] + x[n // 2])
        if n > 2:
            for i in range(n):
                steep += w[i] / sqrt(v[i])
            uneven = min(10 * (1 - total**2 / (n * squares)), 1.0)
            factor = table.median[n] + uneven * (table.between[n] - table.median[n])
            variance = factor * n * squares / steep**2
    expected = rule.truncation
    if cut:
        expected = table.trimmed_scatter[before]
        if rule.middle:
            variance *= table.trimmed_median[before] / table.median[n]
        else:
            variance *= table.trimmed_mean[before] * n
    if not rule.known:
        return centre, (variance * _scatter(x, v, n, rule) / expected if n > 1 else 0.0)
    if undecided or (rule.measure and n > 2):
        ratio = _scatter(x, v, n, rule) / expected
        if (undecided and ratio > 1) or (rule.measure and n > 2 and ratio > 0):
            variance *= ratio
    return centre, variance


@njit(nogil=True, cache=True, error_model="numpy")
def _scatter(x, v, n, rule):  # type: ignore[no-untyped-def]
    """Measured over expected scatter."""
    total, moment, expected, squares = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        inverse = 1 / v[i] if rule.weighted else 1.0
        total += inverse
        moment += inverse * x[i]
        expected += inverse * v[i]
    mean = moment / total
    for i in range(n):
        inverse = 1 / v[i] if rule.weighted else 1.0
        squares += inverse * (x[i] - mean) ** 2
    return squares / (expected * (1 - 1 / n))


@njit(nogil=True, cache=True, error_model="numpy")
def _weighted_median(x, w, n, total):  # type: ignore[no-untyped-def]
    """Where half of the weight lies below, between the middles of the values' weights."""
    half = total / 2
    weight = w[0]
    last = w[0] / 2
    for i in range(1, n):
        middle = weight + w[i] / 2
        if middle >= half:
            if last >= half or middle <= last:
                return x[i - 1]
            return x[i - 1] + (x[i] - x[i - 1]) * ((half - last) / (middle - last))
        weight += w[i]
        last = middle
    return x[n - 1]


@njit(nogil=True, cache=True, error_model="numpy")
def _bits(block, row, column, index, n, good):  # type: ignore[no-untyped-def]
    """Bits that all good values share, or any bit of bad ones."""
    if good:
        common = _ALL_BITS
        for i in range(n):
            common &= block.dq[index[i], row, column]
        return common
    every = _BAD
    for i in range(n):
        every |= block.dq[index[i], row, column]
    if n == 0:
        for frame in range(block.dq.shape[0]):
            every |= block.dq[frame, row, column]
    return every
