"""Rules and rows that are never chosen."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.checks.examples import nested as rule_text
from calmap.checks.examples import selector
from calmap.checks.grids import compared
from calmap.checks.overlaps import NOT_COMPARED
from calmap.checks.subject import Subject
from calmap.compile.grid import TooComplexError
from calmap.compile.reach import Hidden, unreachable
from calmap.compile.tree import MatchRule, Terminal
from calmap.diagnostics import Diagnostic, Rule, Severity
from calmap.source import Source

_GENERAL = rule_text("'2021-01-01 00:00:00' : 'two.fits'", key="('N/A',)")

UNREACHABLE_RULE = Rule(
    "CM218",
    "unreachable-rule",
    "No observation can get the files of a rule",
    Severity.WARNING,
    why="Wherever the rule matches, rules of more weight match too and always have an answer, from the "
    "first date of this rule on; or nothing can have the value that it asks for. `*` matches whatever a "
    "keyword says and has weight, `N/A` matches too and has none, so that `*` hides an `N/A` beside it. "
    "An observation whose own header says `N/A` matches all elements alike and is not thought of here; one "
    "for which `parkey_relevance` or a hook puts `N/A` is.",
    example="selector = Match({\n" + rule_text(key="('*',)") + "\n" + _GENERAL + "\n})",
    use_instead="selector = Match({\n" + rule_text(key="('A',)") + "\n" + _GENERAL + "\n})",
)
UNREACHABLE_ROW = Rule(
    "CM219",
    "unreachable-row",
    "A rule has dates that are never chosen",
    Severity.WARNING,
    why="Every observation that could get the file matches another rule as well: one of more weight that "
    "has an answer by then, or one of equal weight with the same date, where the file whose name comes "
    "last in the alphabet is taken.",
    example="selector = Match({\n"
    + rule_text("'2020-01-01 00:00:00' : 'one.fits'", key="('A',)")
    + "\n"
    + rule_text("'2020-01-01 00:00:00' : 'two.fits'", key="('A|B',)")
    + "\n})",
    use_instead=selector("'2020-01-01 00:00:00' : 'two.fits'", key="('A|B',)"),
)
RULES = (UNREACHABLE_RULE, UNREACHABLE_ROW)

_MAX_LABELS = 5


def never_chosen(subject: Subject) -> Iterator[Diagnostic]:
    """CM218 and CM219, or CM220."""
    for item in compared(subject):
        if item.grid is None:
            continue
        try:
            for hidden in unreachable(item.grid):
                if hidden.parameter not in item.known.listed:  # that is told of the value
                    yield _finding(subject, hidden)
        except TooComplexError as problem:
            message = f"this Match selector is not searched for rules that are never chosen: {problem}"
            yield subject.finding(NOT_COMPARED, item.name_span, message)


def _finding(subject: Subject, hidden: Hidden) -> Diagnostic:
    message = why_hidden(hidden, subject.source)
    labels = tuple(subject.label(rule.span, "this is tried first") for rule in hidden.by[:_MAX_LABELS])
    if hidden.instead is not None:
        labels = (subject.label(hidden.instead.span, "this is chosen, its name comes later in the alphabet"),)
    if hidden.rows:
        return subject.finding(UNREACHABLE_ROW, hidden.rows[0].span, message, labels=labels)
    return subject.finding(UNREACHABLE_RULE, hidden.rule.span, message, labels=labels)


def why_hidden(hidden: Hidden, source: Source) -> str:
    """What is never chosen, and what is chosen instead."""
    if hidden.parameter:
        return f"no observation can have what this rule asks for as '{hidden.parameter[:60]}'"
    if hidden.rows:
        return _rows(hidden, source)
    choice = hidden.rule.choice
    if hidden.equal and isinstance(choice, Terminal):
        line = source.position(hidden.by[0].span.start).line
        return f"'{choice.written[:60]}' is never the answer: that of the rule in line {line} wins over it"
    return f"no observation gets this rule: {_taken(hidden.by, source)}"


def _rows(hidden: Hidden, source: Source) -> str:
    count = len(hidden.rows)
    what = f"'{hidden.rows[0].written[:60]}' is never chosen"
    if hidden.instead is None:
        more = f", nor what follows it ({count - 1:,} more)" if count > 1 else ""
        return f"{what}{more}: {_taken(hidden.by, source)}"
    row = hidden.instead
    name = row.choice.written if isinstance(row.choice, Terminal) else ""
    line = source.position(row.span.start).line
    return f"{what}: with equal weight '{name[:60]}' of line {line} always has the same date"


def _taken(rules: tuple[MatchRule, ...], source: Source) -> str:
    lines = [source.position(rule.span.start).line for rule in rules]
    if len(lines) == 1:
        return f"the rule in line {lines[0]} matches whatever it does and weighs more"
    shown = ", ".join(map(str, lines[:_MAX_LABELS])) + " and more" * (len(lines) > _MAX_LABELS)
    return f"one of the rules in lines {shown} always matches too and weighs more"


CHECKS = (never_chosen,)
