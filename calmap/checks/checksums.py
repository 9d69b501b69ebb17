"""The checksum that a mapping records of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from calmap.checks.examples import header, selector
from calmap.checks.literals import rewritten
from calmap.checks.subject import Subject
from calmap.diagnostics import Diagnostic, Fix, Rule, TextEdit, apply_edits
from calmap.model.checksum import checksum
from calmap.source import Span
from calmap.syntax.ast import Entry, String

_WITHOUT = header() + "\n\n" + selector() + "\n"
_RIGHT = header(sha1sum=f"'{checksum(_WITHOUT)}'") + "\n\n" + selector() + "\n"
_WRONG = header(sha1sum="'0895daddfafcea2bbfea29b30ba64f63da40fd87'") + "\n\n" + selector() + "\n"
WRONG_CHECKSUM = Rule(
    "CM501",
    "wrong-checksum",
    "The recorded `sha1sum` is not that of the text",
    why="The text was changed after the checksum was recorded, on purpose or not. CRDS refuses to load the "
    "file unless it is told to ignore checksums. Lines with `sha1sum` in them do not count.",
    example=_WRONG,
    use_instead=_RIGHT,
    fixable=True,
)
MISSING_CHECKSUM = Rule(
    "CM502",
    "missing-checksum",
    "The header records no `sha1sum`",
    why="A change of the file, on purpose or not, can't be noticed, and CRDS refuses to load the file.",
    example=_WITHOUT,
    use_instead=_RIGHT,
    fixable=True,
)
RULES = (WRONG_CHECKSUM, MISSING_CHECKSUM)
KEY = "sha1sum"
_SOME = "0" * 40


def checksums(subject: Subject) -> Iterator[Diagnostic]:
    """CM501 and CM502."""
    entry = subject.entry(KEY)
    if entry is None:
        span = Span(subject.header.span.start, subject.header.span.start + 1)
        fix = Fix("record the checksum", _settled(subject, lambda right: insertion(subject, right)))
        yield subject.finding(MISSING_CHECKSUM, span, "the header records no 'sha1sum'", fix=fix)
        return
    right = subject.mapping.checksum
    if isinstance(entry.value, String) and entry.value.value.lower() != right:
        edits = _settled(subject, lambda right: (replacement(subject, entry, right),))
        message = f"the recorded checksum {entry.value.value[:40]} is wrong"
        fix = Fix("record the right checksum", edits)
        yield subject.finding(WRONG_CHECKSUM, entry.value.span, message, hint=f"it is {right}", fix=fix)


def _settled(subject: Subject, edits: Callable[[str], tuple[TextEdit, ...]]) -> tuple[TextEdit, ...]:
    """Edits that record the checksum of the text which they make."""
    return edits(checksum(apply_edits(subject.source.text, edits(_SOME))))


def replacement(subject: Subject, entry: Entry, right: str) -> TextEdit:
    """Edit of a recorded checksum; key and value come to stand on one line, which does not count."""
    if "\n" in subject.source.slice(entry.span):
        return TextEdit(entry.span, f"'{KEY}' : '{right}'")
    return rewritten(subject.source, entry.value, right)


def insertion(subject: Subject, right: str) -> tuple[TextEdit, ...]:
    """Edits that add a checksum: at its alphabetical place if each entry has a line, else first."""
    source, entries = subject.source, subject.header.entries
    item = f"'{KEY}' : '{right}'"
    newline = "\r\n" if "\r\n" in source.text else "\n"
    indents = [_indent(subject, entry) for entry in entries]
    if entries and all(indent is not None for indent in indents):
        for entry, indent in zip(entries, indents, strict=True):
            if isinstance(entry.key, String) and entry.key.value > KEY:
                start = entry.span.start - len(indent or "")
                return (TextEdit(Span(start, start), f"{indent}{item},{newline}"),)
        if (after := _after_last(subject)) is not None:
            comma = "" if source.text[after - 1] == "," else ","
            return (TextEdit(Span(after, after), f"{comma}{newline}{indents[-1]}{item},"),)
    start = subject.header.span.start + 1
    return (TextEdit(Span(start, start), f"{newline}    {item},{newline}"),)


def _indent(subject: Subject, entry: Entry) -> str | None:
    text = subject.source.text
    before = text[text.rfind("\n", 0, entry.span.start) + 1 : entry.span.start]
    return before if not before.strip() else None


def _after_last(subject: Subject) -> int | None:
    """Where the last entry and its comma end, if nothing but the end of the line follows."""
    text, end = subject.source.text, subject.header.entries[-1].span.end
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)].strip()
    if rest == ",":
        return text.index(",", end) + 1
    return end if not rest and text[end : subject.header.span.end].strip() == "}" else None


CHECKS = (checksums,)
