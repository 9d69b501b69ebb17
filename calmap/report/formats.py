"""The formats of findings that are plain text, by name; `calmap.report.full` is for terminals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from calmap.diagnostics import Diagnostic
from calmap.report import concise, github, json_, sarif

FORMATS: Mapping[str, Callable[[Sequence[Diagnostic]], str]] = MappingProxyType(
    {"concise": concise.render, "json": json_.render, "sarif": sarif.render, "github": github.render}
)
