"""The compiled form of a reference mapping as plain data, fit to be stored and opened in no time.

Rules are bits of masks, rows are elements of arrays. A choice, what a rule or a
row leads to, is a number: from 0 on an index into the names of files; below 0
first the groups of dated rows (-1 is the first group), then the other nodes.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TypeAlias

import msgspec
from msgspec import Struct

from calmap.observatories.definition import Observatory
from calmap.syntax.expression import Expression

FORMAT = 1
"""To be raised whenever the same text is packed in another way, or the same data mean something else."""

Plain: TypeAlias = "str | float | int | bool | None"


class PackedColumn(Struct, frozen=True, array_like=True, gc=False):
    """What all rules say about one parameter.

    Parameters
    ----------
    parameter
        The keyword.
    values
        Values that rules name.
    tests
        Elements of keys that are patterns of another kind.
    masks
        Sets of rules, one bit a rule, all of the same length: those that don't
        care; those that match and those that accept ``*``, and then ``N/A``;
        those that name each value; those that have each pattern.
    allowed
        Values that are let through to the rules, True if those are the values
        named, None if any is.
    swaps
        Substitutions of one value by another.
    """

    parameter: str
    values: tuple[str, ...]
    tests: tuple[str, ...]
    masks: bytes
    allowed: tuple[str, ...] | bool | None
    swaps: dict[str, str]


class PackedMatch(Struct, frozen=True, array_like=True, tag=0):
    """A Match selector; choices and places (offsets in the text) are 32-bit numbers, one a rule."""

    columns: tuple[PackedColumn, ...]
    choices: bytes
    places: bytes
    merge_overlaps: bool


class PackedRows(Struct, frozen=True, array_like=True, tag=1):
    """An ordered selector whose rows aren't all dates; ``first`` is the number of its first row."""

    kind: str
    parameters: tuple[str, ...]
    keys: tuple[Plain, ...]
    first: int


class PackedTerminal(Struct, frozen=True, array_like=True, tag=2):
    """An answer that is not one file, and what is written there."""

    answer: str
    files: tuple[str, ...]
    written: str


Node: TypeAlias = PackedMatch | PackedRows | PackedTerminal


class PackedSelector(Struct, frozen=True, array_like=True):
    """The rules of a mapping.

    Parameters
    ----------
    date
        Keywords of the dates of rows.
    names
        Files that the rules name.
    dates
        Microseconds since 1970, 64 bits each, one for each dated row; dated rows come first.
    choices, places
        What each row leads to and where that stands, 32 bits each.
    groups
        First row and end of each group of dated rows, 32 bits each.
    nodes
        Selectors and answers of other kinds; each comes before those that it leads to.
    root, root_place
        The choice that everything begins with.
    """

    date: tuple[str, ...]
    names: tuple[str, ...]
    dates: bytes
    choices: bytes
    places: bytes
    groups: bytes
    nodes: tuple[Node, ...]
    root: int
    root_place: int


class PackedTerms(Struct, frozen=True, array_like=True):
    """What the header of a mapping says about a look-up; see `calmap.compile.terms.ReferenceTerms`."""

    observatory: str
    instrument: str
    filekind: str
    required: tuple[str, ...]
    omit: Expression | None
    relevance: Expression | None
    parkey_relevance: dict[str, Expression]
    precondition: str | None
    fallback: str | None
    after_failure: str | None
    unmatched_is_na: bool
    parkey: tuple[tuple[str, ...], ...]
    substitutions: dict[str, dict[str, str]]
    merge_overlaps: bool
    written: dict[str, str]


class PackedReference(Struct, frozen=True, array_like=True, tag="rmap"):
    """A reference mapping."""

    terms: PackedTerms
    selector: PackedSelector


class PackedLink(Struct, frozen=True, array_like=True, gc=False):
    """An entry of a pmap or an imap."""

    key: str
    target: str
    line: int


class PackedLinks(Struct, frozen=True, array_like=True, tag="links"):
    """A pmap or an imap."""

    instrument: str
    parkey: tuple[str, ...]
    links: tuple[PackedLink, ...]


Packed: TypeAlias = PackedReference | PackedLinks

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Packed)
_OBSERVATORY_DECODER = msgspec.msgpack.Decoder(Observatory)


class PackedError(ValueError):
    """Data that are no compiled mapping."""


def encode(packed: Packed) -> bytes:
    """Bytes to store."""
    return _ENCODER.encode(packed)


def decode(data: bytes | memoryview) -> Packed:
    """What `encode` was given.

    Raises
    ------
    PackedError
        If the data are anything else.
    """
    try:
        packed: Packed = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise PackedError(str(problem)) from None
    return packed


def numbers(data: bytes) -> list[int]:
    """Numbers of 32 bits."""
    found: list[int] = memoryview(data).cast("i").tolist()
    return found


def encode_observatory(observatory: Observatory) -> bytes:
    """Bytes to store of a telescope's definition."""
    return msgspec.msgpack.encode(observatory, enc_hook=_plain)


def decode_observatory(data: bytes | memoryview) -> Observatory:
    """What `encode_observatory` was given.

    Raises
    ------
    PackedError
        If the data are anything else.
    """
    try:
        return _OBSERVATORY_DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise PackedError(str(problem)) from None


def _plain(value: object) -> object:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError(type(value).__name__)
