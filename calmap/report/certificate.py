"""What certifying found, file by file: for people, for programs and for GitHub."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from calmap.certify.finding import Certificate, Finding
from calmap.diagnostics import Severity
from calmap.report.summary import counted
from calmap.report.text import Charset, printable

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "cyan"}
)
_WORDS: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
)
_COMMANDS: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
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
    line = f",line={finding.line}" if finding.line is not None else ""
    text = f"{sentence(finding)}\nhint: {finding.hint}" if finding.hint else sentence(finding)
    title = f",title={_property(finding.place)}" if finding.place else ""
    return f"::{_COMMANDS[finding.severity]} file={_property(finding.file)}{line}{title}::{_data(text)}"


def _data(text: str) -> str:
    """Escape as GitHub's own toolkit does, and what has no place in a log."""
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
