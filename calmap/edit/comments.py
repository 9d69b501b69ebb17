"""Comments of a text, and edits that leave none out."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits, line_start, newline_of
from calmap.source import Source, Span

_STRING_OR_COMMENT = re.compile(
    r"'''(?>(?:[^\\']+|\\(?s:.)|'(?!''))*)'''"
    r'|"""(?>(?:[^\\"]+|\\(?s:.)|"(?!""))*)"""'
    r"|'(?>(?:[^'\\\r\n]+|\\(?s:.))*)'"
    r'|"(?>(?:[^"\\\r\n]+|\\(?s:.))*)"'
    r"|(#[^\r\n]*)"
)


class Comments:
    """Where the comments of a text that can be parsed are, in order."""

    __slots__ = ("_starts", "spans", "text")

    def __init__(self, text: str) -> None:
        found = _STRING_OR_COMMENT.finditer(text) if "#" in text else ()
        self.text = text
        self.spans = tuple(Span(*match.span()) for match in found if match[1] is not None)
        self._starts = [span.start for span in self.spans]

    def within(self, start: int, end: int) -> tuple[Span, ...]:
        """The comments that begin in a part of the text."""
        return self.spans[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def written(self, start: int, end: int) -> tuple[str, ...]:
        """What the comments in a part of the text say, the sign before them included."""
        return tuple(self.text[span.start : span.end].rstrip() for span in self.within(start, end))


def lost(old: str, new: str) -> tuple[Span, ...]:
    """Comments of a text that another one lacks."""
    there = Counter(Comments(new).written(0, len(new)))
    comments = Comments(old)
    gone = []
    for span in comments.spans:
        words = old[span.start : span.end].rstrip()
        there[words] -= 1
        if there[words] < 0:
            gone.append(span)
    return tuple(gone)


def kept(source: Source, edits: Iterable[TextEdit]) -> Edits:
    """The same edits, with the comments that they would take away put in their place."""
    comments = Comments(source.text)
    return tuple(_with_comments(source, comments, edit) for edit in edits)


def _with_comments(source: Source, comments: Comments, edit: TextEdit) -> TextEdit:
    start, end = edit.span
    there = Comments(edit.text).written(0, len(edit.text))
    words = [word for word in comments.written(start, end) if word not in there]
    if not words:
        return edit
    newline = newline_of(source)
    line = source.text[line_start(source, start) :]
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    if start == line_start(source, start) and source.text[start:end].endswith("\n"):
        return TextEdit(edit.span, "".join(f"{indent}{word}{newline}" for word in words) + edit.text)
    before = "" if source.text[:start].endswith((" ", "\t", "(", "{", "[", "\n")) else "  "
    return TextEdit(edit.span, before + "".join(f"{word}{newline}{indent}" for word in words) + edit.text)
