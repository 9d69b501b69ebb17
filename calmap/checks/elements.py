"""Elements of match keys: patterns, alternatives, and values that can never be met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from calmap.checks.examples import selector
from calmap.checks.keys import conditioned, elements, is_key
from calmap.checks.literals import is_plain, rewritten
from calmap.checks.spelling import times
from calmap.checks.subject import Nested, Subject
from calmap.checks.substitutions import substitute, substitutions
from calmap.diagnostics import Diagnostic, Fix, Rule, Severity
from calmap.model.patterns import PatternError, pattern
from calmap.model.values import ANY, NA, alternatives, condition_text, is_esoteric
from calmap.syntax.ast import MappingKind, String, Value

BAD_MATCHER = Rule(
    "CM309",
    "bad-matcher",
    "An element of a match key has no meaning, or not the one it seems to have",
    why="Elements can be values, `A|B`, globs, `(regular expressions)`, `{literal texts}`, `>5`, `BETWEEN 1"
    " 5`, `#>1 AND <5#` with one `AND` or `OR`, and `NOT` before any of these. CRDS silently drops a "
    "third term between `#`. Regular expressions run in linear time, so that they can't have back "
    "references or look-around.",
    example=selector(key="('BETWEEN 5 1',)"),
    use_instead=selector(key="('BETWEEN 1 5',)"),
)
POINTLESS_ALTERNATIVE = Rule(
    "CM310",
    "pointless-alternative",
    "A member of an element such as `A|B` is empty or stands there twice",
    Severity.WARNING,
    why="Empty members are dropped: they do not mean an empty value. A doubled one is a slip, maybe for "
    "another.",
    example=selector(key="('A|B|',)"),
    use_instead=selector(key="('A|B',)"),
    fixable=True,
)
LITERAL_ALTERNATIVE = Rule(
    "CM311",
    "literal-alternative",
    "A member of an element such as `A|B` looks special, but is taken as plain text",
    Severity.WARNING,
    why="Between bars `N/A` does not mean that the value does not matter, and `>5` is no relation: only a "
    "value that is written so matches. That the list has `N/A` in it also switches off the check of "
    "values.",
    example=selector(key="('A|N/A',)"),
    use_instead=selector(key="('N/A',)"),
)
UNMET_PATTERN = Rule(
    "CM312",
    "unmet-pattern",
    "A relation or a glob is never compared with the values that it is meant for",
    Severity.WARNING,
    why="Before it looks at the rules, CRDS compares a dataset's value with all values that stand literally"
    " in the column, and gives up if it is none of them. `>5` or `F1*` is such a text, not a test. The "
    "comparison is left out where the column has an `N/A`, a `*`, or an element in `#...#`, `(...)`, "
    "`BETWEEN` or `NOT`.",
    example=selector(key="('>5',)"),
    use_instead=selector(key="('#>5#',)"),
)
RULES = (BAD_MATCHER, POINTLESS_ALTERNATIVE, LITERAL_ALTERNATIVE, UNMET_PATTERN)

Column: TypeAlias = "tuple[str, list[tuple[Value, Value]]]"


def matches(subject: Subject) -> Iterator[Nested]:
    """Every Match selector of an rmap."""
    if subject.kind is MappingKind.REFERENCE:
        yield from (nested for nested in subject.selectors if nested.call.name == "Match")


def columns(subject: Subject) -> Iterator[Column]:
    """For each keyword of each Match the elements of its column, as written and after substitution."""
    swaps = substitutions(subject)
    for nested in matches(subject):
        found: list[Column] = []
        for entry in nested.entries:
            substituted = substitute(entry.key, nested.parameters, swaps)
            pairs = zip(elements(entry.key), substituted, nested.parameters or (), strict=False)
            for index, (written, part, parameter) in enumerate(pairs):
                if index == len(found):
                    found.append((parameter, []))
                if is_key(part):
                    found[index][1].append((written, part))
        yield from found


def bad_matchers(subject: Subject) -> Iterator[Diagnostic]:
    """CM309."""
    problems: dict[str, str | None] = {}
    for _, column in columns(subject):
        for written, part in column:
            text = conditioned(part)
            if text not in problems:
                problems[text] = _problem(text)
            if message := problems[text]:
                yield subject.finding(BAD_MATCHER, written.span, message)


def _problem(text: str) -> str | None:
    try:
        pattern(text, strict=True)
    except PatternError as problem:
        return str(problem)
    return None


def alternatives_of_elements(subject: Subject) -> Iterator[Diagnostic]:
    """CM310 and CM311."""
    for nested in matches(subject):
        for entry in nested.entries:
            for part in elements(entry.key):
                if isinstance(part, String) and "|" in part.value and not is_esoteric(part.value):
                    yield from _alternatives(subject, part)


def _alternatives(subject: Subject, element: String) -> Iterator[Diagnostic]:
    members = [member.strip() for member in element.value.split("|")]
    first: dict[str, str] = {}
    doubled = None
    for member in filter(None, members):
        if first.setdefault(condition_text(member), member) is not member:
            doubled = doubled or member
    shown = f"'{element.value[:60]}'"
    if not first:
        yield subject.finding(POINTLESS_ALTERNATIVE, element.span, f"{shown} has only empty members")
    elif len(first) < len(members):
        what = "an empty member" if "" in members else f"'{(doubled or '')[:40]}' twice"
        fix = None
        if is_plain(subject.source, element) and len(first) > 1:
            kept = rewritten(subject.source, element, "|".join(first.values()))
            fix = Fix("keep each member once", (kept,))
        yield subject.finding(POINTLESS_ALTERNATIVE, element.span, f"{shown} has {what}", fix=fix)
    for text, member in first.items():
        if text == NA or text[:1] in ("<", ">") or text.startswith("NOT "):
            message = f"'{member[:40]}' in {shown} is taken as plain text"
            hint = "give it a rule of its own" if text == NA else "write a relation as '#...#', without bars"
            yield subject.finding(LITERAL_ALTERNATIVE, element.span, message, hint=hint)
            break


def unmet_patterns(subject: Subject) -> Iterator[Diagnostic]:
    """CM312."""
    for parameter, column in columns(subject):
        found: dict[str, Value] = {}
        counts: Counter[str] = Counter()
        for written, part in column:
            text = conditioned(part)
            if is_esoteric(text) or not {ANY, NA}.isdisjoint(alternatives(text)):
                break
            if text[:1] in ("<", ">") or _is_glob(text):
                found.setdefault(text, written)
                counts[text] += 1
        else:
            for text, written in found.items():
                yield _unmet(subject, parameter, text, written, counts[text])


def _is_glob(text: str) -> bool:
    return "*" in text or ("|" in text and ("?" in text or "[" in text))


def _unmet(subject: Subject, parameter: str, text: str, written: Value, count: int) -> Diagnostic:
    message = f"'{text[:60]}' is compared only with values that are written out for '{parameter[:60]}'"
    hints = ["a relation in '#...#' or 'BETWEEN low high' is compared"] if text[:1] in "<>" else []
    hints += [times(count)] if count > 1 else []
    return subject.finding(UNMET_PATTERN, written.span, message, hint="; ".join(hints) or None)


CHECKS = (bad_matchers, alternatives_of_elements, unmet_patterns)
