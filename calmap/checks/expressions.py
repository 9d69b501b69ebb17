"""Header expressions: `rmap_relevance`, `rmap_omit` and the values of `parkey_relevance`."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.checks.literals import is_plain, part_of
from calmap.checks.spelling import did_you_mean
from calmap.checks.subject import Subject
from calmap.diagnostics import Applicability, Diagnostic, Fix, Rule, Severity, TextEdit
from calmap.source import Span
from calmap.syntax.ast import String
from calmap.syntax.expression import Expression, ExpressionError, names, parse_expression

BAD_EXPRESSION = Rule(
    "CM110",
    "bad-expression",
    "A header expression does not follow the grammar of expressions",
    why="CRDS refuses to load the file.",
    example="'rmap_relevance' : '(DETECTOR x= \"FUV\")',",
    use_instead="'rmap_relevance' : '(DETECTOR != \"FUV\")',",
)
UNKNOWN_NAME = Rule(
    "CM111",
    "unknown-expression-name",
    "A header expression asks for a keyword that the mapping does not have",
    Severity.WARNING,
    why="Only keywords of `parkey`, `extra_keys` and `reffile_switch` are sure to be known when the "
    "expression is evaluated. With any other, CRDS ignores `rmap_relevance` and `rmap_omit`, and "
    "`parkey_relevance` makes the whole look-up fail. Keywords are upper case.",
    example="'rmap_relevance' : '(EXPTYPE == \"SCIENCE\")',",
    use_instead="'rmap_relevance' : '(EXPTYPE == \"SCIENCE\")',\n'extra_keys' : ('EXPTYPE',),",
)
IGNORED_EXPRESSION = Rule(
    "CM112",
    "ignored-expression",
    "A header expression is not in parentheses, so that CRDS ignores it",
    Severity.WARNING,
    why="CRDS puts header values into lower case unless they are in parentheses. `True` becomes `true`, "
    "which means nothing, and the expression is passed over. Adding the parentheses makes it count, so "
    "look whether the selection it then makes is the one that is wanted.",
    example="'rmap_omit' : 'True',",
    use_instead="'rmap_omit' : '(True)',",
)
RULES = (BAD_EXPRESSION, UNKNOWN_NAME, IGNORED_EXPRESSION)

_CONSEQUENCE = {
    "rmap_relevance": "CRDS ignores the expression",
    "rmap_omit": "CRDS ignores the expression",
    "parkey_relevance": "every look-up fails",
}
_HELPER = "keep_comments"


def expressions(subject: Subject) -> Iterator[Diagnostic]:
    """CM110, CM111 and CM112."""
    for key in ("rmap_relevance", "rmap_omit"):
        entry = subject.entry(key)
        if entry and isinstance(entry.value, String):
            yield from _header_value(subject, key, entry.value)
    for entry in subject.table("parkey_relevance"):
        if isinstance(entry.value, String):
            yield from _parsed(subject, "parkey_relevance", entry.value, entry.value.value)


def _header_value(subject: Subject, key: str, value: String) -> Iterator[Diagnostic]:
    text = value.value
    if text.startswith("(") and text.endswith(")"):
        yield from _parsed(subject, key, value, text)
        return
    lowered = text.lower()
    if key == "rmap_relevance":
        lowered = lowered.replace("always", "True")
    try:
        found = next(names(parse_expression(lowered)), None)
    except ExpressionError as problem:
        yield _bad(subject, value, problem)
        return
    if found is not None:
        message = (
            f"'{key}' is not in parentheses: CRDS reads '{found.name[:40]}', which is nothing, and ignores it"
        )
        fix = _parenthesised(subject, value)
        yield subject.finding(IGNORED_EXPRESSION, value.span, message, hint="put it in parentheses", fix=fix)


def _parenthesised(subject: Subject, value: String) -> Fix | None:
    try:
        parse_expression(value.value)
    except ExpressionError:
        return None
    if not is_plain(subject.source, value):
        return None
    start, end = value.span.start + 1, value.span.end - 1
    edits = (TextEdit(Span(start, start), "("), TextEdit(Span(end, end), ")"))
    return Fix("put it in parentheses, which makes it count", edits, Applicability.UNSAFE)


def _parsed(subject: Subject, key: str, value: String, text: str) -> Iterator[Diagnostic]:
    try:
        expression = parse_expression(text)
    except ExpressionError as problem:
        yield _bad(subject, value, problem)
    else:
        yield from _unknown_names(subject, key, value, expression)


def _bad(subject: Subject, value: String, problem: ExpressionError) -> Diagnostic:
    span = part_of(subject.source, value, problem.offset, problem.offset + 1)
    return subject.finding(BAD_EXPRESSION, span, f"this expression can't be read: {problem.message}")


def _unknown_names(subject: Subject, key: str, value: String, expression: Expression) -> Iterator[Diagnostic]:
    if subject.levels is None:
        return
    known = subject.required()
    seen = {_HELPER, *known}
    for name in names(expression):
        if name.name in seen or (key == "rmap_relevance" and name.name == "always"):
            continue
        seen.add(name.name)
        near = did_you_mean(name.name, known)
        hint = f"did you mean '{near}'?" if near else f"add '{name.name[:60]}' to 'extra_keys'"
        message = f"'{name.name[:60]}' is no keyword of this mapping, so that {_CONSEQUENCE[key]}"
        span = part_of(subject.source, value, *name.span)
        yield subject.finding(UNKNOWN_NAME, span, message, hint=hint)


CHECKS = (expressions,)
