"""Which part of the detector a frame or a reference covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reduce.errors import DataError
from reduce.keywords import find

_FULL = ("FULL", "GENERIC", "N/A", "")


@dataclass(frozen=True, slots=True)
class Region:
    """Rows and columns of the detector, from 0.

    Parameters
    ----------
    row, column
        The first ones.
    rows, columns
        How many.
    full
        True if this is the whole detector.
    """

    row: int
    column: int
    rows: int
    columns: int
    full: bool = False

    def within(self, other: Region, name: str) -> tuple[int, slice]:
        """Row and columns of another region's array at which this one begins and lies.

        Raises
        ------
        DataError
            If it is not all inside, or both are the whole of detectors of different sizes; `name` says what
            the other region is of.
        """
        row, column = self.row - other.row, self.column - other.column
        alike = not (self.full and other.full) or (self.rows, self.columns) == (other.rows, other.columns)
        inside = alike and row >= 0 and column >= 0
        if not inside or row + self.rows > other.rows or column + self.columns > other.columns:
            raise DataError(
                f"{name} covers {other}, and the frame {self}",
                "use a reference of the full detector or of this subarray",
            )
        return row, slice(column, column + self.columns)

    def __str__(self) -> str:
        last = (self.column + self.columns, self.row + self.rows)
        return f"columns {self.column + 1}–{last[0]} and rows {self.row + 1}–{last[1]}"


def is_full(header: Mapping[str, Any]) -> bool:
    """True if a header of any era says that the full detector was read, or says nothing of that."""
    return str(find(header, "SUBARRAY") or "").upper() in _FULL


def region(header: Mapping[str, Any], shape: tuple[int, int]) -> Region:
    """The region of an image, by its header of any era.

    Raises
    ------
    DataError
        If it is a part of the detector and the header does not say which.
    """
    rows, columns = shape
    if is_full(header):
        return Region(0, 0, rows, columns, full=True)
    return Region(_start(header, "SUBSTRT2"), _start(header, "SUBSTRT1"), rows, columns)


def _start(header: Mapping[str, Any], keyword: str) -> int:
    value = find(header, keyword)
    if value is None:
        raise DataError(
            f"the header says that this is a part of the detector, and not which: it has no {keyword}",
            "set SUBSTRT1 and SUBSTRT2, or SUBARRAY to FULL",
        )
    if not isinstance(value, int) or value < 1:
        raise DataError(f"{keyword} is {value!r}; it has to be a whole number from 1 on")
    return value - 1
