"""What is known of a table before its rows are read."""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """Columns and sizes of a table.

    Parameters
    ----------
    columns
        Their names.
    units
        How many rows each part has that can be read by itself, or None where
        only reading tells.
    constants
        Columns that have one value everywhere, which the names of folders give.
    """

    columns: tuple[str, ...]
    units: tuple[int, ...] | None
    constants: tuple[tuple[str, str | None], ...] = ()

    @property
    def rows(self) -> int | None:
        """How many rows there are, or None if only reading tells."""
        return None if self.units is None else sum(self.units)
