"""Changes of a mapping's header section, and which of them people may make by themselves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping as MappingType
from difflib import get_close_matches
from types import MappingProxyType

from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits, insert_entry, manner_of, quote_of, remove_entry
from calmap.edit.literals import literal, quoted
from calmap.edit.refactoring import applied
from calmap.errors import MappingError, RefusedError
from calmap.model.mapping import Mapping
from calmap.source import Source
from calmap.syntax.ast import Entry, MappingFile, Plain, String, Table, plain

_SAYS_WHAT = "it says what the file is, and its name and folder say so too"
_KEPT: MappingType[str, str] = MappingProxyType(
    {
        "parkey": "use calmap refactor set-parkey, add-parameter or drop-parameter",
        "substitutions": "use calmap refactor set-substitution",
        "sha1sum": "calmap keeps it right; see calmap update-checksums",
        "name": "a new name comes with a new serial number",
        "derived_from": "it comes with a new serial number",
        "classes": "the rules say which selectors they are",
        "mapping": _SAYS_WHAT,
        "observatory": _SAYS_WHAT,
        "instrument": _SAYS_WHAT,
        "filekind": _SAYS_WHAT,
    }
)


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


def set_key(mapping: Mapping, key: str, value: Plain) -> Mapping:
    """A mapping with another value of a header key.

    Raises
    ------
    RefusedError
        If the key is not for people to set.
    """
    _require_free(mapping, key, "set")
    if mapping.file is None:
        return mapping
    return applied(mapping, set_header(mapping.file, key, value))


def delete_key(mapping: Mapping, key: str) -> Mapping:
    """A mapping without a header key.

    Raises
    ------
    RefusedError
        If the key is not for people to delete, or not there.
    """
    _require_free(mapping, key, "deleted")
    if mapping.file is None:
        return mapping
    words = [entry.key.value for entry in mapping.file.header.entries if isinstance(entry.key, String)]
    if key not in words:
        near = get_close_matches(key, words, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(words)}"
        raise RefusedError(f"{mapping.path}: the header has no {key!r}", hint)
    return applied(mapping, delete_header(mapping.file, key))


def has_key(mapping: Mapping, key: str) -> bool:
    """True if the header of a mapping has a key."""
    entries = mapping.header.entries if mapping.header is not None else ()
    return any(_is_named(entry, key) for entry in entries)


def _means(old: object, value: Plain) -> bool:
    try:
        return repr(plain(old)) == repr(value)  # type: ignore[arg-type]
    except TypeError:
        return False


def _is_named(entry: Entry, key: str) -> bool:
    return isinstance(entry.key, String) and entry.key.value == key


def _require_free(mapping: Mapping, key: str, done: str) -> None:
    if key in _KEPT:
        raise RefusedError(f"{mapping.path}: {key!r} can't be {done} like this", _KEPT[key])
    if not key.strip():
        raise RefusedError(f"{mapping.path}: a header key can't be empty", "name the key")
