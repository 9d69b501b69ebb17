"""Findings as SARIF 2.1.0, the exchange format of code-scanning services."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from urllib.parse import quote

from calmap.diagnostics import Diagnostic, Fix, Label, Rule, Severity
from calmap.report.place import place
from calmap.report.rule_page import rule_page
from calmap.source import Source, Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Mapping[Severity, str] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
)

Json = dict[str, object]


def render(
    diagnostics: Sequence[Diagnostic], *, root: PurePath | None = None, version: str | None = None
) -> str:
    """Render findings as a SARIF log with one run.

    Parameters
    ----------
    diagnostics
        The findings.
    root
        Absolute paths below this folder are given relative to it.
    version
        Of calmap.
    """
    found = sorted(diagnostics, key=Diagnostic.sort_key)
    rules = sorted({item.rule.code: item.rule for item in found}.values(), key=lambda rule: rule.code)
    index = {rule.code: number for number, rule in enumerate(rules)}
    driver: Json = {"name": "calmap", "rules": [_rule(rule) for rule in rules]}
    if version:
        driver["version"] = version
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, index, root) for item in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why or rule.summary},
        "help": {"text": rule.why or rule.summary, "markdown": rule_page(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(diagnostic: Diagnostic, index: Mapping[str, int], root: PurePath | None) -> Json:
    source, hint = diagnostic.source, diagnostic.hint
    result: Json = {
        "ruleId": diagnostic.rule.code,
        "ruleIndex": index[diagnostic.rule.code],
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": f"{diagnostic.message}\nHint: {hint}" if hint else diagnostic.message},
        "locations": [{"physicalLocation": _location(source, diagnostic.span, root)}],
    }
    if diagnostic.labels:
        result["relatedLocations"] = [_related(item, root) for item in enumerate(diagnostic.labels)]
    if diagnostic.fix:
        result["fixes"] = [_fix(diagnostic.fix, source, root)]
    return result


def _related(numbered: tuple[int, Label], root: PurePath | None) -> Json:
    number, label = numbered
    location = _location(label.source, label.span, root)
    return {"id": number, "message": {"text": label.text}, "physicalLocation": location}


def _fix(fix: Fix, source: Source, root: PurePath | None) -> Json:
    replacements = [
        {"deletedRegion": _region(source, edit.span), "insertedContent": {"text": edit.text}}
        for edit in fix.edits
    ]
    change = {"artifactLocation": _artifact(source, root), "replacements": replacements}
    return {"description": {"text": fix.title}, "artifactChanges": [change]}


def _location(source: Source, span: Span, root: PurePath | None) -> Json:
    return {"artifactLocation": _artifact(source, root), "region": _region(source, span)}


def _region(source: Source, span: Span) -> Json:
    where = place(source, span)
    return {
        "startLine": where.line,
        "startColumn": where.column,
        "endLine": where.end_line,
        "endColumn": where.end_column,
    }


def _artifact(source: Source, root: PurePath | None) -> Json:
    path = PurePath(source.name)
    if root and path.is_relative_to(root):
        path = path.relative_to(root)
    uri = quote(os.fsencode(path.as_posix()))
    if path.is_absolute():
        return {"uri": f"file://{'' if uri.startswith('/') else '/'}{uri}"}
    return {"uri": uri, "uriBaseId": "%SRCROOT%"}
