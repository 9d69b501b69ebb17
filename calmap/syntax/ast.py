"""What a mapping file says, as immutable values that know their place in the text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from calmap.source import Source, Span


class MappingKind(StrEnum):
    """The three levels of mappings, by file extension."""

    PIPELINE = "pmap"
    INSTRUMENT = "imap"
    REFERENCE = "rmap"


@dataclass(frozen=True, slots=True)
class String:
    """A string; adjacent literals are one string, as in Python."""

    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """An integer or a real number."""

    span: Span
    value: int | float


@dataclass(frozen=True, slots=True)
class Constant:
    """``True``, ``False`` or ``None``."""

    span: Span
    value: bool | None


@dataclass(frozen=True, slots=True)
class Tuple:
    """A parenthesised sequence."""

    span: Span
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class List:
    """A bracketed sequence."""

    span: Span
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """A braced sequence."""

    span: Span
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and what it stands for."""

    span: Span
    key: Value
    value: Value


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary; doubled keys are kept."""

    span: Span
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SelectorCall:
    """A selector: its name and its table of rules."""

    span: Span
    name: str
    name_span: Span
    table: Table


Literal: TypeAlias = String | Number | Constant
Value: TypeAlias = Literal | Tuple | List | Set | Table | SelectorCall
Plain: TypeAlias = "str | int | float | bool | None | tuple[Plain, ...] | dict[Plain, Plain]"


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A parsed mapping file.

    Parameters
    ----------
    source
        The text it was read from.
    kind
        Which level, by the file's extension.
    header, selector, comment
        The three sections. The last of a doubled section counts, as in CRDS;
        `calmap check` reports the doubling.
    """

    source: Source
    kind: MappingKind
    header: Table
    selector: Table | SelectorCall
    comment: String | None = None


def plain(value: Value) -> Plain:
    """Plain Python data of a value; lists and sets become tuples, the last of doubled keys wins.

    Raises
    ------
    TypeError
        If the value is, or has in it, a selector.
    """
    match value:
        case String() | Number() | Constant():
            return value.value
        case Tuple() | List() | Set():
            return tuple(plain(item) for item in value.items)
        case Table():
            return {plain_key(entry.key): plain(entry.value) for entry in value.entries}
        case SelectorCall():
            raise TypeError(f"a {value.name} selector is not plain data")


def plain_key(value: Value) -> Plain:
    """Plain data of a key, hashable; a table as a key becomes the tuple of its items."""
    data = plain(value)
    return tuple(data.items()) if isinstance(data, dict) else data


def header_text(header: Table, name: str) -> str | None:
    """A string value of a header, or None if it is missing or no string."""
    found = None
    for entry in header.entries:
        if isinstance(entry.key, String) and entry.key.value == name:
            found = entry.value.value if isinstance(entry.value, String) else None
    return found


def header_entry(header: Table, name: str) -> Entry | None:
    """The entry of a header key that counts: the last one."""
    found = None
    for entry in header.entries:
        if isinstance(entry.key, String) and entry.key.value == name:
            found = entry
    return found
