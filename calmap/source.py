"""The text of a file and places in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of character offsets."""

    start: int
    end: int


class Position(NamedTuple):
    """A line and a column, both counted from one."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Source:
    """The name and text of one file.

    The text is kept as it was read, line ends included, so that an edit
    changes only the characters it names.
    """

    name: str
    text: str
    _line_starts: tuple[int, ...] = field(default=(), init=False, repr=False, compare=False)

    @property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which the lines start; found when first asked for."""
        if not self._line_starts:
            found = (0, *(match.end() for match in re.finditer("\n", self.text)))
            object.__setattr__(self, "_line_starts", found)
        return self._line_starts

    def position(self, offset: int) -> Position:
        """Line and column of a character offset."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Text of a line, counted from one, without its line end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r")

    def slice(self, span: Span) -> str:
        """Text within a span."""
        return self.text[span.start : span.end]
