"""Edits of literals in a text."""

from __future__ import annotations

from calmap.diagnostics import TextEdit
from calmap.source import Source, Span
from calmap.syntax.ast import String, Value


def rewritten(source: Source, value: Value, text: str) -> TextEdit:
    """Edit that puts a plain string, free of quotes and backslashes, in the place of a value."""
    quote = source.text[value.span.start : value.span.start + 1]
    quote = quote if quote in ("'", '"') else "'"
    return TextEdit(value.span, f"{quote}{text}{quote}")


def is_plain(source: Source, value: String) -> bool:
    """True if a string stands in the text as one literal without escapes or prefix."""
    return source.slice(value.span)[1:-1] == value.value


def part_of(source: Source, value: String, start: int, end: int) -> Span:
    """Span of a part of a string's value, or of all of the string if that can't be told."""
    if not is_plain(source, value):
        return value.span
    first = value.span.start + 1
    return Span(first + min(start, len(value.value)), first + min(max(end, start + 1), len(value.value) + 1))
