"""Findings as a JSON list of flat objects, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from calmap.diagnostics import Diagnostic, Fix, Label
from calmap.report.place import place
from calmap.source import Source, Span


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """Render findings; lines and columns count from one and an end is exclusive."""
    findings = [_finding(item) for item in sorted(diagnostics, key=Diagnostic.sort_key)]
    return json.dumps(findings, indent=2) + "\n"


def _finding(diagnostic: Diagnostic) -> dict[str, object]:
    rule, source = diagnostic.rule, diagnostic.source
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": str(rule.severity),
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "file": source.name,
        **_place(source, diagnostic.span),
        "labels": [_label(label) for label in diagnostic.labels],
        "fix": diagnostic.fix and _fix(diagnostic.fix, source),
    }


def _place(source: Source, span: Span) -> dict[str, int]:
    return place(source, span)._asdict()


def _label(label: Label) -> dict[str, object]:
    return {"message": label.text, "file": label.source.name, **_place(label.source, label.span)}


def _fix(fix: Fix, source: Source) -> dict[str, object]:
    return {
        "title": fix.title,
        "applicability": str(fix.applicability),
        "edits": [{**_place(source, edit.span), "content": edit.text} for edit in fix.edits],
    }
