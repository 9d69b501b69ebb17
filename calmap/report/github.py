"""Findings as GitHub workflow commands, which GitHub shows beside the changed lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from calmap.diagnostics import Diagnostic, Severity
from calmap.report.place import place
from calmap.report.text import printable

_COMMANDS: Mapping[Severity, str] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
)


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """Render findings, one command a line."""
    return "".join(f"{_command(item)}\n" for item in sorted(diagnostics, key=Diagnostic.sort_key))


def command(severity: Severity, properties: Mapping[str, object], message: str, hint: str | None) -> str:
    """One workflow command."""
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    text = f"{message}\nhint: {hint}" if hint else message
    return f"::{_COMMANDS[severity]} {listed}::{_data(text)}"


def _command(diagnostic: Diagnostic) -> str:
    rule, where = diagnostic.rule, place(diagnostic.source, diagnostic.span)
    properties: dict[str, object] = {"file": diagnostic.source.name, "line": where.line}
    if where.line == where.end_line:
        properties |= {"col": where.column, "endColumn": where.end_column}
    else:
        properties["endLine"] = where.end_line
    properties["title"] = f"{rule.code} {rule.name}"
    return command(rule.severity, properties, diagnostic.message, diagnostic.hint)


def _data(text: str) -> str:
    """Escape as GitHub's own toolkit does, and what has no place in a log."""
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
