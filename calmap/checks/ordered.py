"""Keys of selectors that go by date, version or number."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from calmap.checks.examples import selector
from calmap.checks.keys import is_key, shown
from calmap.checks.literals import is_plain, rewritten
from calmap.checks.subject import Nested, Subject
from calmap.diagnostics import Applicability, Diagnostic, Fix, Rule, Severity, TextEdit
from calmap.model.dates import DateError, normal_date
from calmap.model.versions import VersionError, version_parts, version_relation
from calmap.syntax.ast import Entry, MappingKind, Number, String, Value

BAD_DATE = Rule(
    "CM301",
    "bad-date",
    "A date can't be read",
    why="The rule is never chosen, or makes every look-up fail.",
    example=selector("'2002-03- 00:34:31' : 'one.fits'"),
    use_instead=selector("'2002-03-01 00:34:31' : 'one.fits'"),
)
EQUAL_DATES = Rule(
    "CM302",
    "equal-dates",
    "Two keys are the same date, written differently",
    why="Only one of the two files can be chosen, and which one depends on how the dates are written.",
    example=selector("'2020-01-01 00:00:00' : 'one.fits'", "'2020-01-01' : 'two.fits'"),
    use_instead=selector("'2020-01-01 00:00:00' : 'one.fits'", "'2020-01-02 00:00:00' : 'two.fits'"),
)
UNSORTED_DATE = Rule(
    "CM303",
    "unsorted-date",
    "A date of UseAfter is written in a form that CRDS sorts wrongly",
    Severity.WARNING,
    why="CRDS compares these dates as texts, and the dates of datasets are written `YYYY-MM-DD HH:MM:SS`. "
    "Any other form, even a `T` for the blank, sorts elsewhere and gives a wrong file. calmap compares "
    "dates as dates.\n\nThe fix, the same date in the usual form, is done with `--fix --unsafe-fixes` only: "
    "with it CRDS selects another file than before for some datasets. Make sure that the new selection is "
    "the one that is meant.",
    example=selector("'2020-01-01T12:00:00' : 'one.fits'"),
    use_instead=selector("'2020-01-01 12:00:00' : 'one.fits'"),
)
BAD_VERSION = Rule(
    "CM304",
    "bad-version",
    "A version, or a relation to a version, can't be read",
    why="VersionAfter has versions such as `1.2.3`; SelectVersion has relations to a number such as `<3.1` "
    "or `=5`, and `default`. CRDS refuses to load the file.",
    example=selector("'v1.2' : 'one.asdf'", name="VersionAfter"),
    use_instead=selector("'1.2' : 'one.asdf'", name="VersionAfter"),
)
EQUAL_VERSIONS = Rule(
    "CM305",
    "equal-versions",
    "Two keys are the same version, written differently",
    why="What follows the three numbers of a version does not count, nor do zeros at its end. CRDS refuses "
    "to load the file.",
    example=selector("'1.2' : 'one.asdf'", "'1.2.0' : 'two.asdf'", name="VersionAfter"),
    use_instead=selector("'1.2' : 'one.asdf'", "'1.2.1' : 'two.asdf'", name="VersionAfter"),
)
EQUALS_VERSION = Rule(
    "CM306",
    "misleading-relation",
    "`=` in SelectVersion means up to and including, and `<=` means below",
    Severity.INFO,
    why="CRDS takes the first relation, in order of numbers, that is not below the version. `=5` is "
    "therefore chosen for every version up to 5 that no smaller relation takes, and `<=5` only below 5.",
    example=selector("'=5' : 'one.fits'", "'default' : 'two.fits'", name="SelectVersion"),
    use_instead=selector("'<5' : 'one.fits'", "'default' : 'two.fits'", name="SelectVersion"),
)
BAD_NUMBER = Rule(
    "CM307",
    "bad-number",
    "A key of GeometricallyNearest or Bracket is no number",
    why="The keys are compared as numbers. In Bracket CRDS can't use numbers in quotes.",
    example=selector("'1.5' : 'one.fits'", name="Bracket"),
    use_instead=selector("1.5 : 'one.fits'", name="Bracket"),
    fixable=True,
)
NO_DEFAULT = Rule(
    "CM308",
    "no-default-version",
    "A SelectVersion has no `default`",
    Severity.WARNING,
    why="For a version above all relations there is no answer, and CRDS fails with an internal error.",
    example=selector("'<5' : 'one.fits'", name="SelectVersion"),
    use_instead=selector("'<5' : 'one.fits'", "'default' : 'two.fits'", name="SelectVersion"),
)
RULES = (
    *(BAD_DATE, EQUAL_DATES, UNSORTED_DATE, BAD_VERSION, EQUAL_VERSIONS),
    *(EQUALS_VERSION, BAD_NUMBER, NO_DEFAULT),
)

_SORTED = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?")
_NUMBER = re.compile(r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d{1,3})?")


def dates(subject: Subject) -> Iterator[Diagnostic]:
    """CM301, CM302 and CM303."""
    for nested in _selectors(subject, "UseAfter", "ClosestTime"):
        same: dict[str, list[Entry]] = {}
        for entry in nested.entries:
            if isinstance(entry.key, String):
                try:
                    same.setdefault(normal_date(entry.key.value), []).append(entry)
                except DateError as problem:
                    yield subject.finding(BAD_DATE, entry.key.span, str(problem))
        for normal, entries in same.items():
            yield from _dates(subject, nested, normal, entries)


def _dates(subject: Subject, nested: Nested, normal: str, entries: list[Entry]) -> Iterator[Diagnostic]:
    first = entries[0]
    for entry in entries:
        if _differ(first.key, entry.key):
            yield _equal(subject, EQUAL_DATES, first, entry, "date")
    alone = len(entries) == 1 and nested.call.name == "UseAfter"
    if alone and isinstance(first.key, String) and not _SORTED.fullmatch(first.key.value):
        yield _unsorted(subject, first.key, normal)


def _unsorted(subject: Subject, key: String, normal: str) -> Diagnostic:
    fix = Fix(f"write '{normal}'", (rewritten(subject.source, key, normal),), Applicability.UNSAFE)
    message = f"'{key.value}' is not written as 'YYYY-MM-DD HH:MM:SS', CRDS sorts it wrongly"
    return subject.finding(UNSORTED_DATE, key.span, message, hint=f"write '{normal}'", fix=fix)


def versions(subject: Subject) -> Iterator[Diagnostic]:
    """CM304 and CM305 in VersionAfter."""
    for nested in _selectors(subject, "VersionAfter"):
        first: dict[Hashable, Entry] = {}
        for entry in nested.entries:
            if not isinstance(entry.key, String):
                continue
            try:
                parts = version_parts(entry.key.value)
            except VersionError as problem:
                yield subject.finding(BAD_VERSION, entry.key.span, str(problem))
                continue
            earlier = first.setdefault(parts, entry)
            if _differ(earlier.key, entry.key):
                yield _equal(subject, EQUAL_VERSIONS, earlier, entry, "version")


def relations(subject: Subject) -> Iterator[Diagnostic]:
    """CM304, CM305, CM306 and CM308 in SelectVersion."""
    for nested in _selectors(subject, "SelectVersion"):
        first: dict[tuple[float, str], Entry] = {}
        for entry in nested.entries:
            if not isinstance(entry.key, String | Number) or not is_key(entry.key):
                continue
            try:
                relation = version_relation(str(entry.key.value))
            except (VersionError, OverflowError) as problem:
                yield subject.finding(BAD_VERSION, entry.key.span, str(problem))
                continue
            earlier = first.setdefault(relation, entry)
            if _differ(earlier.key, entry.key):
                yield _equal(subject, EQUAL_VERSIONS, earlier, entry, "relation")
            elif relation[1] != "<" and relation[0] != float("inf"):
                words = "up to and including" if relation[1] == "=" else "below"
                message = f"{shown(entry.key)} is chosen for every version {words} {relation[0]:g}"
                yield subject.finding(EQUALS_VERSION, entry.key.span, message)
        if nested.entries and (float("inf"), "=") not in first:
            message = "there is no answer for a version above all of these relations"
            yield subject.finding(NO_DEFAULT, nested.call.name_span, message, hint="add a 'default'")


def numbers(subject: Subject) -> Iterator[Diagnostic]:
    """CM307."""
    for nested in _selectors(subject, "GeometricallyNearest", "Bracket"):
        name = nested.call.name
        for entry in nested.entries:
            if not isinstance(entry.key, String):
                continue
            text = entry.key.value.strip()
            if not _NUMBER.fullmatch(text):
                yield subject.finding(BAD_NUMBER, entry.key.span, f"{shown(entry.key)} is not a number")
            elif name == "Bracket":
                fix = _unquoted(subject, entry.key, text)
                message = f"{shown(entry.key)} is a string, CRDS needs a number in Bracket"
                yield subject.finding(BAD_NUMBER, entry.key.span, message, hint="remove the quotes", fix=fix)


def _unquoted(subject: Subject, key: String, text: str) -> Fix | None:
    bare = text.lstrip("+")
    if not is_plain(subject.source, key) or re.match(r"-?0\d", bare):
        return None
    return Fix("remove the quotes", (TextEdit(key.span, bare),))


def _selectors(subject: Subject, *names: str) -> Iterator[Nested]:
    if subject.kind is MappingKind.REFERENCE:
        yield from (nested for nested in subject.selectors if nested.call.name in names)


def _differ(first: Value, second: Value) -> bool:
    """True if two keys are written differently; the same text twice is a duplicate key."""
    return (
        isinstance(first, String | Number)
        and isinstance(second, String | Number)
        and first.value != second.value
    )


def _equal(subject: Subject, rule: Rule, earlier: Entry, entry: Entry, what: str) -> Diagnostic:
    label = subject.label(earlier.key.span, f"the same {what} is given here")
    message = f"{shown(entry.key)} is the same {what} as {shown(earlier.key)}"
    return subject.finding(rule, entry.key.span, message, labels=(label,), hint="remove one of the two")


CHECKS = (dates, versions, relations, numbers)
