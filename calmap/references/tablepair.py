"""A table of one file beside that of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calmap.references.fitsfile import FitsFile
from calmap.references.hdu import label, table_rows
from calmap.references.rows import codes


@dataclass(frozen=True, slots=True)
class TablePair:
    """Two tables that are compared.

    Parameters
    ----------
    old, new
        The files.
    old_index, new_index
        Numbers of the extensions.
    """

    old: FitsFile
    old_index: int
    new: FitsFile
    new_index: int

    @property
    def place(self) -> str:
        """The extension as it is called in the old file."""
        return label(self.old.hdus[self.old_index], self.old_index)

    @property
    def rows(self) -> tuple[int, int]:
        """Numbers of rows."""
        return table_rows(self.old.hdus[self.old_index]), table_rows(self.new.hdus[self.new_index])

    def common(self) -> tuple[str, ...]:
        """Columns that are in both tables, as the old one writes them."""
        theirs = self.new_columns()
        return tuple(str(column.name) for key, column in self.old_columns().items() if key in theirs)

    def old_columns(self) -> Mapping[str, Any]:
        """Columns of the old table by their names in upper case."""
        return _columns(self.old.hdus[self.old_index])

    def new_columns(self) -> Mapping[str, Any]:
        """Columns of the new table by their names in upper case."""
        return _columns(self.new.hdus[self.new_index])

    def values(self, name: str) -> tuple[Any, Any]:
        """Values of a column in both tables.

        Raises
        ------
        HeaderError
            If they can't be read.
        """
        ours, theirs = self.old_columns()[name.upper()].name, self.new_columns()[name.upper()].name
        return self.old.column(self.old_index, ours), self.new.column(self.new_index, theirs)

    def codes(self, names: Sequence[str]) -> tuple[Any, Any]:
        """A number for each row of both tables, the same for rows that agree in these columns.

        Raises
        ------
        HeaderError
            If data can't be read.
        """
        return codes(self._each(names), self.rows)

    def _each(self, names: Sequence[str]) -> Iterator[tuple[Any, Any]]:
        for name in names:
            yield self.values(name)


def _columns(hdu: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in hdu.columns:
        found.setdefault(str(column.name).upper(), column)
    return found
