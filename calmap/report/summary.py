"""The closing line of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from calmap.diagnostics import Applicability, Diagnostic, Severity

_NOUNS = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """How many findings there are, in how many files, and how many can be fixed."""
    if not diagnostics:
        return "No findings"
    by_severity = Counter(diagnostic.severity for diagnostic in diagnostics)
    counts = [counted(by_severity[severity], noun) for severity, noun in _NOUNS if by_severity[severity]]
    files = counted(len({diagnostic.source.name for diagnostic in diagnostics}), "file")
    fixable = sum(d.fix is not None and d.fix.applicability is Applicability.SAFE for d in diagnostics)
    cure = f" ({fixable} fixable with --fix)" if fixable else ""
    *most, last = counts
    return f"Found {', '.join(most) + ' and ' if most else ''}{last} in {files}{cure}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
