"""Combination of a stack with NumPy alone: what the compiled code is measured against."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Mask
from reduce.dq import DQ
from reduce.kernels.rejection import MINMAX, Numbers, Rule, Tables, masked_median, rejected

WRONG = np.uint32(
    DQ.SATURATED | DQ.AD_FLOOR | DQ.DEAD | DQ.OPEN | DQ.NO_FLAT_FIELD | DQ.NO_GAIN_VALUE | DQ.BAD_REF_PIXEL
)
"""Bits of pixels that were measured, but wrongly."""
ABSENT = np.uint32(DQ.DROPOUT | DQ.NON_SCIENCE | DQ.REFERENCE_PIXEL)
"""Bits of pixels that were not measured."""
_BAD, _UNSURE = np.uint32(DQ.DO_NOT_USE), np.uint32(DQ.UNRELIABLE_ERROR)
_UNDECIDED = np.uint32(DQ.OUTLIER | DQ.UNRELIABLE_ERROR)


class Block(NamedTuple):
    """Rows of every frame, each (n, rows, columns), and the two numbers that each frame comes with.

    Parameters
    ----------
    sci, variance, dq
        The stack; `variance` has the length 0 if the variances are not known.
    scales, weights
        Factors of the frames and their weights, (n,).
    """

    sci: NDArray[np.floating[Any]]
    variance: NDArray[np.floating[Any]]
    dq: Flags
    scales: Numbers
    weights: Numbers


class Stack(NamedTuple):
    """Sorted values that take part, with their variances and weights, (n, rows, columns)."""

    values: Numbers
    variances: Numbers
    weights: Numbers
    left: Mask


Results = tuple[Numbers, Numbers, Flags, NDArray[np.uint16]]


def combined(block: Block, rule: Rule, table: Tables) -> Results:
    """Image, variance, DQ and count of a block, each (rows, columns)."""
    scales = block.scales[:, None, None]
    with np.errstate(invalid="ignore", over="ignore"):
        values = block.sci.astype(np.float64) * scales
        finite = np.isfinite(values)
        if rule.known:
            variances = block.variance.astype(np.float64) * scales**2
            finite &= (variances > 0) & np.isfinite(variances)
        else:
            variances = np.ones_like(values)
    rank = np.where(finite, _rank(block.dq), np.uint8(4))
    least = rank.min(axis=0)
    good = least == 0
    usable = (rank == least) & finite
    order = np.argsort(np.where(usable, values, np.inf), axis=0, kind="stable")
    dq, usable = (np.take_along_axis(array, order, 0) for array in (block.dq, usable))
    values = np.where(usable, np.take_along_axis(np.where(finite, values, 0.0), order, 0), 0.0)
    variances = np.where(usable, np.take_along_axis(np.where(finite, variances, 1.0), order, 0), 1.0)
    left, undecided = rejected(values, variances, usable & good, rule, table)
    left = np.where(good, left, usable)
    weights = _weights(variances, block.weights[order], rule)
    stack = Stack(values, variances, weights * left, left)
    centre, variance, unsure = _estimate(stack, usable.sum(axis=0), good, undecided, rule, table)
    common = np.bitwise_and.reduce(np.where(left, dq, ~np.uint32(0)), axis=0)
    every = np.bitwise_or.reduce(np.where(left | ~left.any(axis=0), dq, np.uint32(0)), axis=0)
    flags = np.where(good, common, every | _BAD).astype(np.uint32)
    flags |= np.where(undecided, _UNDECIDED, np.uint32(0)) | np.where(unsure, _UNSURE, np.uint32(0))
    return centre, variance, flags, np.where(good, left.sum(axis=0), 0).astype(np.uint16)


def _rank(dq: Flags) -> NDArray[np.uint8]:
    """How bad pixels are: 0 good, 1 doubtful, 2 wrong, 3 not measured."""
    rank = np.where((dq & WRONG) != 0, 2, 1)
    rank = np.where((dq & ABSENT) != 0, 3, rank)
    return np.where((dq & _BAD) != 0, rank, 0).astype(np.uint8)


def _weights(variances: Numbers, given: Numbers, rule: Rule) -> Numbers:
    if not rule.weighted:
        return np.ones_like(variances)
    if rule.own_weights:
        return given
    return 1 / np.sqrt(variances) if rule.middle else 1 / variances


def _estimate(
    stack: Stack, before: NDArray[np.int_], good: Mask, undecided: Mask, rule: Rule, table: Tables
) -> tuple[Numbers, Numbers, Mask]:
    """The combined value, its variance, and where that is not known."""
    count = stack.left.sum(axis=0)
    n = np.maximum(count, 1)
    total = np.where(count > 0, stack.weights.sum(axis=0), 1.0)
    square = (stack.weights**2 * stack.variances).sum(axis=0)
    variance = square / total**2
    if rule.middle:
        centre = _weighted_median(stack, total) if rule.weighted else masked_median(stack.values, stack.left)
        steep = np.where(count > 0, (stack.weights / np.sqrt(stack.variances)).sum(axis=0), 1.0)
        squares = (stack.weights**2).sum(axis=0)
        uneven = np.minimum(10 * (1 - total**2 / np.where(count > 0, n * squares, 1.0)), 1.0)
        factor = table.median[count] + uneven * (table.between[count] - table.median[count])
        median = factor * n * squares / steep**2
        variance = np.where(count > 2, median, variance)
    else:
        centre = (stack.weights * stack.values).sum(axis=0) / total
    cut = (rule.reject == MINMAX) & good & (before > rule.lowest + rule.highest)
    if rule.reject == MINMAX:
        now = table.trimmed_median if rule.middle else table.trimmed_mean
        usual = table.median[n] if rule.middle else 1 / n
        variance = np.where(cut, variance * now[before] / usual, variance)
    ratio = _scatter(stack, n, rule) / np.where(cut, table.trimmed_scatter[before], rule.truncation)
    if rule.known:
        measured = (rule.measure & (count > 2) & (ratio > 0)) | (undecided & (ratio > 1))
        variance = np.where(measured, variance * ratio, variance)
    else:
        variance = np.where(count > 1, variance * ratio, 0.0)
    empty = count == 0
    variance = np.where(empty, 0.0, variance)
    return np.where(empty, 0.0, centre), variance, ~empty & (variance == 0)


def _scatter(stack: Stack, n: NDArray[np.int_], rule: Rule) -> Numbers:
    """Measured over expected scatter."""
    inverse = (1 / stack.variances if rule.weighted else np.ones_like(stack.variances)) * stack.left
    mean = (inverse * stack.values).sum(axis=0) / np.maximum(inverse.sum(axis=0), 1e-300)
    squares = (inverse * (stack.values - mean) ** 2).sum(axis=0)
    expected = (inverse * stack.variances).sum(axis=0) * (1 - 1 / n)
    return np.where(n > 1, squares / np.where(n > 1, expected, 1.0), 0.0)


def _weighted_median(stack: Stack, total: Numbers) -> Numbers:
    """Where half of the weight lies below, between the middles of the values' weights."""
    middles = np.cumsum(stack.weights, axis=0) - stack.weights / 2
    half = total / 2
    above = stack.left & (middles >= half)
    n = len(stack.values)
    place = np.arange(n)[:, None, None]
    upper = np.where(above, place, n).min(axis=0)
    lower = np.where(stack.left & ~above, place, -1).max(axis=0)
    upper, lower = np.where(upper == n, lower, upper), np.where(lower < 0, upper, lower)
    upper, lower = np.clip(upper, 0, n - 1)[None], np.clip(lower, 0, n - 1)[None]
    x0, x1 = (np.take_along_axis(stack.values, index, 0)[0] for index in (lower, upper))
    m0, m1 = (np.take_along_axis(middles, index, 0)[0] for index in (lower, upper))
    share = np.where(m1 > m0, (half - m0) / np.where(m1 > m0, m1 - m0, 1.0), 0.0)
    result: Numbers = x0 + (x1 - x0) * share
    return result
