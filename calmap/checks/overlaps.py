"""Rules that an observation matches with equal weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from calmap.checks.examples import header
from calmap.checks.examples import nested as rule_text
from calmap.checks.grids import Compared, compared
from calmap.checks.subject import Subject
from calmap.compile.grid import Grid, TooComplexError
from calmap.compile.interpreter import choose
from calmap.compile.ordered import MERGEABLE
from calmap.compile.overlap import Overlap, overlap, partners
from calmap.compile.tree import Answer, Match, MatchRule, Ordered, Terminal
from calmap.diagnostics import Diagnostic, Rule, Severity

_LOOKED_FOR = (
    " Values are those that the rules name and some that their patterns accept, or those that the telescope "
    "has; an observation of which a keyword is `N/A` matches all elements alike and is not thought of."
)


def _two_rules(second: str) -> str:
    rows = rule_text(key="('A|B',)"), rule_text("'2021-01-01 00:00:00' : 'two.fits'", key=second)
    return "selector = Match({\n" + "\n".join(rows) + "\n})"


_CROSSED, _APART = _two_rules("('B|C',)"), _two_rules("('C',)")
_UNDATED = header(parkey="(('DETECTOR',),)") + "\n\n"

AMBIGUOUS_OVERLAP = Rule(
    "CM215",
    "ambiguous-overlap",
    "An observation can match two rules with equal weight, and the look-up fails",
    why="Of all rules that match, those of most weight are tried: the ones with the most elements that "
    "match, `N/A` not counted. Several of equal weight are merged, but not with `merge_overlaps` false, "
    "and not if they lead to Match selectors or to selectors of different kinds. Then nothing is found for "
    "the observation, not even by a rule of less weight. The message shows such an observation."
    + _LOOKED_FOR,
    example=header(merge_overlaps="False") + "\n\n" + _CROSSED,
    use_instead=header(merge_overlaps="False") + "\n\n" + _APART,
)
DOUBLE_ANSWER = Rule(
    "CM216",
    "double-answer",
    "An observation can match two rules with equal weight, and gets the files of both",
    Severity.WARNING,
    why="Rules that end in files, without a selector by date, have nothing by which one of them could be "
    "preferred. A pipeline that expects one file gets several. The message shows such an observation."
    + _LOOKED_FOR,
    example=_UNDATED + "selector = Match({\n    ('A|B',) : 'one.fits',\n    ('B|C',) : 'two.fits',\n})",
    use_instead=_UNDATED + "selector = Match({\n    ('A|B',) : 'one.fits',\n    ('C',) : 'two.fits',\n})",
)
MERGED_OVERLAP = Rule(
    "CM217",
    "merged-overlap",
    "An observation can match two rules with equal weight, and their rows are merged",
    Severity.INFO,
    why="The rows of both are taken as if they stood in one selector: the last date at or before the "
    "observation counts, and for equal dates the file whose name comes last in the alphabet. So a new "
    "file in one rule can replace, for some observations, a file in the other. HST's rules make use of "
    "this; `crds certify` refuses some such rules for other telescopes. The message shows an observation "
    "and the file that it gets." + _LOOKED_FOR,
    example=_CROSSED,
    use_instead=_APART,
)
NOT_COMPARED = Rule(
    "CM220",
    "rules-not-compared",
    "There are too many rules and values to look for overlaps and for rules that are never chosen",
    Severity.INFO,
    why="Every rule is compared with every other, for all values that tell them apart. In a file with "
    "hundreds of thousands of such combinations this is left out; so it is where `{N/A}` asks for what the "
    "header can make `N/A`.",
    example="A `Match` with 20,000 rules, each with another value, in eleven keywords.",
    use_instead="Nest the rules: a `Match` on one keyword with a `Match` on the others below it.",
)
RULES = (AMBIGUOUS_OVERLAP, DOUBLE_ANSWER, MERGED_OVERLAP, NOT_COMPARED)

_MAX_MERGED = 10
_MAX_TRIED = 20
_MAX_VALUE = 40


def overlapping(subject: Subject) -> Iterator[Diagnostic]:
    """CM215, CM216 and CM217, or CM220."""
    for item in compared(subject):
        try:
            if item.grid is None:
                raise TooComplexError(item.problem)
            yield from _overlaps(subject, item, item.grid)
        except TooComplexError as problem:
            message = f"the rules of this Match selector are not compared with each other: {problem}"
            yield subject.finding(NOT_COMPARED, item.name_span, message)


def _overlaps(subject: Subject, item: Compared, grid: Grid) -> Iterator[Diagnostic]:
    merged: list[Diagnostic] = []
    left_out = 0
    for number, mask in partners(grid):
        kinds: dict[Rule, list[int]] = {}
        for other, rule in grid.rules(mask):
            if kind := _kind(item.match, rule, grid.match.rules[number]):
                kinds.setdefault(kind, []).append(other)
        for kind, others in kinds.items():
            found = list(_shown(item, grid, others, number))
            if found and kind is not MERGED_OVERLAP:
                yield _finding(subject, item, kind, found, len(others))
            elif found and len(merged) < _MAX_MERGED:
                merged.append(_finding(subject, item, kind, found, len(others)))
            else:
                left_out += bool(found)
    if left_out:
        last = merged.pop()
        merged.append(
            replace(last, message=f"{last.message}; so have {left_out:,} more rules of this selector")
        )
    yield from merged


def _shown(item: Compared, grid: Grid, others: list[int], number: int) -> Iterator[Overlap]:
    for other in others[:_MAX_TRIED]:
        found = overlap(grid, other, number)
        if found is not None and not found.hidden and item.is_met(found):
            yield found


def _kind(match: Match, first: MatchRule, second: MatchRule) -> Rule | None:
    """What comes of two rules of equal weight; None if it is the same as of one."""
    choices = first.choice, second.choice
    selectors = {choice.kind for choice in choices if isinstance(choice, Ordered)}
    unlike = len(selectors) > 1 or (
        all(isinstance(c, Ordered) for c in choices) and not selectors <= MERGEABLE
    )
    if not match.merge_overlaps or unlike or any(isinstance(choice, Match) for choice in choices):
        return AMBIGUOUS_OVERLAP
    answers = [choice.answer for choice in choices if isinstance(choice, Terminal)]
    if Answer.FOUND in answers and (selectors or set(answers) == {Answer.FOUND}):
        return DOUBLE_ANSWER
    return MERGED_OVERLAP if selectors or len(set(answers)) > 1 else None


def _finding(subject: Subject, item: Compared, kind: Rule, found: list[Overlap], count: int) -> Diagnostic:
    first, second, weight, example, _ = found[0]
    line = subject.source.position(first.span.start).line
    more = f" and {count - 1:,} more" if count > 1 else ""
    message = (
        f"an observation can match this rule and the one in line {line}{more} with equal weight {weight}"
    )
    labels = (subject.label(first.span, "the other rule"),)
    hint = f"for example {written(example)}"
    if kind is MERGED_OVERLAP:
        hint += _winner(subject, item, example)
    return subject.finding(kind, second.span, f"{message}{_THEN[kind.code]}", labels=labels, hint=hint)


_THEN = {
    AMBIGUOUS_OVERLAP.code: ", and these can't be merged",
    DOUBLE_ANSWER.code: ", and gets the files of both",
    MERGED_OVERLAP.code: ", and their rows are merged",
}


def _winner(subject: Subject, item: Compared, example: Mapping[str, str]) -> str:
    outcome = choose(item.match, example, item.substitutions)
    if outcome.place is None:
        return ""
    what = f"'{outcome.files[0]}'" if outcome.files else outcome.answer.value.replace("_", " ").upper()
    return f", which gets {what} of line {subject.source.position(outcome.place).line}"


def written(values: Mapping[str, str]) -> str:
    """Header values on one line."""
    return ", ".join(f"{name[:_MAX_VALUE]}='{value[:_MAX_VALUE]}'" for name, value in values.items())


CHECKS = (overlapping,)
