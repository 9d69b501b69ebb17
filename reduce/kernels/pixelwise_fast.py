"""Compiled loops that subtract or multiply a number for each pixel."""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def subtract(reads: NDArray[Any], plane: NDArray[Any], out: NDArray[Any]) -> None:
    """Reads (ny, nx, n) less a float32 plane (ny, nx), as float32."""
    rows, columns, count = reads.shape
    for row in range(rows):
        for column in range(columns):
            value = plane[row, column]
            for read in range(count):
                out[row, column, read] = reads[row, column, read] - value


@njit(nogil=True, cache=True)
def multiply(reads: NDArray[Any], plane: NDArray[Any], out: NDArray[Any]) -> None:
    """Reads (ny, nx, n) times a float32 plane (ny, nx), as float32."""
    rows, columns, count = reads.shape
    for row in range(rows):
        for column in range(columns):
            value = plane[row, column]
            for read in range(count):
                out[row, column, read] = reads[row, column, read] * value


@njit(nogil=True, cache=True)
def subtract_columns_and_rows(
    reads: NDArray[Any], columns: NDArray[Any], rows: NDArray[Any], out: NDArray[Any]
) -> None:
    """Reads (ny, nx, n) less float32 levels of each column (nx, n) and of each row (ny, n), as float32."""
    for row in range(reads.shape[0]):
        for column in range(reads.shape[1]):
            for read in range(reads.shape[2]):
                level = columns[column, read] + rows[row, read]
                out[row, column, read] = reads[row, column, read] - level
