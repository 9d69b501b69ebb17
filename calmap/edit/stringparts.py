"""Parts of a string found again in the text that it was read from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from calmap.source import Source, Span
from calmap.syntax.ast import String
from calmap.syntax.literals import string_value

_LITERAL = re.compile(
    r"(?P<prefix>[uUrR]?)"
    r"(?P<quote>'''|\"\"\"|'|\")(?P<body>(?:\\(?s:.)|(?!(?P=quote))(?s:.))*+)(?P=quote)"
    r"|#[^\r\n]*"
)


def part_span(source: Source, string: String, part: Span) -> Span | None:
    """Where a part of a string stands in the text, or None if it is not written there as it reads.

    Parameters
    ----------
    source
        The text.
    string
        The string; it may be written as several literals, with escapes.
    part
        The part, counted in the value of the string.
    """
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
