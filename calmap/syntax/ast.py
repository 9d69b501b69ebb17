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


class Placed:
    """A part of the text; its span is made when asked for, so that a large file stays small in memory."""

    __slots__ = ()

    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True, match_args=False)
class String(Placed):
    """A string; adjacent literals are one string, as in Python."""

    start: int
    end: int
    value: str

    __match_args__ = ("span", "value")


@dataclass(frozen=True, slots=True, match_args=False)
class Number(Placed):
    """An integer or a real number."""

    start: int
    end: int
    value: int | float

    __match_args__ = ("span", "value")


@dataclass(frozen=True, slots=True, match_args=False)
class Constant(Placed):
    """``True``, ``False`` or ``None``."""

    start: int
    end: int
    value: bool | None

    __match_args__ = ("span", "value")


@dataclass(frozen=True, slots=True, match_args=False)
class Tuple(Placed):
    """A parenthesised sequence."""

    start: int
    end: int
    items: tuple[Value, ...]

    __match_args__ = ("span", "items")


@dataclass(frozen=True, slots=True, match_args=False)
class List(Placed):
    """A bracketed sequence."""

    start: int
    end: int
    items: tuple[Value, ...]

    __match_args__ = ("span", "items")


@dataclass(frozen=True, slots=True, match_args=False)
class Set(Placed):
    """A braced sequence."""

    start: int
    end: int
    items: tuple[Value, ...]

    __match_args__ = ("span", "items")


@dataclass(frozen=True, slots=True, match_args=False)
class Entry(Placed):
    """A key and what it stands for."""

    start: int
    end: int
    key: Value
    value: Value

    __match_args__ = ("span", "key", "value")


@dataclass(frozen=True, slots=True, match_args=False)
class Table(Placed):
    """A dictionary; doubled keys are kept."""

    start: int
    end: int
    entries: tuple[Entry, ...]

    __match_args__ = ("span", "entries")


@dataclass(frozen=True, slots=True, match_args=False)
class SelectorCall(Placed):
    """A selector: its name and its table of rules."""

    start: int
    end: int
    name: str
    name_span: Span
    table: Table

    __match_args__ = ("span", "name", "name_span", "table")


Literal: TypeAlias = String | Number | Constant
Value: TypeAlias = Literal | Tuple | List | Set | Table | SelectorCall
Plain: TypeAlias = "str | int | float | bool | tuple[Plain, ...] | dict[Plain, Plain] | None"


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
