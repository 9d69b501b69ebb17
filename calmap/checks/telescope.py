"""Whether a mapping goes with the telescope's definition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from calmap.checks.elements import columns
from calmap.checks.examples import selector
from calmap.checks.keys import conditioned, identity, is_key
from calmap.checks.spelling import quoted, suggester, times
from calmap.checks.subject import Subject
from calmap.checks.substitutions import substitutions
from calmap.checks.terminals import context_entries
from calmap.diagnostics import Diagnostic, Rule, Severity
from calmap.model.values import ANY, NA, condition_text, is_esoteric
from calmap.syntax.ast import MappingKind, String, Value

VALUE_NOT_ALLOWED = Rule(
    "CM313",
    "value-not-allowed",
    "A match key has a value that the telescope's definition does not list",
    Severity.WARNING,
    why="A rule for a value that no dataset has is never chosen. The definition is `observatory.yaml` in "
    "the cache's `config` directory, or the one that calmap brings along.",
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

_SPECIAL = re.compile(r"[*?\[]|^[<>]")


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
    counts: Counter[str] = Counter()
    for part in column:
        if not is_key(part) or is_esoteric(text := conditioned(part)):
            continue
        for member in text.split("|"):
            if member not in allowed and member not in ("", ANY, NA) and not _SPECIAL.search(member):
                first.setdefault(member, part)
                counts[member] += 1
    nearest = suggester(allowed)
    for member, part in first.items():
        hints = [_meant(nearest(member)) or f"known are {quoted(sorted(allowed))}"]
        hints += [times(counts[member])] if counts[member] > 1 else []
        message = f"'{member[:60]}' is not among the values of '{parameter[:60]}' that the telescope has"
        yield subject.finding(VALUE_NOT_ALLOWED, part.span, message, hint="; ".join(hints))


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
