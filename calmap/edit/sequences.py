"""Items put into a tuple, or taken out of it, by edits of its text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from calmap.diagnostics import TextEdit
from calmap.edit.entries import REST_OF_LINE, Edits, comma_after, ends_line, newline_of, own_indent
from calmap.source import Source, Span
from calmap.syntax.ast import List, Set, Tuple

Items = Tuple | List | Set
_OPENING = re.compile(r"(?:[(\[{]\s*)+(?<=[(\[{])")


def insert_item(source: Source, sequence: Items, index: int, text: str) -> TextEdit:
    """The edit that puts an item before the one of an index, or at the end."""
    items = sequence.items
    if not items:
        opening = _OPENING.match(source.text, sequence.start)
        at = opening.end() if opening else sequence.start + 1
        return TextEdit(Span(at, at), f"{text},")
    if index == 0:
        indents = [own_indent(source, item.start) for item in items]
        apart = ", " if None in indents else f",{newline_of(source)}{indents[0]}"
        return TextEdit(Span(items[0].start, items[0].start), text + apart)
    previous = items[index - 1]
    comma = comma_after(source, previous)
    indent = own_indent(source, previous.start)
    rest = REST_OF_LINE.match(source.text, previous.end)
    if indent is not None and rest is not None and comma is not None and ends_line(rest, comma):
        return TextEdit(Span(rest.end(), rest.end()), f"{indent}{text},{newline_of(source)}")
    if len(items) == 1 and comma is not None:
        return TextEdit(Span(comma, comma), f" {text}")
    return TextEdit(Span(previous.end, previous.end), f", {text}")


def remove_item(source: Source, sequence: Items, index: int) -> Edits:
    """Edits that take an item away; one that is then alone keeps the comma that makes it a tuple."""
    items = sequence.items
    item, last = items[index], len(items) - 1
    comma = comma_after(source, item)
    if not last:
        return (TextEdit(Span(item.start, comma or item.end), ""),)
    if index < last:
        edits: Edits = (TextEdit(Span(item.start, items[index + 1].start), ""),)
        if last == 1 and comma_after(source, items[1]) is None:
            edits += (TextEdit(Span(items[1].end, items[1].end), ","),)
        return edits
    previous = items[index - 1].end
    between = comma_after(source, items[index - 1])
    start = between if last == 1 and comma is None and between is not None else previous
    return (TextEdit(Span(start, item.end), ""),)


def arrange(source: Source, sequence: Items, order: Sequence[int]) -> Edits:
    """Edits that put items in another order: item ``order[i]`` comes to place ``i``."""
    items = sequence.items
    return tuple(
        TextEdit(items[place].span, source.slice(items[number].span))
        for place, number in enumerate(order)
        if place != number
    )
