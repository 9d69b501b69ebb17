"""Differences of reference files, as text for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from calmap.report.text import printable

if TYPE_CHECKING:
    from calmap.references.difference import ReferenceDifference
    from calmap.references.images import ArrayDifference
    from calmap.references.keywords import KeywordChange
    from calmap.references.tablediff import RowChange, TableDifference

_WIDTH: Final = 80
_SHOWN_ROWS: Final = 20
_MAX_TEXT: Final = 600


def render(difference: ReferenceDifference) -> str:
    """Lines for each extension that differs: ``-`` what is gone, ``+`` what is new, ``~`` what changed."""
    lines = _heading(str(difference.old), str(difference.new))
    if difference.is_empty:
        lines.append("  no difference")
    for sign, names in (("-", difference.removed), ("+", difference.added)):
        for name in names:
            lines += _lines(f"{sign} {name}", 2)
    for place in _places(difference):
        body = [
            *(line for change in difference.keywords if change.place == place for line in _keyword(change)),
            *(line for array in difference.arrays if array.place == place for line in _array(array)),
            *(line for table in difference.tables if table.place == place for line in _table(table)),
        ]
        lines += [*(_lines(place, 2) if place else ()), *body]
    for note in difference.notes:
        lines += _lines(note, 2)
    return "\n".join(lines) + "\n"


def _heading(old: str, new: str) -> list[str]:
    """Names of the files, never folded, so that they can be copied."""
    names = printable(old), printable(new)
    line = " -> ".join(names)
    return [line] if len(line) <= _WIDTH else [names[0], f"-> {names[1]}"]


def as_json(difference: ReferenceDifference) -> dict[str, object]:
    """A difference as plain values for ``json.dumps``."""
    return {
        "old": str(difference.old),
        "new": str(difference.new),
        "same": difference.is_empty,
        "extensions_removed": list(difference.removed),
        "extensions_added": list(difference.added),
        "keywords": [change._asdict() for change in difference.keywords],
        "arrays": [array._asdict() for array in difference.arrays],
        "tables": [_table_json(table) for table in difference.tables],
        "notes": list(difference.notes),
    }


def _table_json(table: TableDifference) -> dict[str, object]:
    rows = [
        {**row._asdict(), "key": dict(row.key), "cells": [cell._asdict() for cell in row.cells]}
        for row in table.rows
    ]
    return {**table._asdict(), "columns": [column._asdict() for column in table.columns], "rows": rows}


def _places(difference: ReferenceDifference) -> tuple[str, ...]:
    """Extensions that differ, in the order of the file."""
    found = [change.place for change in difference.keywords]
    found += [array.place for array in difference.arrays]
    found += [table.place for table in difference.tables]
    return tuple(sorted(dict.fromkeys(found), key=_order))


def _order(place: str) -> tuple[int, str]:
    words = place.split()
    number = words[1] if len(words) > 1 and words[0] == "extension" else ""
    return (int(number) if number.isdecimal() else 0, place)


def _keyword(change: KeywordChange) -> Iterator[str]:
    what = f"comment of {change.keyword}" if change.of == "comment" else change.keyword
    yield from _change(what, change.old, change.new)


def _change(what: str, old: str | None, new: str | None) -> Iterator[str]:
    if old is None:
        yield from _lines(f"+ {what}: {new}", 4)
    elif new is None:
        yield from _lines(f"- {what}: {old}", 4)
    else:
        yield from _lines(f"~ {what}: {old} -> {new}", 4)


def _array(array: ArrayDifference) -> Iterator[str]:
    if array.old_shape != array.new_shape:
        yield from _lines(f"~ shape: {_shape(array.old_shape)} -> {_shape(array.new_shape)}", 4)
    if array.old_type != array.new_type:
        yield from _lines(f"~ type: {array.old_type or 'none'} -> {array.new_type or 'none'}", 4)
    if array.differing:
        verb = "pixel differs" if array.differing == 1 else "pixels differ"
        text = f"~ {array.differing} {verb}"
        if array.largest is not None:
            text += f", by {array.largest:.6g} at most"
        yield from _lines(f"{text}; the first is [{', '.join(map(str, array.first))}]", 4)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "none"


def _table(table: TableDifference) -> Iterator[str]:
    for column in table.columns:
        yield from _change(f"column {column.name}", column.old, column.new)
    counts = ((table.removed, "removed"), (table.added, "added"), (table.changed, "changed"))
    said = ", ".join(f"{count} {what}" for count, what in counts if count)
    if said:
        by = f" by {', '.join(table.keys)}" if table.keys else ""
        now = f", now {table.new_rows}" if table.new_rows != table.old_rows else ""
        yield from _lines(f"rows{by}: {said} (of {table.old_rows}{now})", 4)
    if table.repeated:
        verb = "row has" if table.repeated == 1 else "rows have"
        yield from _lines(f"{table.repeated} {verb} the key of an earlier one", 4)
    for row in table.rows[:_SHOWN_ROWS]:
        yield from _row(row)
    hidden = table.removed + table.added + table.changed - len(table.rows[:_SHOWN_ROWS])
    if hidden > 0:
        yield f"    and {hidden} more"


def _row(row: RowChange) -> Iterator[str]:
    sign = "+" if row.old is None else "-" if row.new is None else "~"
    number = row.new if row.old is None else row.old
    key = ", ".join(f"{name}={value}" for name, value in row.key)
    if row.old is not None and row.new is not None:
        cells = ", ".join(f"{cell.name}: {cell.old} -> {cell.new}" for cell in row.cells)
    else:
        cells = ", ".join(f"{cell.name}={cell.old if cell.new is None else cell.new}" for cell in row.cells)
    head = f"{sign} row {number}{f' ({key})' if key else ''}"
    yield from _lines(f"{head}: {cells}" if cells else head, 4)


def _lines(text: str, indent: int) -> list[str]:
    """Text that can be shown, folded to the width of a page."""
    first = " " * indent
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]}..."
    return wrap(
        printable(text),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first + "    ",
        break_on_hyphens=False,
    )
