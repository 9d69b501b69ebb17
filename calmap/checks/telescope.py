"""Whether a mapping goes with the telescope's definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase

from calmap.checks.elements import columns
from calmap.checks.examples import selector
from calmap.checks.keys import conditioned, identity, is_key
from calmap.checks.spelling import quoted, suggester, times
from calmap.checks.subject import Subject
from calmap.checks.substitutions import substitutions
from calmap.checks.terminals import context_entries
from calmap.diagnostics import Diagnostic, Rule, Severity
from calmap.model.patterns import NO_MATCH, PatternError, has_glob, pattern
from calmap.model.values import ANY, NA, alternatives, condition_text, is_esoteric
from calmap.syntax.ast import MappingKind, String, Value

VALUE_NOT_ALLOWED = Rule(
    "CM313",
    "value-not-allowed",
    "A match key asks for a value that the telescope's definition does not list",
    Severity.WARNING,
    why="A rule for a value that no dataset has is never chosen; nor is one with a relation, a glob or a "
    "regular expression that accepts none of the values there are. The definition is `observatory.yaml` "
    "in the cache's `config` directory, or the one that calmap brings along.",
    example=selector(key="('FUX',)"),
    use_instead=selector(),
)
UNKNOWN_INSTRUMENT = Rule(
    "CM314",
    "unknown-instrument",
    "The telescope's definition does not have this instrument",
    Severity.WARNING,
    why="No dataset can be of an instrument that the telescope does not have.",
    example="'instrument' : 'TINSTRUMENT',",
    use_instead="'instrument' : 'TINSTR',",
)
UNKNOWN_TYPE = Rule(
    "CM315",
    "unknown-reference-type",
    "The telescope's definition does not have this reference type for the instrument",
    Severity.WARNING,
    why="Nothing asks for a reference type that the instrument does not have.",
    example="'filekind' : 'TFILEKINDS',",
    use_instead="'filekind' : 'TFILEKIND',",
)
RULES = (VALUE_NOT_ALLOWED, UNKNOWN_INSTRUMENT, UNKNOWN_TYPE)

_NOT_AMONG = "{} is not among the values of {} that the telescope has"
_ACCEPTS_NONE = "{} accepts none of the values of {} that the telescope has"


def disallowed_values(subject: Subject) -> Iterator[Diagnostic]:
    """CM313."""
    observatory, instrument = subject.surroundings.observatory, subject.text("instrument")
    if observatory is None or instrument is None:
        return
    swaps = substitutions(subject)
    comments = {item.value.upper() for item in subject.strings("comment_parkeys")}
    for parameter, column in columns(subject):
        listed = None if parameter.upper() in comments else observatory.values(instrument, parameter)
        if listed is not None:
            swapped = swaps.get(parameter, {})
            kept = [written for written, _ in column if identity(written) not in swapped]
            yield from _disallowed(subject, parameter, kept, frozenset(map(condition_text, listed)))


def _disallowed(
    subject: Subject, parameter: str, column: list[Value], allowed: frozenset[str]
) -> Iterator[Diagnostic]:
    first: dict[str, Value] = {}
    texts: Counter[str] = Counter()
    for part in filter(is_key, column):
        text = conditioned(part)
        first.setdefault(text, part)
        texts[text] += 1
    places: dict[tuple[str, str], Value] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for text, part in first.items():
        for told in _unmet(text, allowed):
            places.setdefault(told, part)
            counts[told] += texts[text]
    nearest = suggester(allowed)
    for told, part in places.items():
        member, message = told
        hints = [_meant(nearest(member)) or f"known are {quoted(sorted(allowed))}"]
        hints += [times(counts[told])] if counts[told] > 1 else []
        message = message.format(f"'{member[:60]}'", f"'{parameter[:60]}'")
        yield subject.finding(VALUE_NOT_ALLOWED, part.span, message, hint="; ".join(hints))


def _unmet(text: str, allowed: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Members of an element that accept none of the values allowed, each with what is to be said of it."""
    if is_esoteric(text) or text[:1] in ("<", ">"):
        return () if _accepts(text, allowed) else ((text, _ACCEPTS_NONE),)
    found: list[tuple[str, str]] = []
    for member in alternatives(text):
        if member in allowed or member in ("", ANY, NA):
            continue
        if "*" in member or (text != member and has_glob(member)):
            if not any(fnmatchcase(value, member) for value in allowed):
                found.append((member, _ACCEPTS_NONE))
        else:
            found.append((member, _NOT_AMONG))
    return tuple(found)


def _accepts(text: str, allowed: frozenset[str]) -> bool:
    """True if a pattern accepts one of some values; also if it is none."""
    try:
        judge = pattern(text)
    except PatternError:
        return True
    return any(judge.match(value) != NO_MATCH for value in allowed)


def _meant(near: str | None) -> str | None:
    return f"did you mean '{near}'?" if near else None


def unknown_to_telescope(subject: Subject) -> Iterator[Diagnostic]:
    """CM314 and CM315."""
    observatory = subject.surroundings.observatory
    if observatory is None or not observatory.instruments:
        return
    entry = subject.entry("instrument")
    instruments = [entry.value] if entry else []
    if subject.kind is MappingKind.PIPELINE:
        instruments = [row.key for row in context_entries(subject)]
    nearest = suggester(observatory.instruments)
    for value in instruments:
        if isinstance(value, String) and value.value.lower() not in observatory.instruments:
            message = f"'{value.value[:60]}' is no instrument of {observatory.title}"
            yield subject.finding(UNKNOWN_INSTRUMENT, value.span, message, hint=_meant(nearest(value.value)))
    yield from _unknown_types(subject)


def _unknown_types(subject: Subject) -> Iterator[Diagnostic]:
    observatory, instrument = subject.surroundings.observatory, subject.text("instrument") or ""
    known = observatory.reftypes(instrument) if observatory else ()
    entry = subject.entry("filekind")
    values = [entry.value] if entry and subject.kind is MappingKind.REFERENCE else []
    if subject.kind is MappingKind.INSTRUMENT:
        values = [row.key for row in context_entries(subject)]
    nearest = suggester(known)
    for value in values:
        if known and isinstance(value, String) and value.value.lower() not in known:
            message = f"'{value.value[:60]}' is no reference type of {instrument[:60]}"
            yield subject.finding(UNKNOWN_TYPE, value.span, message, hint=_meant(nearest(value.value)))


CHECKS = (unknown_to_telescope, disallowed_values)
