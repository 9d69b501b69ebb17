"""Bringing the recorded checksum of a mapping up to date."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from calmap.diagnostics import TextEdit, apply_edits
from calmap.errors import MappingError
from calmap.model.checksum import checksum
from calmap.model.mapping import Mapping
from calmap.source import Source, Span
from calmap.syntax.ast import Entry, String, Table, header_entry

_Way: TypeAlias = Callable[[str], TextEdit]
_KEY = "sha1sum"
_REST_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(?:#[^\r\n]*)?\r?\n")


def update_checksum(mapping: Mapping, others: Sequence[TextEdit] = ()) -> TextEdit | None:
    """The edit that makes a mapping record its right checksum, or None if it does.

    Only the value is replaced; a mapping that records none gets a line of its
    own in the header.

    Parameters
    ----------
    mapping
        The mapping.
    others
        Edits of other parts of the text that are made together with this one.

    Raises
    ------
    MappingError
        If the text can't be parsed; ``mapping.diagnostics`` say why.
    """
    header = mapping.header
    if header is None:
        raise MappingError(f"{mapping.path} can't be parsed", hint="calmap check tells why")
    entry = header_entry(header, _KEY)
    if entry is None:
        return _settled(mapping.text, others, _insertion(mapping.source, header))
    right = checksum(apply_edits(mapping.text, others)) if others else mapping.checksum
    if isinstance(entry.value, String) and entry.value.value.lower() == right:
        return None
    return _settled(mapping.text, others, _new_value(mapping.source, entry), _new_entry(entry))


def _settled(text: str, others: Sequence[TextEdit], *ways: _Way) -> TextEdit:
    """The first way of writing a checksum that does not change the checksum itself, else the last."""
    for write in ways:
        value = checksum(apply_edits(text, [*others, write("0" * 40)]))
        edit = write(value)
        if checksum(apply_edits(text, [*others, edit])) == value:
            break
    return edit


def _new_value(source: Source, entry: Entry) -> _Way:
    span = entry.value.span
    quote = '"' if source.text[span.start] == '"' else "'"
    return lambda value: TextEdit(span, f"{quote}{value}{quote}")


def _new_entry(entry: Entry) -> _Way:
    """Key and value anew on one line, for a value that stands on another line than its key."""
    return lambda value: TextEdit(entry.span, f"'{_KEY}' : '{value}'")


def _insertion(source: Source, header: Table) -> _Way:
    """A new entry where alphabetical order wants it, laid out like its neighbour."""
    newline = "\r\n" if "\r\n" in source.text else "\n"
    if not header.entries:
        at = header.span.start + 1
        end = "" if source.text.startswith(("\n", "\r\n"), at) else newline
        return lambda value: TextEdit(Span(at, at), f"{newline}    '{_KEY}' : '{value}',{end}")
    later = next((entry for entry in header.entries if _sorts_after(entry)), None)
    if later is not None:
        return _before(source, later, newline)
    return _after(source, header.entries[-1], newline)


def _before(source: Source, neighbour: Entry, newline: str) -> _Way:
    at = neighbour.span.start
    indent = _indent(source, neighbour)
    between = " " if indent is None else newline + indent
    return lambda value: TextEdit(Span(at, at), f"'{_KEY}'{_colon(source, neighbour)}'{value}',{between}")


def _after(source: Source, neighbour: Entry, newline: str) -> _Way:
    end = neighbour.span.end
    rest = _REST_OF_LINE.match(source.text, end)
    indent = _indent(source, neighbour)
    if rest is None or indent is None:
        return _before(source, neighbour, newline)
    kept = rest.group()
    comma = kept.lstrip(" \t").startswith(",")
    begin = kept if comma else f",{kept}"
    last = "," if comma else ""
    colon = _colon(source, neighbour)
    return lambda value: TextEdit(
        Span(end, rest.end()), f"{begin}{indent}'{_KEY}'{colon}'{value}'{last}{newline}"
    )


def _sorts_after(entry: Entry) -> bool:
    return isinstance(entry.key, String) and entry.key.value > _KEY


def _indent(source: Source, entry: Entry) -> str | None:
    """Blanks before an entry, or None if it does not begin its line."""
    position = source.position(entry.span.start)
    blanks = source.line(position.line)[: position.column - 1]
    return None if blanks.strip() else blanks


def _colon(source: Source, entry: Entry) -> str:
    """The colon of an entry with the blanks around it."""
    text = source.text[entry.key.span.end : entry.value.span.start]
    return text if text.strip(" \t") == ":" else " : "
