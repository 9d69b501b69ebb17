"""What certifying found, file by file: for people, for programs and for GitHub."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from calmap.certify.finding import Certificate, Finding
from calmap.diagnostics import Severity
from calmap.report.github import command
from calmap.report.summary import counted
from calmap.report.text import Charset

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "cyan"}
)
_WORDS: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
)


def render_certificate(certificate: Certificate, console: Console) -> None:
    """Write the result for one file."""
    from rich.text import Text

    from calmap.report.layout import hanging

    charset = Charset.of(console)
    kind = " ".join(filter(None, (certificate.instrument, certificate.reftype)))
    title = Text(charset.safe("  ".join(filter(None, (certificate.file, kind)))), "bold")
    title.append(f"  {_verdict(certificate)}", "green" if certificate.passed else "")
    console.print(title, soft_wrap=True)
    for finding in certificate.findings:
        lead = Text.assemble("  ", (f"{_WORDS[finding.severity]:<9}", _STYLES[finding.severity]))
        for row in hanging(lead, Text(charset.safe(sentence(finding))), console):
            console.print(row, soft_wrap=True)
        if finding.hint:
            for row in hanging(
                Text(" " * 11 + "hint: ", "dim"), Text(charset.safe(finding.hint), "dim"), console
            ):
                console.print(row, soft_wrap=True)


def certificates_json(certificates: Sequence[Certificate]) -> str:
    """A JSON list with an object for each file."""
    return json.dumps([_object(certificate) for certificate in certificates], indent=2) + "\n"


def certificates_github(certificates: Sequence[Certificate]) -> str:
    """GitHub workflow commands, one a line."""
    findings = (finding for certificate in certificates for finding in certificate.findings)
    return "".join(f"{_command(finding)}\n" for finding in findings)


def totals(certificates: Sequence[Certificate]) -> str:
    """The closing line: how many files passed, and what was found in the others."""
    passed = sum(certificate.passed for certificate in certificates)
    files = counted(len(certificates), "file")
    if passed == len(certificates):
        return f"{files} passed"
    found = _counts(certificates, (Severity.ERROR, Severity.WARNING))
    return f"{passed} of {files} passed, {', '.join(found)}"


def sentence(finding: Finding) -> str:
    """Place and message, the place only where the message does not have it."""
    place = f"line {finding.line}" if finding.line is not None else finding.place
    if not place or finding.message.startswith(place):
        return finding.message
    return f"{place}: {finding.message}"


def _verdict(certificate: Certificate) -> str:
    counts = _counts([certificate], tuple(_WORDS))
    return ", ".join(counts) if not certificate.passed else ", ".join(["passed", *counts])


def _counts(certificates: Sequence[Certificate], severities: Sequence[Severity]) -> list[str]:
    numbers = {
        severity: sum(certificate.count(severity) for certificate in certificates) for severity in severities
    }
    return [counted(number, _WORDS[severity]) for severity, number in numbers.items() if number]


def _object(certificate: Certificate) -> dict[str, object]:
    return {
        "file": certificate.file,
        "instrument": certificate.instrument,
        "type": certificate.reftype,
        "passed": certificate.passed,
        "findings": [
            {
                "severity": str(finding.severity),
                "place": finding.place,
                "line": finding.line,
                "message": finding.message,
                "hint": finding.hint,
            }
            for finding in certificate.findings
        ],
    }


def _command(finding: Finding) -> str:
    properties: dict[str, object] = {"file": finding.file}
    if finding.line is not None:
        properties["line"] = finding.line
    if finding.place:
        properties["title"] = finding.place
    return command(finding.severity, properties, sentence(finding), finding.hint)
