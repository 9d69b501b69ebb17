"""Findings about a file, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from calmap.source import Source, Span


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(StrEnum):
    """How far a fix may be trusted."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding.

    The documentation of a rule is the page ``docs/rules/<code>.md``, made
    from these fields.
    """

    code: str
    name: str
    summary: str
    severity: Severity = Severity.ERROR
    why: str = ""
    example: str = ""
    use_instead: str = ""
    filename: str = "tobs_tinstr_tfilekind_0001.rmap"
    fixable: bool = False


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replacement of the text in a span."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that would cure a finding."""

    title: str
    edits: tuple[TextEdit, ...]
    applicability: Applicability = Applicability.SAFE


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that belongs to a finding, maybe in another file."""

    source: Source
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding in one file.

    Parameters
    ----------
    rule
        The kind of finding.
    source, span
        Where; ``source.position`` gives line and column.
    message
        One sentence without a full stop, quoting the user's text.
    labels
        Other places involved.
    hint
        What to do.
    fix
        Edits that do it.
    """

    rule: Rule
    source: Source
    span: Span
    message: str
    labels: tuple[Label, ...] = ()
    hint: str | None = None
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        """Severity of the rule."""
        return self.rule.severity

    def sort_key(self) -> tuple[str, int, str, str]:
        """Order by file, place, code and message."""
        return (self.source.name, self.span.start, self.rule.code, self.message)


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Apply edits that don't overlap.

    Raises
    ------
    ValueError
        If two edits overlap.
    """
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda e: e.span):
        if edit.span.start < done:
            raise ValueError(f"overlapping edits at offset {edit.span.start}")
        pieces += (text[done : edit.span.start], edit.text)
        done = edit.span.end
    pieces.append(text[done:])
    return "".join(pieces)
