"""Text of users' files and headers made safe to show.

Whatever a rule file or a header holds, what is shown has no control
characters, no invisible ones and nothing the terminal's encoding lacks.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_ASCII_FOR = {"→": "->", "≤": "<=", "≥": ">=", "≠": "!=", "…": "...", "–": "-", "—": "-", "·": "."}


def printable(text: str, encoding: str = "utf-8") -> str:
    """One line of text in which what can't be shown is a backslash escape."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    if encoding == "utf-8" or text.isascii():
        return text
    return "".join(_encodable(c, encoding) for c in text)


def _encodable(char: str, encoding: str) -> str:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return _ASCII_FOR.get(char) or char.encode("ascii", "backslashreplace").decode("ascii")
    return char


@dataclass(frozen=True, slots=True)
class Charset:
    """What a console can show: signs to draw with, and a filter for users' text."""

    encoding: str
    match: str = "✓"
    anything: str = "·"
    no: str = "✗"
    ellipsis: str = "…"
    branch: str = "├─ "
    last_branch: str = "└─ "
    rail: str = "│  "

    @classmethod
    def of(cls, console: Console) -> Charset:
        """Signs for a console, ASCII ones where it does not speak Unicode."""
        try:
            encoding = codecs.lookup(console.encoding).name
        except LookupError:
            encoding = "ascii"
        if encoding.startswith("utf"):
            return cls("utf-8")
        return cls(encoding, "+", ".", "x", "...", "|- ", "`- ", "|  ")

    def safe(self, text: str) -> str:
        """Text that the console can show as one line."""
        return printable(text, self.encoding)
