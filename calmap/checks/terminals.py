"""What rules end in: files, and words in their place."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.checks.examples import selector
from calmap.checks.subject import Subject
from calmap.diagnostics import Diagnostic, Rule
from calmap.model.names import is_na, is_omit, is_safe, mapping_kind
from calmap.syntax.ast import Entry, MappingKind, SelectorCall, String, Table, Tuple, Value

BAD_TERMINAL = Rule(
    "CM209",
    "bad-terminal",
    "A rule ends in something that is no file",
    why="A rule ends in a file name, `N/A`, `OMIT`, a tuple of file names, or a dictionary of them.",
    example=selector("'2020-01-01 00:00:00' : None"),
    use_instead=selector("'2020-01-01 00:00:00' : 'N/A'"),
)
UNSAFE_NAME = Rule(
    "CM210",
    "unsafe-file-name",
    "A file name is not a plain name",
    why="Files are looked for in the cache by their name alone. A name with a directory in it could lead "
    "out of the cache, and one with a blank or a control character is a slip.",
    example=selector("'2020-01-01 00:00:00' : '../one.fits'"),
    use_instead=selector(),
)
BAD_ENTRY = Rule(
    "CM211",
    "bad-context-entry",
    "An entry of a pmap or imap does not name a mapping of the next level",
    why="A pmap names an imap for each instrument, and an imap an rmap for each reference type. `N/A` and "
    "`OMIT` may stand in their place.",
    example="selector = {\n    'TINSTR' : 'tobs_tinstr_tfilekind_0001.rmap',\n}",
    use_instead="selector = {\n    'TINSTR' : 'tobs_tinstr_0001.imap',\n}",
    filename="tobs_0001.pmap",
)
RULES = (BAD_TERMINAL, UNSAFE_NAME, BAD_ENTRY)

_NEXT = {MappingKind.PIPELINE: MappingKind.INSTRUMENT, MappingKind.INSTRUMENT: MappingKind.REFERENCE}


def is_word(text: str) -> bool:
    """True for the words that may stand in the place of a file."""
    return is_na(text) or is_omit(text)


def context_entries(subject: Subject) -> tuple[Entry, ...]:
    """Entries of a pmap or imap."""
    selector = subject.file.selector
    return selector.entries if subject.kind in _NEXT and isinstance(selector, Table) else ()


def mappings_below(subject: Subject) -> tuple[String, ...]:
    """Names of the mappings that a pmap or imap names, whatever their level."""
    return tuple(
        entry.value
        for entry in context_entries(subject)
        if isinstance(entry.value, String) and is_safe(entry.value.value) and mapping_kind(entry.value.value)
    )


def named_files(subject: Subject) -> Iterator[String]:
    """Every reference file that an rmap names, in the order of the text."""
    if subject.kind is not MappingKind.REFERENCE:
        return
    for nested in subject.selectors:
        for entry in nested.entries:
            match entry.value:
                case String(_, text):
                    if not is_word(text):
                        yield entry.value
                case Tuple(_, items):
                    yield from (item for item in items if isinstance(item, String))
                case Table(_, entries):
                    yield from (row.value for row in entries if isinstance(row.value, String))


def terminals(subject: Subject) -> Iterator[Diagnostic]:
    """CM209."""
    if subject.kind is not MappingKind.REFERENCE:
        return
    for nested in subject.selectors:
        for entry in nested.entries:
            if problem := _problem(entry.value):
                value, message = problem
                yield subject.finding(BAD_TERMINAL, value.span, message)


def _problem(value: Value) -> tuple[Value, str] | None:
    match value:
        case String() | SelectorCall():
            return None
        case Tuple(_, items):
            if not items:
                return value, "this tuple names no file"
            bad = next((item for item in items if not isinstance(item, String)), None)
            return (bad, "a tuple of files has file names only") if bad else None
        case Table(_, entries):
            if not entries:
                return value, "this dictionary names no file"
            parts = [part for entry in entries for part in (entry.key, entry.value)]
            bad = next((part for part in parts if not isinstance(part, String)), None)
            return (bad, "a dictionary of files has names as keys and file names as values") if bad else None
    return value, "a rule ends in a file name, N/A, OMIT, a tuple or a dictionary of file names"


def unsafe_names(subject: Subject) -> Iterator[Diagnostic]:
    """CM210."""
    named = [*named_files(subject), *(entry.value for entry in context_entries(subject))]
    for item in named:
        if isinstance(item, String) and not is_word(item.value) and not is_safe(item.value):
            message = f"{item.value[:60]!r} is not a plain file name"
            yield subject.finding(UNSAFE_NAME, item.span, message, hint=_unsafe_hint(item.value))


def _unsafe_hint(text: str) -> str:
    if not text:
        return "write 'N/A' where no file applies"
    if "/" in text or "\\" in text:
        return "give the name without its directory"
    return "a file name has letters, digits and the characters _ . - + $ = ~ @ % ,"


def bad_entries(subject: Subject) -> Iterator[Diagnostic]:
    """CM211."""
    for entry in context_entries(subject):
        value, wanted = entry.value, _NEXT[subject.kind]
        if not isinstance(value, String):
            message = f"an entry of a .{subject.kind} is the name of an .{wanted}, N/A or OMIT"
            yield subject.finding(BAD_ENTRY, value.span, message)
        elif not is_word(value.value) and is_safe(value.value) and mapping_kind(value.value) is not wanted:
            message = f"{value.value[:60]!r} is not the name of an .{wanted}"
            yield subject.finding(BAD_ENTRY, value.span, message)


CHECKS = (terminals, unsafe_names, bad_entries)
