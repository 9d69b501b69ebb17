"""Elements of match keys: patterns, alternatives, and values that can never be met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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


def matches(subject: Subject) -> Iterator[Nested]:
    """Every Match selector of an rmap."""
    if subject.kind is MappingKind.REFERENCE:
        yield from (nested for nested in subject.selectors if nested.call.name == "Match")


def bad_matchers(subject: Subject) -> Iterator[Diagnostic]:
    """CM309."""
    swaps = substitutions(subject)
    problems: dict[str, str | None] = {}
    for nested in matches(subject):
        for entry in nested.entries:
            parts = substitute(entry.key, nested.parameters, swaps)
            for written, part in zip(elements(entry.key), parts, strict=True):
                if not is_key(part):
                    continue
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
    texts = [condition_text(member) if member else "" for member in members]
    kept = [member for i, member in enumerate(members) if member and texts.index(texts[i]) == i]
    if not kept:
        yield subject.finding(
            POINTLESS_ALTERNATIVE, element.span, f"'{element.value[:60]}' has only empty members"
        )
    elif len(kept) < len(members):
        doubled = next(
            (member for member in members if member and texts.count(condition_text(member)) > 1), None
        )
        what = "an empty member" if "" in members else f"'{(doubled or '')[:40]}' twice"
        fix = None
        if is_plain(subject.source, element) and len(kept) > 1:
            fix = Fix("keep each member once", (rewritten(subject.source, element, "|".join(kept)),))
        yield subject.finding(
            POINTLESS_ALTERNATIVE, element.span, f"'{element.value[:60]}' has {what}", fix=fix
        )
    for member, text in zip(members, texts, strict=True):
        if text == NA or text[:1] in ("<", ">") or text.startswith("NOT "):
            message = f"'{member[:40]}' in '{element.value[:60]}' is taken as plain text"
            hint = "give it a rule of its own" if text == NA else "write a relation as '#...#', without bars"
            yield subject.finding(LITERAL_ALTERNATIVE, element.span, message, hint=hint)
            break


def unmet_patterns(subject: Subject) -> Iterator[Diagnostic]:
    """CM312."""
    swaps = substitutions(subject)
    for nested in matches(subject):
        keys = [(elements(e.key), substitute(e.key, nested.parameters, swaps)) for e in nested.entries]
        for index, parameter in enumerate(nested.parameters or ()):
            column = [(key[0][index], key[1][index]) for key in keys if index < len(key[0])]
            yield from _unmet(subject, parameter, column)


def _unmet(subject: Subject, parameter: str, column: list[tuple[Value, Value]]) -> Iterator[Diagnostic]:
    found: dict[str, Value] = {}
    counts: Counter[str] = Counter()
    for written, part in column:
        if not is_key(part):
            continue
        text = conditioned(part)
        members = alternatives(text)
        if is_esoteric(text) or not {ANY, NA}.isdisjoint(members):
            return
        if text[:1] in ("<", ">") or any("*" in member for member in members):
            found.setdefault(text, written)
            counts[text] += 1
    for text, written in found.items():
        message = f"'{text[:60]}' is compared only with values that are written out for '{parameter[:60]}'"
        hint = "a relation in '#...#' or 'BETWEEN low high' is compared" if text[:1] in "<>" else None
        if counts[text] > 1:
            hint = "; ".join(filter(None, (hint, times(counts[text]))))
        yield subject.finding(UNMET_PATTERN, written.span, message, hint=hint)


CHECKS = (bad_matchers, alternatives_of_elements, unmet_patterns)
