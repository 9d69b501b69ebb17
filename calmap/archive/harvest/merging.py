"""Rows known from before and rows just read, put in one order."""

from __future__ import annotations

import pyarrow as pa


class Merger:
    """Rows known and rows read, put in order.

    Parameters
    ----------
    known, new
        The rows; those read are taken from the first to the last.
    """

    def __init__(self, known: pa.Table, new: pa.Table) -> None:
        self._both = pa.concat_tables((known, new)) if known.num_rows else new
        self._next = known.num_rows
        self._numbers: list[int] = []

    def take_known(self, first: int, count: int) -> None:
        """Take some rows that are known."""
        self._numbers.extend(range(first, first + count))

    def take_new(self, count: int) -> None:
        """Take the next rows that were read."""
        self._numbers.extend(range(self._next, self._next + count))
        self._next += count

    def taken(self) -> pa.Table:
        """The rows taken since this was asked last."""
        numbers, self._numbers = self._numbers, []
        if not numbers:
            return self._both.slice(0, 0)
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return self._both.slice(numbers[0], len(numbers))
        return self._both.take(pa.array(numbers))
