"""Comments that keep `calmap check` quiet: ``# calmap: ignore[CM201]`` and ``# calmap: ignore-file[CM501]``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from calmap.checks.spelling import did_you_mean
from calmap.diagnostics import Diagnostic, Rule, Severity
from calmap.source import Source, Span

BAD_SUPPRESSION = Rule(
    "CM011",
    "bad-suppression",
    "A `# calmap:` comment can't be understood or names an unknown rule",
    Severity.WARNING,
    why="It has no effect.",
    example="selector = Match({  # calmap: ignore[CM999]\n})",
    use_instead="selector = Match({\n})",
)
UNUSED_SUPPRESSION = Rule(
    "CM012",
    "unused-suppression",
    "A `# calmap:` comment suppresses nothing",
    Severity.WARNING,
    why="What it was written for is gone; it could hide the same slip made anew.",
    example="selector = Match({  # calmap: ignore[CM201]\n})",
    use_instead="selector = Match({\n})",
)
RULES = (BAD_SUPPRESSION, UNUSED_SUPPRESSION)

_MARK = "calmap:"
_TOKENS = re.compile(
    r"[uUrR]?(?:'''(?:[^\\']|\\(?s:.)|'(?!''))*+'''"
    r'|"""(?:[^\\"]|\\(?s:.)|"(?!""))*+"""'
    r"|'(?:[^'\\\r\n]|\\(?s:.))*+'"
    r'|"(?:[^"\\\r\n]|\\(?s:.))*+")'
    r"|(?P<comment>#[^\r\n]*)"
)
_DIRECTIVE = re.compile(r"calmap:\s*(?P<scope>ignore-file|ignore)\s*\[(?P<rules>[^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One rule that a comment switches off.

    Parameters
    ----------
    code
        The rule.
    line
        The line it is switched off for, or None for the whole file.
    span
        Where the comment names it.
    """

    code: str
    line: int | None
    span: Span

    def covers(self, finding: Diagnostic, line: int) -> bool:
        """True if a finding that starts in a line is suppressed."""
        return finding.rule.code == self.code and self.line in (None, line)


def suppressed(
    source: Source, findings: Iterable[Diagnostic], rules: Collection[Rule]
) -> tuple[Diagnostic, ...]:
    """Findings that are left, with those about the comments themselves."""
    findings = list(findings)
    if _MARK not in source.text:
        return tuple(findings)
    codes = {rule.code: rule.code for rule in rules} | {rule.name: rule.code for rule in rules}
    own, problems = _read(source, codes)
    used: set[Suppression] = set()
    kept = []
    for finding in [*findings, *problems]:
        line = source.position(finding.span.start).line
        covering = [item for item in own if finding.source is source and item.covers(finding, line)]
        used.update(covering)
        if not covering:
            kept.append(finding)
    kept += [
        Diagnostic(
            UNUSED_SUPPRESSION, source, item.span, f"'{item.code}' is not found here, nothing is suppressed"
        )
        for item in own
        if item not in used and item.code != UNUSED_SUPPRESSION.code
    ]
    silent = {item.line for item in own if item.code == UNUSED_SUPPRESSION.code}
    return tuple(
        item
        for item in kept
        if item.rule is not UNUSED_SUPPRESSION
        or (None not in silent and source.position(item.span.start).line not in silent)
    )


def _read(source: Source, codes: dict[str, str]) -> tuple[list[Suppression], list[Diagnostic]]:
    found: list[Suppression] = []
    problems: list[Diagnostic] = []
    for start, comment in _comments(source.text):
        mark = comment.find(_MARK)
        if mark < 0 or comment[1:mark].strip():
            continue
        directive = _DIRECTIVE.match(comment, mark)
        if directive is None:
            span = Span(start + mark, start + len(comment.rstrip()))
            message = "this comment can't be understood"
            hint = "write '# calmap: ignore[CM201]' or '# calmap: ignore-file[CM501]'"
            problems.append(Diagnostic(BAD_SUPPRESSION, source, span, message, hint=hint))
            continue
        line = None if directive["scope"] == "ignore-file" else _line(source, start)
        for name, span in _names(directive, start):
            if name in codes:
                found.append(Suppression(codes[name], line, span))
            else:
                problems.append(_unknown(source, name, span, codes))
    return found, problems


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for match in _TOKENS.finditer(text):
        if match["comment"]:
            yield match.start(), match["comment"]


def _names(directive: re.Match[str], start: int) -> Iterator[tuple[str, Span]]:
    at = start + directive.start("rules")
    for match in re.finditer(r"[^,\s][^,]*", directive["rules"]):
        name = match[0].rstrip()
        yield name, Span(at + match.start(), at + match.start() + len(name))


def _unknown(source: Source, name: str, span: Span, codes: dict[str, str]) -> Diagnostic:
    near = did_you_mean(name, codes)
    hint = f"did you mean {near}?" if near else "calmap rules lists them"
    return Diagnostic(BAD_SUPPRESSION, source, span, f"'{name[:40]}' is no rule", hint=hint)


def _line(source: Source, start: int) -> int:
    """Line that a comment speaks of: its own, or the next with more than a comment in it."""
    number = source.position(start).line
    last = len(source.line_starts)
    if source.line(number).lstrip().startswith("#"):
        number += 1
        while number < last and source.line(number).lstrip()[:1] in ("#", ""):
            number += 1
    return number
