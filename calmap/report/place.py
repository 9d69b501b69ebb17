"""Where a span is, as people and machines count: lines and columns from one, the end exclusive."""

from __future__ import annotations

from typing import NamedTuple

from calmap.source import Source, Span


class Place(NamedTuple):
    """Start and end of a span."""

    line: int
    column: int
    end_line: int
    end_column: int


def place(source: Source, span: Span) -> Place:
    """Lines and columns of a span."""
    return Place(*source.position(span.start), *source.position(span.end))
