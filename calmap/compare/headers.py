"""What differs between the headers of mappings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from calmap.source import Span
from calmap.syntax.ast import Entry, String, Table, Value, plain, plain_key

BORING = frozenset({"name", "derived_from", "sha1sum"})
"""Keys that differ between any two serials of a mapping."""


class HeaderChange(NamedTuple):
    """One value of a header that was added, removed or replaced.

    Parameters
    ----------
    path
        Its key, and keys within that where the value is a dictionary.
    old, new
        The values as text, or None.
    old_span, new_span
        Where they stand.
    """

    path: tuple[str, ...]
    old: str | None
    new: str | None
    old_span: Span | None
    new_span: Span | None

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``replaced``."""
        return "added" if self.old is None else "removed" if self.new is None else "replaced"


def header_changes(old: Table, new: Table) -> Iterator[HeaderChange]:
    """Changes between headers, in the order of the keys' names; the last of doubled keys counts."""
    return _changes((), old, new)


def _changes(path: tuple[str, ...], old: Table | None, new: Table | None) -> Iterator[HeaderChange]:
    before, after = _entries(old), _entries(new)
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        tables = _table(one), _table(other)
        if any(tables) and (one is None or tables[0]) and (other is None or tables[1]):
            found = tuple(_changes((*path, key), *tables))
            yield from found
            if found or (one and other):
                continue
        yield from _change((*path, key), one.value if one else None, other.value if other else None)


def _change(path: tuple[str, ...], old: Value | None, new: Value | None) -> Iterator[HeaderChange]:
    one, other = _data(old), _data(new)
    if one == other and type(one) is type(other):
        return
    texts = _text(one), _text(other)
    if texts[0] == texts[1]:
        texts = repr(one), repr(other)
    yield HeaderChange(
        path,
        None if old is None else texts[0],
        None if new is None else texts[1],
        old.span if old else None,
        new.span if new else None,
    )


def _entries(table: Table | None) -> dict[str, Entry]:
    found = {}
    for entry in table.entries if table else ():
        found[_text(_key(entry.key))] = entry
    return found


def _table(entry: Entry | None) -> Table | None:
    return entry.value if entry and isinstance(entry.value, Table) else None


def _key(value: Value) -> object:
    try:
        return plain_key(value)
    except TypeError:
        return "a selector"


def _data(value: Value | None) -> object:
    if value is None or isinstance(value, String):
        return value and value.value
    try:
        return plain(value)
    except TypeError:
        return "a selector"


def _text(data: object) -> str:
    return data if isinstance(data, str) else repr(data)
