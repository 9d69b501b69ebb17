"""Mappings certified as reference files are, by the checks of `calmap check`."""

from __future__ import annotations

from calmap.cache.inspection import Inspector
from calmap.cache.targets import Target
from calmap.certify.finding import Certificate, Finding, ordered
from calmap.diagnostics import Diagnostic
from calmap.model.names import mapping_name


def certify_mapping(target: Target, inspector: Inspector) -> Certificate:
    """What is to be said of a mapping.

    Raises
    ------
    CacheError
        If the file can't be read.
    """
    parts = mapping_name(target.path.name)
    findings = ordered(_finding(diagnostic) for diagnostic in inspector.check(target))
    instrument, reftype = (parts.instrument, parts.filekind) if parts else ("", "")
    return Certificate(str(target.path), instrument, reftype, findings)


def _finding(diagnostic: Diagnostic) -> Finding:
    line = diagnostic.source.position(diagnostic.span.start).line
    message = f"{diagnostic.rule.code} {diagnostic.message}"
    return Finding(
        diagnostic.source.name, f"line {line}", message, diagnostic.severity, diagnostic.hint, line
    )
