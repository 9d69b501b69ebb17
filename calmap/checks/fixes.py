"""Applies the fixes that findings bring along."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from calmap.checks.capping import capped
from calmap.checks.checksums import MISSING_CHECKSUM, WRONG_CHECKSUM
from calmap.checks.runner import every_finding
from calmap.checks.surroundings import NoSurroundings, Surroundings
from calmap.diagnostics import Applicability, Diagnostic, Severity, apply_edits
from calmap.model.mapping import Mapping, parse_mapping

MAX_ROUNDS = 20
_CHECKSUM = (WRONG_CHECKSUM, MISSING_CHECKSUM)
_ALONE = NoSurroundings()


@dataclass(frozen=True, slots=True)
class Fixed:
    """A mapping after its fixes.

    Parameters
    ----------
    mapping
        As it would be read now; nothing is written.
    applied
        The findings that were cured; their places are those of the text they were found in.
    remaining
        What is still found, as `check_mapping` tells it.
    """

    mapping: Mapping
    applied: tuple[Diagnostic, ...]
    remaining: tuple[Diagnostic, ...]

    @property
    def text(self) -> str:
        """The new text."""
        return self.mapping.text


def is_safe(finding: Diagnostic) -> bool:
    """True if a finding brings a fix that does not change what is selected."""
    return finding.fix is not None and finding.fix.applicability is Applicability.SAFE


def apply_fixes(
    path: Path,
    data: bytes,
    surroundings: Surroundings = _ALONE,
    *,
    wanted: Callable[[Diagnostic], bool] = is_safe,
) -> Fixed:
    """Apply fixes to the bytes of a mapping until none is left, and record the checksum last.

    Parameters
    ----------
    path
        Where the file stands; it is neither read nor written.
    data
        Its bytes.
    surroundings
        As for `check_mapping`.
    wanted
        Which findings to cure, if they have a fix; those with a safe one, if not told otherwise. The
        checksum follows a changed text if it was right before.
    """
    mapping = parse_mapping(path, data)
    findings = _findings(mapping, surroundings)
    was_right = not any(finding.rule in _CHECKSUM for finding in findings)
    applied: list[Diagnostic] = []
    refused: set[tuple[str, str]] = set()

    def is_wanted(finding: Diagnostic) -> bool:
        return finding.rule not in _CHECKSUM and wanted(finding)

    def is_wanted_last(finding: Diagnostic) -> bool:
        return finding.rule in _CHECKSUM and (wanted(finding) or (was_right and bool(applied)))

    for left in reversed(range(MAX_ROUNDS)):
        chosen = _choose(findings, is_wanted, refused) if left else []
        chosen = chosen or _choose(findings, is_wanted_last, refused)
        if not chosen:
            break
        better = _better(mapping, findings, chosen, surroundings)
        if better is None:
            chosen = chosen[:1]
            better = _better(mapping, findings, chosen, surroundings)
        if better is None:
            refused.update(_name(finding) for finding in chosen)
        else:
            mapping, findings = better
            applied += filter(wanted, chosen)
    return Fixed(mapping, tuple(applied), capped(findings))


def _findings(mapping: Mapping, surroundings: Surroundings) -> tuple[Diagnostic, ...]:
    return tuple(sorted(every_finding(mapping, surroundings), key=Diagnostic.sort_key))


def _choose(
    findings: Iterable[Diagnostic],
    wanted: Callable[[Diagnostic], bool],
    refused: set[tuple[str, str]],
) -> list[Diagnostic]:
    """Findings with fixes whose edits don't overlap, in the order of the text."""
    chosen: list[Diagnostic] = []
    taken: list[tuple[int, int]] = []
    for finding in findings:
        fix = finding.fix
        if fix is None or not wanted(finding) or _name(finding) in refused:
            continue
        spans = [(edit.span.start, edit.span.end) for edit in fix.edits]
        if all(_is_free(taken, start, end) for start, end in spans):
            chosen.append(finding)
            for span in spans:
                insort(taken, span)
    return chosen


def _is_free(taken: list[tuple[int, int]], start: int, end: int) -> bool:
    at = bisect_left(taken, (start, end))
    before_is_free = at == 0 or taken[at - 1][1] < start
    return before_is_free and (at == len(taken) or end < taken[at][0])


def _name(finding: Diagnostic) -> tuple[str, str]:
    return finding.rule.code, finding.message


def _better(
    mapping: Mapping, findings: tuple[Diagnostic, ...], chosen: list[Diagnostic], surroundings: Surroundings
) -> tuple[Mapping, tuple[Diagnostic, ...]] | None:
    """The mapping with fixes applied and what is then found, or None if it would not be better."""
    edits = [edit for finding in chosen if finding.fix for edit in finding.fix.edits]
    text = apply_edits(mapping.text, edits)
    edited = parse_mapping(mapping.path, text.encode("utf-8"))
    if text == mapping.text or edited.file is None:
        return None
    found = _findings(edited, surroundings)
    return (edited, found) if _errors(found) <= _errors(findings) else None


def _errors(findings: Iterable[Diagnostic]) -> int:
    return sum(f.severity is Severity.ERROR and f.rule not in _CHECKSUM for f in findings)
