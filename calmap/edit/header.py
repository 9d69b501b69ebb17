"""Changes of a mapping's header section."""

from __future__ import annotations

from bisect import bisect_left

from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits, insert_entry, manner_of, quote_of, remove_entry
from calmap.edit.literals import literal, quoted
from calmap.errors import MappingError
from calmap.source import Source
from calmap.syntax.ast import Entry, MappingFile, Plain, String, Table, plain


def set_header(file: MappingFile, key: str, value: Plain) -> Edits:
    """Edits that give a header key a value; none if it has it.

    A new key goes where alphabetical order wants it, if the others are in order, and else to the end.
    """
    return set_entry(file.source, file.header, key, value)


def delete_header(file: MappingFile, key: str) -> Edits:
    """Edits that take a header key away, every time that it is given.

    Raises
    ------
    MappingError
        If the header has no such key.
    """
    found = [i for i, entry in enumerate(file.header.entries) if _is_named(entry, key)]
    if not found:
        raise MappingError(f"{file.source.name}: the header has no '{key}'")
    return tuple(edit for index in found for edit in remove_entry(file.source, file.header, index))


def set_entry(source: Source, table: Table, key: str, value: Plain) -> Edits:
    """Edits that give a key of a table with strings for keys a value; none if it has it."""
    found = [entry for entry in table.entries if _is_named(entry, key)]
    if found:
        old = found[-1].value
        if _means(old, value):
            return ()
        return (TextEdit(old.span, literal(value, quote_of(source, old))),)
    names = [entry.key.value if isinstance(entry.key, String) else "" for entry in table.entries]
    index = bisect_left(names, key) if names == sorted(names) else len(names)
    neighbour = table.entries[max(index - 1, 0)] if names else None
    manner = manner_of(source, table, neighbour)
    text = f"{quoted(key, manner.quote)}{manner.colon}{literal(value, manner.quote)}"
    return insert_entry(source, table, index, text)


def _means(old: object, value: Plain) -> bool:
    try:
        return repr(plain(old)) == repr(value)  # type: ignore[arg-type]
    except TypeError:
        return False


def _is_named(entry: Entry, key: str) -> bool:
    return isinstance(entry.key, String) and entry.key.value == key
