"""Compiled loops that flag saturated reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reduce.dq import DQ

_SATURATED = np.uint8(DQ.SATURATED)
_FLOOR = np.uint8(DQ.AD_FLOOR | DQ.DO_NOT_USE)


@njit(nogil=True, cache=True)
def flag(
    reads: NDArray[Any],
    limits: NDArray[Any],
    floor: float,
    found: NDArray[Any],
    first: NDArray[Any],
    any_in_row: NDArray[Any],
) -> None:
    """Add the flags of each pixel's own counts to `found`, and tell its first saturated reads.

    `reads` and `found` are (ny, nx, ngroups, nreads), `limits` (ny, nx) with infinity for no limit, `first`
    (ny, nx, ngroups) with nreads for none, `any_in_row` (ny).
    """
    rows, columns, groups, count = reads.shape
    for row in range(rows):
        for column in range(columns):
            limit = limits[row, column]
            if np.isinf(limit):
                limit = np.float32(np.nan)
            for group in range(groups):
                pixel = reads[row, column, group]
                over = 0
                low = 0
                for read in range(count):
                    over += pixel[read] >= limit
                    low += pixel[read] <= floor
                start = count
                if over:
                    any_in_row[row] = True
                    start = 0
                    while not pixel[start] >= limit:
                        start += 1
                    for read in range(start, count):
                        found[row, column, group, read] |= _SATURATED
                first[row, column, group] = start
                if low and not np.isinf(floor):
                    for read in range(count):
                        if pixel[read] <= floor:
                            found[row, column, group, read] |= _FLOOR


@njit(nogil=True, cache=True)
def grow(
    first: NDArray[Any], any_in_row: NDArray[Any], size: int, begin: int, end: int, found: NDArray[Any]
) -> None:
    """Flag the neighbours of saturated reads in the rows from `begin` up to `end`; see `flag`."""
    rows, columns, groups, count = found.shape
    nearby = np.empty((columns, groups), dtype=np.int32)
    for row in range(begin, end):
        nearby[:] = count
        some = False
        for other in range(max(row - size, 0), min(row + size + 1, rows)):
            if any_in_row[other]:
                some = True
                for column in range(columns):
                    for group in range(groups):
                        nearby[column, group] = min(nearby[column, group], first[other, column, group])
        if not some:
            continue
        for column in range(columns):
            for group in range(groups):
                start = count
                for other in range(max(column - size, 0), min(column + size + 1, columns)):
                    start = min(start, nearby[other, group])
                for read in range(start, first[row, column, group]):
                    found[row, column, group, read] |= _SATURATED
