"""Entries put into a table, or taken out of it, without touching the text around them."""

from __future__ import annotations

import re
from typing import NamedTuple

from calmap.diagnostics import TextEdit
from calmap.source import Source, Span
from calmap.syntax.ast import Entry, Placed, String, Table, Tuple, Value

_COMMA = re.compile(r"(?>(?:\s+|\\\r?\n|#[^\r\n]*)*),")
REST_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")
_END_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?\r?\n")
OWN_COMMENT = re.compile(r"[ \t]*#")
_STEP = "    "
Edits = tuple[TextEdit, ...]


class Manner(NamedTuple):
    """How the entries of a table are written."""

    indent: str | None
    colon: str
    quote: str


def newline_of(source: Source) -> str:
    """The line end that a text uses."""
    return "\r\n" if "\r\n" in source.text else "\n"


def manner_of(source: Source, table: Table, neighbour: Entry | None = None) -> Manner:
    """How an entry is written in a table, learned from a neighbour; no indent if they share lines."""
    if neighbour is None:
        return Manner(_indent_of_line(source, table.start) + _STEP, " : ", "'")
    colon = source.text[neighbour.key.end : neighbour.value.start]
    return Manner(
        own_indent(source, neighbour.start),
        colon if colon.strip(" \t") == ":" else " : ",
        quote_of(source, neighbour.key),
    )


def quote_of(source: Source, value: Value) -> str:
    """The quotation mark that a string, or the first one in a tuple, is written with."""
    items = value.items if isinstance(value, Tuple) else (value,)
    for item in items:
        if isinstance(item, String):
            return '"' if source.text[item.start : item.start + 1] == '"' else "'"
    return "'"


def own_indent(source: Source, offset: int) -> str | None:
    """Blanks before what begins a line, or None if something else stands before it."""
    blanks = source.text[line_start(source, offset) : offset]
    return None if blanks.strip() else blanks


def insert_entry(source: Source, table: Table, index: int, text: str) -> Edits:
    """Edits that put an entry before the one of an index, or at the end.

    A comment right above an entry stays with it.

    Parameters
    ----------
    source, table
        The table and the text it stands in.
    index
        Place among the entries.
    text
        The entry without comma and indentation.
    """
    entries = table.entries
    if not entries:
        return (_into_empty(source, table, text),)
    if index == 0:
        return (_before(source, table, entries[0], text),)
    return _after(source, entries[index - 1], text)


def remove_entry(source: Source, table: Table, index: int) -> Edits:
    """Edits that take an entry out of a table, with its line if it has one for itself."""
    return remove_entries(source, table, frozenset({index}))


def remove_entries(source: Source, table: Table, indices: frozenset[int]) -> Edits:
    """Edits that take several entries out of a table."""
    entries = table.entries
    edits = [_cut(source, table, index) for index in sorted(indices)]
    kept = [index for index in range(len(entries)) if index not in indices]
    last = len(entries) - 1
    if kept and last in indices and comma_after(source, entries[last]) is None:
        survivor = entries[kept[-1]]
        comma = comma_after(source, survivor)
        if comma is not None:
            edits.append(TextEdit(Span(comma - 1, comma), ""))
    return _joined(edits)


def _into_empty(source: Source, table: Table, text: str) -> TextEdit:
    newline = newline_of(source)
    base = _indent_of_line(source, table.start)
    at = table.start + 1
    rest = _END_OF_LINE.match(source.text, at)
    if rest is None:
        return TextEdit(Span(at, at), f"{newline}{base}{_STEP}{text},{newline}{base}")
    return TextEdit(Span(rest.end(), rest.end()), f"{base}{_STEP}{text},{newline}")


def _before(source: Source, table: Table, first: Entry, text: str) -> TextEdit:
    indent = own_indent(source, first.start)
    if indent is None:
        return TextEdit(Span(first.start, first.start), f"{text}, ")
    at = line_start(source, first.start)
    while at > table.start:
        above = line_start(source, at - 1)
        if above <= table.start or not OWN_COMMENT.match(source.text, above):
            break
        at = above
    return TextEdit(Span(at, at), f"{indent}{text},{newline_of(source)}")


def _after(source: Source, previous: Entry, text: str) -> Edits:
    indent = own_indent(source, previous.start)
    comma = comma_after(source, previous)
    rest = REST_OF_LINE.match(source.text, previous.end)
    newline = newline_of(source)
    if indent is not None and rest is not None and ends_line(rest, comma):
        line = f"{indent}{text}{',' if comma is not None else ''}{newline}"
        new = TextEdit(Span(rest.end(), rest.end()), line)
        end = previous.end
        return (new,) if comma is not None else (TextEdit(Span(end, end), ","), new)
    between = " " if indent is None else f"{newline}{indent}"
    if comma is None:
        return (TextEdit(Span(previous.end, previous.end), f",{between}{text}"),)
    blank = _END_OF_LINE.match(source.text, comma)
    if indent is not None and blank is not None:
        return (TextEdit(Span(blank.end(), blank.end()), f"{indent}{text},{newline}"),)
    return (TextEdit(Span(comma, comma), f"{between}{text},"),)


def _cut(source: Source, table: Table, index: int) -> TextEdit:
    """The text of an entry with its comma, and with its lines where nothing else stands on them."""
    entries, entry = table.entries, table.entries[index]
    rest = REST_OF_LINE.match(source.text, entry.end)
    comma = comma_after(source, entry)
    if own_indent(source, entry.start) is not None and rest is not None and ends_line(rest, comma):
        return TextEdit(Span(line_start(source, entry.start), rest.end()), "")
    if comma is None or index + 1 == len(entries):
        before = comma_after(source, entries[index - 1]) if index else None
        is_bare = before is not None and not source.text[before : entry.start].strip()
        start = before if is_bare and before is not None else entry.start
        return TextEdit(Span(start, comma or entry.end), "")
    if not source.text[comma : entries[index + 1].start].strip(" \t"):
        return TextEdit(Span(entry.start, entries[index + 1].start), "")
    return TextEdit(Span(entry.start, comma), "")


def ends_line(rest: re.Match[str], comma: int | None) -> bool:
    """True if nothing but the comma of an entry, if it has one, and a comment follows it on its line."""
    return rest.group().endswith("\n") and (comma is None or comma <= rest.end())


def _joined(edits: list[TextEdit]) -> Edits:
    """Removals in order, those that overlap made one."""
    merged: list[TextEdit] = []
    for edit in sorted(edits, key=lambda e: e.span):
        if merged and edit.span.start < merged[-1].span.end:
            start, end = merged[-1].span
            merged[-1] = TextEdit(Span(start, max(end, edit.span.end)), "")
        else:
            merged.append(edit)
    return tuple(merged)


def comma_after(source: Source, entry: Placed) -> int | None:
    """Offset behind the comma of an entry or an item, or None if it has none."""
    match = _COMMA.match(source.text, entry.end)
    return match.end() if match else None


def line_start(source: Source, offset: int) -> int:
    """Offset at which the line of an offset begins."""
    return source.text.rfind("\n", 0, offset) + 1


def _indent_of_line(source: Source, offset: int) -> str:
    line = source.text[line_start(source, offset) : offset]
    return line[: len(line) - len(line.lstrip(" \t"))]
