"""Rules put in the order in which CRDS writes them."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.compare.rows import key_elements
from calmap.diagnostics import TextEdit
from calmap.edit.application import checksummed, parsed
from calmap.edit.collisions import equal_rules
from calmap.edit.comments import Comments
from calmap.edit.entries import (
    OWN_COMMENT,
    REST_OF_LINE,
    Edits,
    comma_after,
    ends_line,
    line_start,
    own_indent,
)
from calmap.edit.refactoring import rearranged, rules_of
from calmap.edit.shape import shape
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping
from calmap.source import Source, Span
from calmap.syntax.ast import MappingFile, MappingKind, SelectorCall, Table, Value


def sort(mapping: Mapping) -> Mapping:
    """A mapping with header and rules in the order of their keys.

    Comment lines right above an entry, and the comment on its line, move with it.

    Raises
    ------
    RefusedError
        If the order of keys that mean the same would change, or it is not clear where comments belong.
    """
    if mapping.file is None:
        return mapping
    new = _in_order(mapping)
    if new is mapping:
        return mapping
    if rules_of(mapping.file) != rules_of(parsed(new)):
        raise _refusal(mapping.file)
    return new if new.recorded_checksum is not None else _in_order(checksummed(new))


def _in_order(mapping: Mapping) -> Mapping:
    new = mapping
    for depth in reversed(range(_levels(parsed(mapping).selector))):
        file = parsed(new)
        tables = _tables_at(file.selector, depth)
        comments = Comments(file.source.text)
        new = rearranged(new, [edit for table in tables for edit in _sorted(file.source, table, comments)])
    file = parsed(new)
    return rearranged(new, _sorted(file.source, file.header, Comments(file.source.text)))


def _sorted(source: Source, table: Table, comments: Comments) -> Edits:
    """Edits that put the entries of a table in order; equal keys stay as they are."""
    keys = [key_elements(entry.key) for entry in table.entries]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    if order == list(range(len(order))):
        return ()
    blocks = _blocks(source, table)
    if blocks is None:
        return _exchanged(source, table, order, comments)
    commas = [comma_after(source, entry) is not None for entry in table.entries]
    return tuple(
        TextEdit(blocks[place], _moved(source, table, blocks, number, commas[number], commas[place]))
        for place, number in enumerate(order)
        if place != number
    )


def _blocks(source: Source, table: Table) -> tuple[Span, ...] | None:
    """The lines of each entry, or None if entries share lines with something else."""
    blocks: list[Span] = []
    done = table.start
    for entry in table.entries:
        rest = REST_OF_LINE.match(source.text, entry.end)
        comma = comma_after(source, entry)
        if own_indent(source, entry.start) is None or rest is None or not ends_line(rest, comma):
            return None
        start = line_start(source, entry.start)
        while start > done and OWN_COMMENT.match(source.text, above := line_start(source, start - 1)):
            if above < done or above <= table.start:
                break
            start = above
        blocks.append(Span(start, rest.end()))
        done = rest.end()
    return tuple(blocks)


def _moved(
    source: Source, table: Table, blocks: tuple[Span, ...], number: int, has: bool, needs: bool
) -> str:
    """The lines of an entry with or without a comma, as its new place needs it."""
    block, entry = blocks[number], table.entries[number]
    text = source.slice(block)
    end = entry.end - block.start
    if has == needs:
        return text
    comma = comma_after(source, entry)
    if comma is None:
        return f"{text[:end]},{text[end:]}"
    return text[:end] + text[comma - block.start :]


def _exchanged(source: Source, table: Table, order: list[int], comments: Comments) -> Edits:
    """Edits that exchange the texts of entries where they share lines."""
    entries = table.entries
    inside = sum(len(comments.within(entry.start, entry.end)) for entry in entries)
    if len(comments.within(table.start, table.end)) > inside:
        line = source.position(table.start).line
        message = f"{source.name}:{line}: it is not clear to which rules the comments in this table belong"
        raise RefusedError(message, "calmap refactor format first puts each rule on a line of its own")
    return tuple(
        TextEdit(entries[place].span, source.slice(entries[number].span))
        for place, number in enumerate(order)
        if place != number
    )


def _refusal(file: MappingFile) -> RefusedError:
    message = f"{file.source.name}: keys that mean the same would change places, and with that their meaning"
    lines = ""
    if file.kind is MappingKind.REFERENCE:
        there = shape(file)
        found = sorted({there.line(entry) for group in equal_rules(there) for entry in group})
        lines = ", ".join(map(str, found[:10]))
    return RefusedError(message, f"look at lines {lines}" if lines else "calmap check tells which")


def _tables_at(value: Value, depth: int) -> Iterator[Table]:
    if isinstance(value, SelectorCall | Table) and not (depth and isinstance(value, Table)):
        table = value.table if isinstance(value, SelectorCall) else value
        if depth == 0:
            yield table
        else:
            for entry in table.entries:
                if isinstance(entry.value, SelectorCall):
                    yield from _tables_at(entry.value, depth - 1)


def _depth(value: Value) -> int:
    if isinstance(value, SelectorCall):
        return 1 + max((_depth(entry.value) for entry in value.table.entries), default=0)
    return 0


def _levels(selector: Table | SelectorCall) -> int:
    return _depth(selector) if isinstance(selector, SelectorCall) else 1
