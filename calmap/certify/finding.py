"""What is to be said of a file, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from calmap.diagnostics import Severity

LONGEST: Final = 60
"""Characters of a value that a message shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a file, or worth knowing.

    Parameters
    ----------
    file
        The file.
    place
        Where in it: a keyword, ``array SCI``, ``column SEGMENT``, a line; empty for all of it.
    message
        One sentence without a full stop.
    severity
        How bad it is.
    hint
        What to do.
    line
        Line of a text file, or None.
    """

    file: str
    place: str
    message: str
    severity: Severity = Severity.ERROR
    hint: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value, an array or whatever a constraint is about.

    Parameters
    ----------
    message, hint, severity
        As of a finding; the message is what comes after the name of the subject.
    lacking
        Keywords and arrays without which the constraint could not be looked at.
    """

    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """The result for one file.

    Parameters
    ----------
    file
        The file.
    instrument, reftype
        What it is for, lower case; empty where that is not known.
    findings
        What was found.
    constraints
        How many constraints counted for it.
    """

    file: str
    instrument: str
    reftype: str
    findings: tuple[Finding, ...]
    constraints: int = 0

    def count(self, severity: Severity) -> int:
        """Number of findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def passed(self) -> bool:
        """True if there is neither an error nor a warning."""
        return not any(self.count(severity) for severity in (Severity.ERROR, Severity.WARNING))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings with the worst first, each once."""
    order = tuple(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: order.index(finding.severity)))


def quoted(text: str) -> str:
    """A value as messages have it, shortened where it is long."""
    return f"'{text}'" if len(text) <= LONGEST else f"'{text[: LONGEST - 3]}...'"
