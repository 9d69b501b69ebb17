"""Which part of the detector a frame or a reference covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reduce.errors import DataError

FULL = ("FULL", "GENERIC", "N/A", "")


@dataclass(frozen=True, slots=True)
class Region:
    """Rows and columns of the detector, from 0.

    Parameters
    ----------
    row, column
        The first ones.
    rows, columns
        How many.
    """

    row: int
    column: int
    rows: int
    columns: int

    def within(self, other: Region, name: str) -> tuple[int, slice]:
        """Row and columns of another region's array at which this one begins and lies.

        Raises
        ------
        DataError
            If it is not all inside; `name` says what the other region is of.
        """
        row, column = self.row - other.row, self.column - other.column
        inside = row >= 0 and column >= 0
        if not inside or row + self.rows > other.rows or column + self.columns > other.columns:
            raise DataError(
                f"{name} covers {other}, and the frame {self}",
                "use a reference of the full detector or of this subarray",
            )
        return row, slice(column, column + self.columns)

    def __str__(self) -> str:
        last = (self.column + self.columns, self.row + self.rows)
        return f"columns {self.column + 1}–{last[0]} and rows {self.row + 1}–{last[1]}"


def region(header: Mapping[str, Any], shape: tuple[int, int]) -> Region:
    """The region of an image, by its header.

    A header whose SUBARRAY is FULL or missing is of a full frame, which begins at the first pixel.
    """
    rows, columns = shape
    if str(header.get("SUBARRAY", "")).strip().upper() in FULL:
        return Region(0, 0, rows, columns)
    starts = [
        _start(header, keyword, other) for keyword, other in (("SUBSTRT2", "YSTART"), ("SUBSTRT1", "XSTART"))
    ]
    return Region(starts[0], starts[1], rows, columns)


def _start(header: Mapping[str, Any], *keywords: str) -> int:
    value = next((header[keyword] for keyword in keywords if keyword in header), 1)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DataError(f"{keywords[0]} is {value!r}; it has to be a whole number from 1 on")
    return value - 1
