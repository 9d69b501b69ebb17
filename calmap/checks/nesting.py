"""The shape of the selector tree: names, keys, depth and ends."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.checks.examples import selector
from calmap.checks.keys import elements, is_key, shown
from calmap.checks.spelling import quoted, suggester
from calmap.checks.subject import SELECTORS, Nested, Subject
from calmap.diagnostics import Diagnostic, Fix, Rule, Severity, TextEdit
from calmap.syntax.ast import Constant, Entry, MappingKind, Number, SelectorCall, String, Table, Tuple

KEY_LENGTH = Rule(
    "CM203",
    "key-length",
    "The key of a rule has not as many elements as `parkey` has keywords",
    why="Each element belongs to the keyword at its place in `parkey`. CRDS refuses to load the file.",
    example=selector(key="('FUV', 'F140LP')"),
    use_instead=selector(),
)
UNKNOWN_SELECTOR = Rule(
    "CM204",
    "unknown-selector",
    "A selector has a name that is not one of the seven",
    why=f"The selectors are {', '.join(SELECTORS)}.",
    example=selector(name="Useafter"),
    use_instead=selector(),
)
TOO_FEW_LEVELS = Rule(
    "CM206",
    "too-few-levels",
    "Selectors are nested deeper than `parkey` has levels",
    why="A selector without keywords can't select. CRDS refuses to load the file.",
    example="'parkey' : (('DETECTOR',),),",
    use_instead="'parkey' : (('DETECTOR',), ('DATE-OBS',)),",
)
MISPLACED_SELECTOR = Rule(
    "CM207",
    "misplaced-selector",
    "The selector section is not of the form that a mapping of this level has",
    why="A pmap or imap has a plain dictionary of mappings; an rmap has a selector such as `Match({...})`.",
    example="selector = {\n    ('FUV',) : 'one.fits',\n}",
    use_instead=selector(),
)
BAD_KEY = Rule(
    "CM208",
    "bad-key-type",
    "A key is of a type that no selector of this kind can have",
    why="Match has strings, numbers and tuples of them; dates and versions are strings; "
    "GeometricallyNearest and Bracket have numbers.",
    example=selector("2020 : 'one.fits'"),
    use_instead=selector(),
)
UNUSED_LEVEL = Rule(
    "CM212",
    "unused-level",
    "`parkey` has more levels than selectors are nested",
    Severity.WARNING,
    why="The keywords of the last levels are required of every dataset and never looked at.",
    example="selector = Match({\n    ('FUV',) : 'one.fits',\n})",
    use_instead=selector(),
)
MISSING_TABLE = Rule(
    "CM213",
    "missing-table",
    "A selector has no table of rules",
    why="A selector without rules is written `Match({})`. CRDS refuses to load a file with `Match()`.",
    example="selector = Match()",
    use_instead="selector = Match({})",
    fixable=True,
)
RULES = (
    *(KEY_LENGTH, UNKNOWN_SELECTOR, TOO_FEW_LEVELS, MISPLACED_SELECTOR),
    *(BAD_KEY, UNUSED_LEVEL, MISSING_TABLE),
)


def misplaced_selector(subject: Subject) -> Iterator[Diagnostic]:
    """CM207."""
    selector = subject.file.selector
    if subject.kind is MappingKind.REFERENCE and isinstance(selector, Table):
        message = "the selector of an .rmap must be a selector such as Match({...}), found a dictionary"
        yield subject.finding(
            MISPLACED_SELECTOR, selector.span._replace(end=selector.span.start + 1), message
        )
    elif subject.kind is not MappingKind.REFERENCE and isinstance(selector, SelectorCall):
        message = f"the selector of a .{subject.kind} must be a dictionary, found {selector.name[:40]}"
        yield subject.finding(MISPLACED_SELECTOR, selector.name_span, message)


def unknown_selectors(subject: Subject) -> Iterator[Diagnostic]:
    """CM204."""
    nearest = suggester(SELECTORS)
    for nested in subject.selectors:
        name = nested.call.name
        if name not in SELECTORS:
            near = nearest(name)
            hint = f"did you mean '{near}'?" if near else f"the selectors are {', '.join(SELECTORS)}"
            yield subject.finding(
                UNKNOWN_SELECTOR, nested.call.name_span, f"'{name[:60]}' is not a selector", hint=hint
            )


def missing_tables(subject: Subject) -> Iterator[Diagnostic]:
    """CM213."""
    for nested in subject.selectors:
        place = nested.call.table.span
        if place.start == place.end:
            message = f"{nested.call.name[:40]} has no table of rules"
            fix = Fix("add an empty table", (TextEdit(place, "{}"),))
            hint = f"write {nested.call.name[:40]}({{}}) if there are none"
            yield subject.finding(MISSING_TABLE, nested.call.name_span, message, hint=hint, fix=fix)


def depth(subject: Subject) -> Iterator[Diagnostic]:
    """CM206 and CM212."""
    if subject.levels is None or not subject.selectors:
        return
    levels, deepest = len(subject.levels), subject.selectors[-1]
    parkey = subject.entry("parkey")
    labels = (subject.label(parkey.value.span, "'parkey' is given here"),) if parkey else ()
    first = next((nested for nested in subject.selectors if nested.depth >= levels), None)
    if first:
        message = f"{first.call.name[:40]} is at level {first.depth + 1}, but 'parkey' has {levels}"
        yield subject.finding(TOO_FEW_LEVELS, first.call.name_span, message, labels=labels)
    elif (
        parkey
        and deepest.depth + 1 < levels
        and any(subject.levels[deepest.depth + 1 :])
        and _has_files(subject)
    ):
        unused = quoted([name for level in subject.levels[deepest.depth + 1 :] for name in level])
        message = f"'parkey' has {levels} levels, but selectors are nested {deepest.depth + 1} deep"
        hint = f"remove {unused} or add the selectors"
        yield subject.finding(UNUSED_LEVEL, parkey.value.span, message, hint=hint)


def _has_files(subject: Subject) -> bool:
    return any(
        not isinstance(entry.value, String)
        or entry.value.value.upper() not in ("N/A", "OMIT", "TEMP_N/A", "TEMP_OMIT")
        for nested in subject.selectors
        for entry in nested.entries
    )


def keys(subject: Subject) -> Iterator[Diagnostic]:
    """CM203 and CM208."""
    if subject.kind is not MappingKind.REFERENCE:
        yield from _context_keys(subject)
        return
    for nested in subject.selectors:
        for entry in nested.entries:
            if nested.call.name == "Match":
                yield from _match_key(subject, nested, entry)
            elif nested.call.name in SELECTORS:
                yield from _row_key(subject, nested.call.name, entry)


def _context_keys(subject: Subject) -> Iterator[Diagnostic]:
    entries = subject.file.selector.entries if isinstance(subject.file.selector, Table) else ()
    for entry in entries:
        if not isinstance(entry.key, String):
            yield subject.finding(BAD_KEY, entry.key.span, f"a key of a .{subject.kind} is a string")


def _match_key(subject: Subject, nested: Nested, entry: Entry) -> Iterator[Diagnostic]:
    if not is_key(entry.key):
        message = "a key of Match is a string, a number or a tuple of them"
        yield subject.finding(BAD_KEY, entry.key.span, message)
        return
    wanted = nested.parameters
    found = len(elements(entry.key))
    if wanted is not None and found != len(wanted):
        message = f"{shown(entry.key)} has {_elements(found)} for {_keywords(wanted)}"
        yield subject.finding(KEY_LENGTH, entry.key.span, message)


def _elements(count: int) -> str:
    return f"{count} element" + ("" if count == 1 else "s")


def _keywords(names: tuple[str, ...]) -> str:
    if not names:
        return "no keyword"
    listed = quoted(names) if len(names) < 7 else f"'{names[0]}' to '{names[-1]}'"
    return f"the {len(names)} keyword{'' if len(names) == 1 else 's'} {listed}"


_WANTED = {
    "UseAfter": (String, "a date such as '2024-09-24 00:00:00'"),
    "ClosestTime": (String, "a date such as '2024-09-24 00:00:00'"),
    "VersionAfter": (String, "a version such as '1.2.3'"),
    "SelectVersion": (String | Number, "a relation such as '<3.1' or 'default'"),
    "GeometricallyNearest": (String | Number, "a number"),
    "Bracket": (String | Number, "a number"),
}


def _row_key(subject: Subject, name: str, entry: Entry) -> Iterator[Diagnostic]:
    types, words = _WANTED[name]
    if not isinstance(entry.key, types) or not is_key(entry.key):
        what = shown(entry.key) if isinstance(entry.key, Tuple | Number | Constant) else "a bracket"
        yield subject.finding(BAD_KEY, entry.key.span, f"a key of {name} is {words}, found {what}")


CHECKS = (misplaced_selector, unknown_selectors, missing_tables, depth, keys)
