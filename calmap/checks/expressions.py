"""Header expressions: `rmap_relevance`, `rmap_omit` and the values of `parkey_relevance`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from calmap.checks.literals import is_plain, part_of
from calmap.checks.spelling import suggester
from calmap.checks.subject import Subject
from calmap.checks.subject import subject as make_subject
from calmap.checks.terminals import mappings_below
from calmap.diagnostics import Applicability, Diagnostic, Fix, Label, Rule, Severity, TextEdit
from calmap.source import Span
from calmap.syntax.ast import MappingKind, String
from calmap.syntax.expression import Expression, ExpressionError, Name, names
from calmap.syntax.expression_text import parse_expression

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
    "A header expression asks for a keyword that can't be known when it is evaluated",
    Severity.WARNING,
    why="Known are the keywords, in upper case, of `parkey`, `extra_keys` and `reffile_switch` of the "
    "mappings of the instrument. With any other, CRDS ignores `rmap_relevance` and `rmap_omit`, and "
    "`parkey_relevance` makes every look-up fail.",
    example="'rmap_relevance' : '(detector == \"FUV\")',",
    use_instead="'rmap_relevance' : '(DETECTOR == \"FUV\")',",
)
BORROWED_NAME = Rule(
    "CM116",
    "borrowed-expression-name",
    "A header expression asks for a keyword that only other mappings of the instrument can make known",
    Severity.INFO,
    why="It works as long as another mapping of the instrument selects by this keyword. In `extra_keys` the "
    "mapping would say itself what it needs.",
    example="'rmap_relevance' : '(EXPTYPE == \"SCIENCE\")',",
    use_instead="'extra_keys' : ('EXPTYPE',),\n'rmap_relevance' : '(EXPTYPE == \"SCIENCE\")',",
)
DOTTED_NAME = Rule(
    "CM117",
    "dotted-expression-name",
    "A header expression has a name with dots that the mapping does not select by",
    Severity.WARNING,
    why="CRDS replaces the dots only in the keywords, as they are written, of the mapping's own `parkey`, "
    "`extra_keys` and `reffile_switch`. It takes any other name with dots for an attribute of something, "
    "and refuses to load the file.",
    example="'rmap_relevance' : '(META.EXPOSURE.TYPE == \"SCIENCE\")',",
    use_instead="'extra_keys' : ('META.EXPOSURE.TYPE',),\n"
    "'rmap_relevance' : '(META.EXPOSURE.TYPE == \"SCIENCE\")',",
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
RULES = (BAD_EXPRESSION, UNKNOWN_NAME, IGNORED_EXPRESSION, BORROWED_NAME, DOTTED_NAME)

_CONSEQUENCE = {
    "rmap_relevance": "CRDS ignores the expression",
    "rmap_omit": "CRDS ignores the expression",
    "parkey_relevance": "every look-up fails",
}
_ALWAYS_KNOWN = frozenset({
    *("INSTRUME", "META.INSTRUMENT.NAME", "ROMAN.META.INSTRUMENT.NAME"),
    *("keep_comments", "always", "META.VISIT.TSOVISIT", "META.INSTRUMENT.LAMP_STATE"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """The keywords that a mapping is sure to know, or None if its `parkey` makes no sense."""

    names: frozenset[str] | None
    nearest: Callable[[str], str | None]


def expressions(subject: Subject) -> Iterator[Diagnostic]:
    """CM110, CM111, CM112, CM116 and CM117."""
    names_ = frozenset(subject.required())
    known = _Known(None if subject.levels is None else names_, suggester(names_))
    for key in ("rmap_relevance", "rmap_omit"):
        entry = subject.entry(key)
        if entry and isinstance(entry.value, String):
            yield from _header_value(subject, key, entry.value, known)
    for entry in subject.table("parkey_relevance"):
        if isinstance(entry.value, String):
            yield from _parsed(subject, "parkey_relevance", entry.value, known)


def is_escaped(text: str) -> bool:
    """True if CRDS leaves a header value in the case it is written in."""
    return text.startswith("(") and text.endswith(")")


def _header_value(subject: Subject, key: str, value: String, known: _Known) -> Iterator[Diagnostic]:
    if is_escaped(value.value):
        yield from _parsed(subject, key, value, known)
        return
    lowered = value.value.lower()
    if key == "rmap_relevance":
        lowered = lowered.replace("always", "True")
    try:
        used = tuple(names(parse_expression(lowered)))
    except ExpressionError as problem:
        yield _bad(subject, value, problem)
        return
    dotted = next((name for name in used if _is_attribute(name.name, known.names or ())), None)
    found = next(iter(used), None)
    if dotted is not None:
        message = (
            f"'{key}' is not in parentheses: CRDS reads '{dotted.name[:40]}' and refuses to load the file"
        )
        fix = _parenthesised(subject, value)
        yield subject.finding(DOTTED_NAME, value.span, message, hint="put it in parentheses", fix=fix)
    elif found is not None:
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


def _parsed(subject: Subject, key: str, value: String, known: _Known) -> Iterator[Diagnostic]:
    try:
        expression = parse_expression(value.value)
    except ExpressionError as problem:
        yield _bad(subject, value, problem)
        return
    if known.names is None:
        return
    for name in _first_uses(expression):
        if _is_attribute(name.name, known.names):
            yield _dotted(subject, value, name, known.nearest(name.name))
        elif _is_strange(name, known.names):
            yield _unknown(subject, key, value, name, known.nearest(name.name))


def _bad(subject: Subject, value: String, problem: ExpressionError) -> Diagnostic:
    span = part_of(subject.source, value, problem.offset, problem.offset + 1)
    return subject.finding(BAD_EXPRESSION, span, f"this expression can't be read: {problem.message}")


def _is_attribute(name: str, known: Collection[str]) -> bool:
    """True if CRDS takes a name for an attribute of something."""
    return "." in name and name not in known


def _dotted(subject: Subject, value: String, name: Name, near: str | None) -> Diagnostic:
    shown, span = name.name[:60], part_of(subject.source, value, *name.span)
    message = f"'{shown}' is no keyword of this mapping: CRDS takes it for an attribute and refuses the file"
    hint = f"did you mean '{near}'?" if near else f"add '{shown.upper()}' to 'extra_keys'"
    return subject.finding(DOTTED_NAME, span, message, hint=hint)


def _unknown(subject: Subject, key: str, value: String, name: Name, near: str | None) -> Diagnostic:
    shown, span = name.name[:60], part_of(subject.source, value, *name.span)
    meant = f"did you mean '{near}'?" if near else None
    if name.name != name.name.upper():
        message = f"'{shown}' is not in upper case as keywords are, so that {_CONSEQUENCE[key]}"
        return subject.finding(UNKNOWN_NAME, span, message, hint=meant or f"write '{shown.upper()}'")
    message = f"'{shown}' is known only if another mapping of the instrument selects by it"
    return subject.finding(BORROWED_NAME, span, message, hint=meant or f"add '{shown}' to 'extra_keys'")


def _is_strange(name: Name, known: Collection[str]) -> bool:
    return name.name not in known and name.name not in _ALWAYS_KNOWN


def _first_uses(expression: Expression) -> tuple[Name, ...]:
    found: dict[str, Name] = {}
    for name in names(expression):
        found.setdefault(name.name, name)
    return tuple(found.values())


def unknown_everywhere(subject: Subject) -> Iterator[Diagnostic]:
    """CM111 for keywords that no mapping of an instrument makes known, if all of them are there."""
    if subject.kind is not MappingKind.INSTRUMENT:
        return
    children = []
    for item in mappings_below(subject):
        child = subject.surroundings.mapping(item.value)
        if child is None or child.file is None:
            return
        children.append((item, make_subject(child, child.file, subject.surroundings)))
    observatory = subject.surroundings.observatory
    known = set(observatory.instrument_keywords if observatory else ())
    known.update(name for _, child in children for name in child.required())
    for item, below in children:
        own = frozenset(below.required())
        for key, value, expression in _readable(below):
            for name in _first_uses(expression):
                told_there = name.name != name.name.upper() or _is_attribute(name.name, own)
                if told_there or not _is_strange(name, known):
                    continue
                label = Label(below.source, part_of(below.source, value, *name.span), "asked for here")
                message = f"'{name.name[:60]}' in '{key}' of '{item.value}' is a keyword of no mapping here"
                hint = f"{_CONSEQUENCE[key]}; add it to 'extra_keys' of that mapping"
                yield subject.finding(UNKNOWN_NAME, item.span, message, labels=(label,), hint=hint)


def _readable(subject: Subject) -> Iterator[tuple[str, String, Expression]]:
    """Expressions that CRDS evaluates."""
    values = [(key, entry.value) for key in ("rmap_relevance", "rmap_omit") if (entry := subject.entry(key))]
    values = [(key, value) for key, value in values if isinstance(value, String) and is_escaped(value.value)]
    values += [("parkey_relevance", entry.value) for entry in subject.table("parkey_relevance")]
    for key, value in values:
        if isinstance(value, String):
            try:
                yield key, value, parse_expression(value.value)
            except ExpressionError:
                continue


CHECKS = (expressions, unknown_everywhere)
