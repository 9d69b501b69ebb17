"""One line a finding: ``file:line:column: CODE message``."""

from __future__ import annotations

from collections.abc import Sequence

from calmap.diagnostics import Diagnostic
from calmap.report.text import printable


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """Render findings, one a line, in the order of files and places."""
    return "".join(f"{_line(item)}\n" for item in sorted(diagnostics, key=Diagnostic.sort_key))


def _line(diagnostic: Diagnostic) -> str:
    line, column = diagnostic.source.position(diagnostic.span.start)
    name, message = printable(diagnostic.source.name), printable(diagnostic.message)
    return f"{name}:{line}:{column}: {diagnostic.rule.code} {message}"
