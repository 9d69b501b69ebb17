"""Applies the fixes that findings bring along."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from calmap.checks.checksums import MISSING_CHECKSUM, WRONG_CHECKSUM
from calmap.checks.runner import check_mapping
from calmap.checks.surroundings import NoSurroundings, Surroundings
from calmap.diagnostics import Applicability, Diagnostic, TextEdit, apply_edits
from calmap.model.mapping import Mapping, parse_mapping

MAX_ROUNDS = 10
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
        What is still found.
    """

    mapping: Mapping
    applied: tuple[Diagnostic, ...]
    remaining: tuple[Diagnostic, ...]

    @property
    def text(self) -> str:
        """The new text."""
        return self.mapping.text


def every(finding: Diagnostic) -> bool:
    """Accept any finding."""
    return True


def apply_fixes(
    path: Path,
    data: bytes,
    surroundings: Surroundings = _ALONE,
    *,
    wanted: Callable[[Diagnostic], bool] = every,
    unsafe: bool = False,
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
        Which findings to cure. The checksum follows a changed text if it was right before.
    unsafe
        Also apply fixes that may change what is selected.
    """
    mapping = parse_mapping(path, data)
    findings = check_mapping(mapping, surroundings)
    was_right = not any(finding.rule in _CHECKSUM for finding in findings)
    applied: list[Diagnostic] = []
    refused: set[tuple[str, str]] = set()
    for _ in range(MAX_ROUNDS):
        chosen = _choose(findings, lambda f: wanted(f) and f.rule not in _CHECKSUM, unsafe, refused)
        better = _edited(mapping, chosen)
        if better is None and len(chosen) > 1:
            chosen = chosen[:1]
            better = _edited(mapping, chosen)
        if better is None:
            if not chosen:
                break
            refused.update(_name(finding) for finding in chosen)
            continue
        mapping, findings = better, check_mapping(better, surroundings)
        applied += chosen
    last = _choose(
        findings, lambda f: f.rule in _CHECKSUM and (wanted(f) or (was_right and bool(applied))), True, set()
    )
    if (better := _edited(mapping, last)) is not None:
        mapping, findings = better, check_mapping(better, surroundings)
        applied += [finding for finding in last if wanted(finding)]
    return Fixed(mapping, tuple(applied), findings)


def _choose(
    findings: Iterable[Diagnostic],
    wanted: Callable[[Diagnostic], bool],
    unsafe: bool,
    refused: set[tuple[str, str]],
) -> list[Diagnostic]:
    """Findings with fixes whose edits don't overlap, in the order of the text."""
    chosen: list[Diagnostic] = []
    taken: list[TextEdit] = []
    for finding in findings:
        fix = finding.fix
        if fix is None or not wanted(finding) or _name(finding) in refused:
            continue
        if fix.applicability is Applicability.UNSAFE and not unsafe:
            continue
        end = max((edit.span.end for edit in taken), default=-1)
        if all(edit.span.start > end for edit in fix.edits):
            chosen.append(finding)
            taken.extend(fix.edits)
    return chosen


def _name(finding: Diagnostic) -> tuple[str, str]:
    return finding.rule.code, finding.message


def _edited(mapping: Mapping, chosen: list[Diagnostic]) -> Mapping | None:
    """The mapping with fixes applied, or None if there are none or the text would not parse as before."""
    edits = [edit for finding in chosen if finding.fix for edit in finding.fix.edits]
    if not edits:
        return None
    text = apply_edits(mapping.text, edits)
    edited = parse_mapping(mapping.path, text.encode("utf-8"))
    worse = edited.file is None or len(edited.diagnostics) > len(mapping.diagnostics)
    return None if worse or text == mapping.text else edited
