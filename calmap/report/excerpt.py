"""Lines of users' files cut to a width around what matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from calmap.report.text import Charset

_TAB = 4


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A shown piece of a line: its text, and where the marked part stands, in terminal cells."""

    text: str
    before: int
    marked: int


def excerpt(line: str, start: int, end: int, width: int, charset: Charset) -> Excerpt:
    """Show a line, or as much of it around ``start:end`` as fits a width.

    Parameters
    ----------
    line
        The line as it is in the file.
    start, end
        The part to mark, in characters of the line; it may be empty.
    width
        Cells there are.
    charset
        What the console can show.
    """
    first, last = max(0, start - 2 * width), min(len(line), start + 3 * width)
    pieces = list(_pieces(line[first:last], charset))
    widths = [cell_len(piece) for piece in pieces]
    start, end = start - first, min(end, last) - first
    low, high = 0, len(pieces)
    if sum(widths) > width or len(pieces) < len(line):
        low, high = _window(widths, start, end, width - 2 * cell_len(charset.ellipsis))
    left = charset.ellipsis if first + low > 0 else ""
    right = charset.ellipsis if first + high < len(line) else ""
    return Excerpt(
        left + "".join(pieces[low:high]) + right,
        cell_len(left) + sum(widths[low:start]),
        max(1, sum(widths[start : min(end, high)])),
    )


def _pieces(line: str, charset: Charset) -> Iterator[str]:
    """What stands for each character; tabs reach to the next stop."""
    column = 0
    for char in line:
        piece = " " * (_TAB - column % _TAB) if char == "\t" else charset.safe(char)
        column += cell_len(piece)
        yield piece


def _window(widths: list[int], start: int, end: int, room: int) -> tuple[int, int]:
    """The range of pieces around ``start:end`` that fits into the room; its start always does."""
    low = high = min(start, len(widths))
    left = max(0, room - sum(widths[start:end])) // 2
    while low > 0 and widths[low - 1] <= left:
        low -= 1
        left -= widths[low]
        room -= widths[low]
    while high < len(widths) and widths[high] <= room:
        room -= widths[high]
        high += 1
    while low > 0 and widths[low - 1] <= room:
        low -= 1
        room -= widths[low]
    return low, high
