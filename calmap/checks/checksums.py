"""The checksum that a mapping records of itself."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.checks.examples import header, selector
from calmap.checks.subject import Subject
from calmap.diagnostics import Diagnostic, Fix, Rule
from calmap.model.checksum import checksum
from calmap.model.recording import update_checksum
from calmap.source import Span
from calmap.syntax.ast import String

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


def checksums(subject: Subject) -> Iterator[Diagnostic]:
    """CM501 and CM502."""
    edit = update_checksum(subject.mapping)
    if edit is None:
        return
    entry = subject.entry(KEY)
    if entry is None:
        span = Span(subject.header.span.start, subject.header.span.start + 1)
        fix = Fix("record the checksum", (edit,))
        yield subject.finding(MISSING_CHECKSUM, span, "the header records no 'sha1sum'", fix=fix)
    else:
        recorded = (
            f" {entry.value.value[:40]}" if isinstance(entry.value, String) and entry.value.value else ""
        )
        fix = Fix("record the right checksum", (edit,))
        message = f"the recorded checksum{recorded} is {'wrong' if recorded else 'no checksum'}"
        hint = f"it is {subject.mapping.checksum}"
        yield subject.finding(WRONG_CHECKSUM, entry.value.span, message, hint=hint, fix=fix)


CHECKS = (checksums,)
