"""A piece of a table, its columns read when they are needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pyarrow as pa

from calmap.bestref.tables.encoding import Codes, Column, encode, plain


class Batch(ABC):
    """Some rows of a table.

    Parameters
    ----------
    names
        Names of the columns.
    rows
        How many rows there are.
    """

    __slots__ = ("_arrays", "_columns", "names", "rows")

    def __init__(self, names: tuple[str, ...], rows: int) -> None:
        self.names = names
        self.rows = rows
        self._arrays: dict[int, Any] = {}
        self._columns: dict[int, Column] = {}

    def array(self, index: int) -> Any:
        """A column by its number as it is, in a layout that everything here can read."""
        if index not in self._arrays:
            self._arrays[index] = plain(self._array(index))
        return self._arrays[index]

    def column(self, index: int) -> Column:
        """A column by number of each value."""
        if index not in self._columns:
            self._columns[index] = self._column(index)
        return self._columns[index]

    def take(self, rows: Codes) -> Batch:
        """Some of the rows, their columns as they are numbered here."""
        return _Taken(self, rows)

    def alone(self, rows: Codes) -> Batch:
        """Some of the rows, looked at as if there were no others."""
        return _Alone(self, rows)

    @abstractmethod
    def _array(self, index: int) -> Any: ...

    def _column(self, index: int) -> Column:
        return encode(self.array(index), self.names[index])


class Slice(Batch):
    """A `pyarrow.Table` as a batch."""

    __slots__ = ("_table",)

    def __init__(self, table: Any) -> None:
        super().__init__(tuple(table.schema.names), table.num_rows)
        self._table = table

    def _array(self, index: int) -> Any:
        return _whole(self._table.column(index))


class _Alone(Batch):
    __slots__ = ("_chosen", "_whole")

    def __init__(self, whole: Batch, rows: Codes) -> None:
        super().__init__(whole.names, len(rows))
        self._whole = whole
        self._chosen = rows

    def _array(self, index: int) -> Any:
        return self._whole.array(index).take(pa.array(self._chosen.astype(np.int64)))


class _Taken(_Alone):
    __slots__ = ()

    def _column(self, index: int) -> Column:
        whole = self._whole.column(index)
        return Column(whole.codes[self._chosen], whole.texts)


def _whole(column: Any) -> Any:
    """A column in one piece."""
    if column.num_chunks == 1:
        return column.chunk(0)
    try:
        return pa.concat_arrays(column.unify_dictionaries().chunks)
    except pa.ArrowInvalid:
        return pa.concat_arrays([chunk.dictionary_decode() for chunk in column.chunks])
