"""Expressions of an rmap's header, and the parameters that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from calmap.compile.terms import lower_text
from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits, quote_of
from calmap.edit.literals import quoted
from calmap.edit.shape import table_of
from calmap.errors import MappingError, RefusedError
from calmap.source import Source, Span
from calmap.syntax.ast import MappingFile, String, header_entry
from calmap.syntax.expression import ExpressionError, names
from calmap.syntax.expression_text import parse_expression
from calmap.syntax.literals import string_value

WHOLE_TYPE = ("rmap_relevance", "rmap_omit")
"""Header keys with an expression on the whole type."""
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LITERAL = re.compile(
    r"(?P<prefix>[uUrR]?)"
    r"(?P<quote>'''|\"\"\"|'|\")(?P<body>(?>(?:\\(?s:.)|(?!(?P=quote))(?s:.))*))(?P=quote)"
    r"|#[^\r\n]*"
)


def expressions(file: MappingFile) -> Iterator[tuple[str, String]]:
    """Expressions of a header, each with the key that it stands for."""
    for key in WHOLE_TYPE:
        entry = header_entry(file.header, key)
        if entry is not None and isinstance(entry.value, String):
            yield key, entry.value
    table = table_of(header_entry(file.header, "parkey_relevance"))
    for entry in table.entries if table is not None else ():
        if isinstance(entry.key, String) and isinstance(entry.value, String):
            yield entry.key.value, entry.value


def named_in(key: str, expression: String, parameter: str) -> tuple[Span, ...]:
    """Where an expression names a parameter, counted in its text.

    Raises
    ------
    MappingError
        If the text is no expression.
    """
    text = lower_text(expression.value) if key in WHOLE_TYPE else expression.value
    try:
        found = names(parse_expression(str(text)))
    except ExpressionError as problem:
        raise MappingError(f"{key} is no expression: {problem}", "calmap check tells more") from None
    return tuple(name.span for name in found if name.name == parameter)


def renamed_in_expressions(file: MappingFile, old: str, new: str) -> Iterator[TextEdit]:
    """Edits that give a parameter another name in all expressions.

    Raises
    ------
    RefusedError
        If the new name can't stand in one of them.
    """
    for key, expression in expressions(file):
        spans = named_in(key, expression, old)
        if not spans:
            continue
        if not _NAME.fullmatch(new):
            line = file.source.position(expression.start).line
            message = f"{file.source.name}:{line}: {new!r} can't stand in the expression of {key}"
            raise RefusedError(message, "there a name is made of letters, digits, '_' and '.'")
        yield from _renamed(file, expression, spans, new)


def _renamed(file: MappingFile, expression: String, spans: tuple[Span, ...], new: str) -> Edits:
    """Edits of the names only, or of the whole string where a name is not written as one piece."""
    places = [_part_span(file.source, expression, span) for span in spans]
    if all(place is not None for place in places):
        return tuple(TextEdit(place, new) for place in places if place is not None)
    text = expression.value
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return (TextEdit(expression.span, quoted(text, quote_of(file.source, expression))),)


def _part_span(source: Source, string: String, part: Span) -> Span | None:
    """Where a part of a string's value stands in the text, or None if it is not written as it reads."""
    done = 0
    for start, body, value in _literals(source, string):
        if done <= part.start and part.end <= done + len(value):
            if body != value:
                return None
            return Span(start + part.start - done, start + part.end - done)
        done += len(value)
    return None


def _literals(source: Source, string: String) -> Iterator[tuple[int, str, str]]:
    """The literals of a string: where their text begins, their text and what it means."""
    for match in _LITERAL.finditer(source.text, string.start, string.end):
        if match["quote"] is not None:
            yield match.start("body"), match["body"], string_value(match[0])
