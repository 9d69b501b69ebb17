"""Comments that suppress findings: ``# calmap: ignore[CM201]`` and ``# calmap: ignore-file[CM501]``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from calmap.checks.spelling import suggester
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
_MAX_COMMENTS = 20
_ELSEWHERE: tuple[str, ...] = (
    *(UNUSED_SUPPRESSION.code, "CM111", "CM215", "CM216", "CM217", "CM218", "CM219"),
    *("CM313", "CM314", "CM315", "CM4"),
)
"""Rules that may be found only together with other files."""
_ALWAYS = frozenset({*(f"CM00{digit}" for digit in "12345689"), "CM010"})
"""Rules about a file that can't be used at all: nothing makes that good."""

_TOKENS = re.compile(
    r"[uUrR]?(?:'''(?>(?:[^\\']+|\\(?s:.)|'(?!''))*)'''"
    r'|"""(?>(?:[^\\"]+|\\(?s:.)|"(?!""))*)"""'
    r"|'(?>(?:[^'\\\r\n]+|\\(?s:.))*)'"
    r'|"(?>(?:[^"\\\r\n]+|\\(?s:.))*)")'
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


def unsuppressed(
    source: Source, findings: Iterable[Diagnostic], rules: Collection[Rule]
) -> Iterator[Diagnostic]:
    """Findings that are left, with those about the comments themselves."""
    if _MARK not in source.text:
        yield from findings
        return
    codes = {rule.code: rule.code for rule in rules} | {rule.name: rule.code for rule in rules}
    own, problems = _read(source, codes)
    by_place = {(item.code, item.line): item for item in own}
    used: set[tuple[str, int | None]] = set()

    def is_left(finding: Diagnostic) -> bool:
        line = source.position(finding.span.start).line
        places = {(finding.rule.code, line), (finding.rule.code, None)} & by_place.keys()
        used.update(places)
        return not places

    yield from filter(is_left, findings)
    yield from filter(is_left, problems)
    unused = [
        item for item in own if (item.code, item.line) not in used and not item.code.startswith(_ELSEWHERE)
    ]
    yield from filter(is_left, (_unused(source, item) for item in unused))


def _unused(source: Source, item: Suppression) -> Diagnostic:
    where = "in this file" if item.line is None else "here"
    message = f"{item.code} is not found {where}, nothing is suppressed"
    return Diagnostic(UNUSED_SUPPRESSION, source, item.span, message, hint="remove the comment")


def _read(source: Source, codes: dict[str, str]) -> tuple[list[Suppression], list[Diagnostic]]:
    nearest = suggester(codes)
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
        names = list(_names(directive, start))
        if not names:
            span = Span(start + mark, start + directive.end())
            problems.append(Diagnostic(BAD_SUPPRESSION, source, span, "this comment names no rule"))
        for name, span in names:
            if codes.get(name) in _ALWAYS:
                message = f"{name} can't be suppressed: a file with it can't be used"
                problems.append(Diagnostic(BAD_SUPPRESSION, source, span, message))
            elif name in codes:
                found.append(Suppression(codes[name], line, span))
            else:
                problems.append(_unknown(source, name, span, nearest(name)))
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


def _unknown(source: Source, name: str, span: Span, near: str | None) -> Diagnostic:
    hint = (
        f"did you mean {near}?" if near else "rules have codes such as CM201 and names such as duplicate-key"
    )
    return Diagnostic(BAD_SUPPRESSION, source, span, f"'{name[:40]}' is no rule", hint=hint)


def _line(source: Source, start: int) -> int:
    """Line that a comment speaks of: its own, or the next with more than a comment in it."""
    number = source.position(start).line
    last = len(source.line_starts)
    if source.line(number).lstrip().startswith("#"):
        number += 1
        end = min(last, number + _MAX_COMMENTS)
        while number < end and source.line(number).lstrip()[:1] in ("#", ""):
            number += 1
    return number
