"""What a mapping says of other files, and whether they are there and agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from calmap.checks.examples import selector
from calmap.checks.spelling import times
from calmap.checks.subject import Subject
from calmap.checks.terminals import context_entries, is_word, named_files
from calmap.diagnostics import Diagnostic, Label, Rule, Severity
from calmap.model.mapping import Mapping
from calmap.model.names import is_safe, mapping_kind
from calmap.model.pointers import is_lfs_pointer
from calmap.source import Span
from calmap.syntax.ast import Entry, MappingKind, String, header_entry, header_text

MISSING_MAPPING = Rule(
    "CM401",
    "missing-mapping",
    "A mapping that is named does not exist",
    why="Every look-up that comes to this entry fails.",
    example="selector = {\n    'TINSTR' : 'tobs_tinstr_0002.imap',\n}",
    use_instead="selector = {\n    'TINSTR' : 'tobs_tinstr_0001.imap',\n}",
    filename="tobs_0001.pmap",
)
DISAGREEMENT = Rule(
    "CM402",
    "header-disagreement",
    "A mapping and the one that names it disagree on what it is for",
    why="The header of a mapping has to name the telescope, the instrument and the reference type under "
    "which it is listed. A wrong file may be listed, or a header was forgotten when the file was "
    "copied.",
    example="selector = {\n    'OTHER' : 'tobs_tinstr_0001.imap',\n}",
    use_instead="selector = {\n    'TINSTR' : 'tobs_tinstr_0001.imap',\n}",
    filename="tobs_0001.pmap",
)
MISSING_REFERENCE = Rule(
    "CM403",
    "missing-reference",
    "A reference file that is named does not exist",
    why="The rule can be chosen, but there is no file to calibrate with.",
    example=selector("'2020-01-01 00:00:00' : 'none.fits'"),
    use_instead=selector(),
)
POINTER = Rule(
    "CM404",
    "lfs-pointer",
    "A reference file is only a Git-LFS pointer",
    Severity.WARNING,
    why="The repository keeps the file elsewhere, and it was not fetched. What stands in its place is a "
    "text of three lines.",
    example=selector("'2020-01-01 00:00:00' : 'pointer.fits'"),
    use_instead=selector(),
)
RULES = (MISSING_MAPPING, DISAGREEMENT, MISSING_REFERENCE, POINTER)


def nested_mappings(subject: Subject) -> Iterator[Diagnostic]:
    """CM401 and CM402."""
    for entry in context_entries(subject):
        value = entry.value
        if not isinstance(value, String) or is_word(value.value) or not is_safe(value.value):
            continue
        if mapping_kind(value.value) is None:
            continue
        child = subject.surroundings.mapping(value.value)
        if child is None:
            if subject.surroundings.knows_mappings:
                yield subject.finding(
                    MISSING_MAPPING, value.span, f"the mapping '{value.value}' does not exist"
                )
        elif child.file is not None:
            yield from _disagreements(subject, entry, value, child)


def _disagreements(subject: Subject, entry: Entry, value: String, child: Mapping) -> Iterator[Diagnostic]:
    own = "instrument" if subject.kind is MappingKind.PIPELINE else "filekind"
    wanted = {"observatory": subject.text("observatory")}
    if subject.kind is MappingKind.INSTRUMENT:
        wanted["instrument"] = subject.text("instrument")
    if isinstance(entry.key, String):
        wanted[own] = entry.key.value
    for key, expected in wanted.items():
        found = header_text(child.file.header, key) if child.file else None
        if expected is None or found is None or expected.lower() == found.lower():
            continue
        where = f"listed under '{expected[:40]}'" if key == own else f"of the {key} '{expected[:40]}' here"
        message = f"'{value.value}' is {where}, but its header says '{found[:40]}'"
        yield subject.finding(DISAGREEMENT, value.span, message, labels=_said(child, key))


def _said(child: Mapping, key: str) -> tuple[Label, ...]:
    entry = header_entry(child.file.header, key) if child.file else None
    return (Label(child.source, entry.value.span, f"'{key}' is given here"),) if entry else ()


def references(subject: Subject) -> Iterator[Diagnostic]:
    """CM403 and CM404."""
    if not subject.surroundings.knows_references:
        return
    instrument = (subject.text("instrument") or "").lower()
    first: dict[str, Span] = {}
    counts: Counter[str] = Counter()
    for item in named_files(subject):
        if is_safe(item.value):
            first.setdefault(item.value, item.span)
            counts[item.value] += 1
    for name, span in first.items():
        path = subject.surroundings.reference(name, instrument)
        often = times(counts[name]) if counts[name] > 1 else None
        if path is None:
            yield subject.finding(
                MISSING_REFERENCE, span, f"the reference file '{name}' does not exist", hint=often
            )
        elif is_lfs_pointer(path):
            message = f"the reference file '{name}' is only a Git-LFS pointer"
            hint = "; ".join(filter(None, ("fetch it with git lfs pull", often)))
            yield subject.finding(POINTER, span, message, hint=hint)


CHECKS = (nested_mappings, references)
