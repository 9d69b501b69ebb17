"""Findings about rule files: what a finding is, and how to register its rule."""

from calmap.diagnostics.model import (
    Applicability,
    Diagnostic,
    Fix,
    Label,
    Rule,
    Severity,
    TextEdit,
    apply_edits,
)
from calmap.diagnostics.registry import registry

__all__ = [
    "Applicability",
    "Diagnostic",
    "Fix",
    "Label",
    "Rule",
    "Severity",
    "TextEdit",
    "apply_edits",
    "registry",
]
