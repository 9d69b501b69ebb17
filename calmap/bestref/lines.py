"""What stands in a line of a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from calmap.source import Source
from calmap.syntax.ast import Entry, MappingFile, SelectorCall, Table, Value

Part: TypeAlias = Literal["header", "selector", "comment", "blank", "note", "structure"]


@dataclass(frozen=True, slots=True)
class Located:
    """What a line belongs to.

    Parameters
    ----------
    part
        The section of the mapping, or what else it is.
    entries
        Entries around it, the outermost first; the last is the one that it is about.
    begins
        False if the last entry begins in a line further up.
    nearest
        Line of the next entry above or below, for a line that says nothing itself.
    """

    part: Part
    entries: tuple[Entry, ...] = ()
    begins: bool = True
    nearest: int | None = None


def locate(file: MappingFile, line: int) -> Located:
    """Find what stands in a line, which must be one of the file."""
    source = file.source
    text = source.line(line).strip()
    comment = file.comment
    if comment is not None and _spans(source, comment.start, comment.end, line):
        return Located("comment", nearest=_nearest(file, line))
    if not text or text.startswith("#"):
        return Located("note" if text else "blank", nearest=_nearest(file, line))
    for part, table in (("header", file.header), ("selector", _table(file.selector))):
        entries = tuple(_around(source, table, line)) if table is not None else ()
        if entries:
            at = _first_beginning(source, entries, line)
            chosen = entries if at is None else entries[: at + 1]
            return Located("header" if part == "header" else "selector", chosen, at is not None)
    return Located("structure", nearest=_nearest(file, line))


def line_of(source: Source, entry: Entry) -> int:
    """The line in which an entry begins."""
    return source.position(entry.start).line


def _around(source: Source, table: Table, line: int) -> Iterator[Entry]:
    for entry in table.entries:
        if _spans(source, entry.start, entry.end, line):
            yield entry
            below = _table(entry.value)
            if below is not None:
                yield from _around(source, below, line)
            return


def _first_beginning(source: Source, entries: tuple[Entry, ...], line: int) -> int | None:
    """The outermost entry that begins in the line, or the innermost whose key goes on there."""
    for at, entry in enumerate(entries):
        if line_of(source, entry) == line:
            return at
    for at, entry in reversed(tuple(enumerate(entries))):
        if _spans(source, entry.key.start, entry.key.end, line):
            return at
    return None


def _nearest(file: MappingFile, line: int) -> int | None:
    """The line of the next entry, rather one below than one above."""
    source = file.source
    lines = {line_of(source, entry) for table in (file.header, file.selector) for entry in _all(table)}
    return min(lines, key=lambda other: (abs(other - line), other < line), default=None)


def _all(value: Value) -> Iterator[Entry]:
    table = _table(value)
    for entry in table.entries if table is not None else ():
        yield entry
        yield from _all(entry.value)


def _table(value: Value) -> Table | None:
    if isinstance(value, SelectorCall):
        return value.table
    return value if isinstance(value, Table) else None


def _spans(source: Source, start: int, end: int, line: int) -> bool:
    return source.position(start).line <= line <= source.position(max(start, end - 1)).line
