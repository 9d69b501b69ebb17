"""Tables of two files compared: columns, and rows by key or in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from calmap.references.hdu import column_type
from calmap.references.rows import Matching, matched_by_key, matched_in_order, repeated
from calmap.references.tablepair import TablePair
from calmap.references.tables import shown

MAX_ROWS: Final = 1000
"""How many rows of each kind are told of one by one; all are counted."""


class ColumnChange(NamedTuple):
    """A column that is in one table only, or whose format or unit differs."""

    name: str
    old: str | None
    new: str | None


class Cell(NamedTuple):
    """A value in a row of both tables; None where there is no such row."""

    name: str
    old: str | None
    new: str | None


class RowChange(NamedTuple):
    """A row that differs.

    Parameters
    ----------
    old, new
        Numbers of the row from 1; None where there is no such row.
    key
        Key columns and their values.
    cells
        Values that differ, other than those of the key.
    """

    old: int | None
    new: int | None
    key: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]


class TableDifference(NamedTuple):
    """How two tables differ.

    Parameters
    ----------
    place
        Which extension, as it is called in the old file.
    keys
        Columns by which rows were matched; none if they were in their order.
    columns
        Columns that differ.
    old_rows, new_rows
        How many rows there are.
    removed, added, changed
        How many rows differ in which way.
    repeated
        How many rows of the new table have the key of an earlier one.
    rows
        Rows that differ, of each kind the first `MAX_ROWS`.
    """

    place: str
    keys: tuple[str, ...]
    columns: tuple[ColumnChange, ...]
    old_rows: int
    new_rows: int
    removed: int
    added: int
    changed: int
    repeated: int
    rows: tuple[RowChange, ...]


def compare_tables(pair: TablePair, row_keys: Sequence[str] = ()) -> TableDifference | None:
    """Compare two tables; None if columns and rows are the same.

    Raises
    ------
    HeaderError
        If data can't be read.
    """
    common = pair.common()
    named = {name.upper(): name for name in common}
    keyed = bool(row_keys) and all(key.upper() in named for key in row_keys)
    keys = tuple(named[key.upper()] for key in row_keys) if keyed else ()
    twice = 0
    old, new = pair.codes(common) if common else ((), ())
    if not common:
        matching = Matching((), (), ())
    elif keys:
        old_keys, new_keys = pair.codes(keys)
        matching = matched_by_key(old_keys, new_keys, old, new)
        twice = len(repeated(new_keys))
    else:
        matching = matched_in_order(old, new)
    columns = tuple(_column_changes(pair))
    if not columns and not any(matching):
        return None
    counts = len(matching.removed), len(matching.added), len(matching.changed)
    rows = _row_changes(pair, common, keys, matching)
    return TableDifference(pair.place, keys, columns, *pair.rows, *counts, twice, rows)


def _column_changes(pair: TablePair) -> Iterator[ColumnChange]:
    ours, theirs = pair.old_columns(), pair.new_columns()
    for key, column in ours.items():
        before = _described(column)
        after = _described(theirs[key]) if key in theirs else None
        if before != after:
            yield ColumnChange(str(column.name), before, after)
    for key, column in theirs.items():
        if key not in ours:
            yield ColumnChange(str(column.name), None, _described(column))


def _described(column: Any) -> str:
    """Type of a column with its format in FITS, and its unit."""
    text = f"{column_type(column)} ({column.format})"
    return f"{text} in {column.unit}" if column.unit else text


def _row_changes(
    pair: TablePair, names: Sequence[str], keys: tuple[str, ...], matching: Matching
) -> tuple[RowChange, ...]:
    """The first rows of each kind with their values, in the order of the tables."""
    numbers: list[tuple[int | None, int | None]] = [
        *matching.changed[:MAX_ROWS],
        *((row, None) for row in matching.removed[:MAX_ROWS]),
        *((None, row) for row in matching.added[:MAX_ROWS]),
    ]
    found: list[list[Cell]] = [[] for _ in numbers]
    key_values: list[list[tuple[str, str]]] = [[] for _ in numbers]
    for name in names:
        columns = pair.values(name)
        old, new = pair.codes([name])
        for number, (before, after) in enumerate(numbers):
            texts = _cell(columns[0], before), _cell(columns[1], after)
            if name in keys:
                key_values[number].append((name, texts[0] if texts[0] is not None else str(texts[1])))
            elif before is None or after is None or old[before] != new[after]:
                found[number].append(Cell(name, *texts))
    changes = [
        RowChange(
            None if before is None else before + 1,
            None if after is None else after + 1,
            tuple(key),
            tuple(cells),
        )
        for (before, after), key, cells in zip(numbers, key_values, found, strict=True)
    ]
    return tuple(sorted(changes, key=lambda change: (change.old or change.new or 0, change.old is None)))


def _cell(values: Any, row: int | None) -> str | None:
    return None if row is None else shown(values[row])
