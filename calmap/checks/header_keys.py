"""Keys of the header: which there must be, which there may be, and of what type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from calmap.checks.examples import header
from calmap.checks.header_types import TYPES, wanted_type
from calmap.checks.keys import shown
from calmap.checks.spelling import suggester
from calmap.checks.subject import Subject
from calmap.diagnostics import Diagnostic, Rule, Severity
from calmap.syntax.ast import Constant, MappingKind, Number, String

MISSING_KEY = Rule(
    "CM101",
    "missing-header-key",
    "The header lacks a key that every mapping of its level must have",
    why="CRDS refuses to load the file, or fails when the key is first asked for.",
    example=header(lacking="filekind"),
    use_instead=header(),
)
MISTYPED_KEY = Rule(
    "CM102",
    "mistyped-header-key",
    "A value of the header is not of the type its key asks for",
    why="A program that reads the key expects the one type and fails on any other. A common slip is a tuple"
    " of one without its comma: `('DETECTOR')` is a string.",
    example="'parkey' : (('DETECTOR'), ('DATE-OBS',)),",
    use_instead="'parkey' : (('DETECTOR',), ('DATE-OBS',)),",
)
MISSPELLED_KEY = Rule(
    "CM103",
    "misspelled-header-key",
    "A key of the header is unknown, but nearly a known one",
    Severity.WARNING,
    why="A header key that nothing reads is silently without effect.",
    example="'rmap_relevence' : '(DETECTOR == \"FUV\")',",
    use_instead="'rmap_relevance' : '(DETECTOR == \"FUV\")',",
)
UNKNOWN_KEY = Rule(
    "CM104",
    "unknown-header-key",
    "A key of the header is not one that mappings have",
    Severity.INFO,
    why="Nothing reads it. It may be a note, for which there are comments.",
    example="'author' : 'A. Maintainer',",
    use_instead="# by A. Maintainer",
)
INERT_KEY = Rule(
    "CM105",
    "inert-header-key",
    "`ignore_checksum` in a header has no effect",
    Severity.WARNING,
    why="CRDS ignores a wrong checksum when its caller or the environment says so, never because a file "
    "does. With this key a file looks as if its checksum did not matter, and is refused all the same.",
    example="'ignore_checksum' : True,",
    use_instead="'description' : 'first version',",
    filename="tobs_0001.pmap",
)
BAD_VALUE = Rule(
    "CM108",
    "bad-header-value",
    "A value of the header is none of the words its key knows",
    Severity.WARNING,
    why="An unknown word is taken as another one: CRDS takes whatever is not YES or NONE in "
    "`reffile_required` for NO, and whatever is not TRUE or 1 in `merge_overlaps` for false.",
    example="'reffile_required' : 'MAYBE',",
    use_instead="'reffile_required' : 'YES',",
)
RULES = (MISSING_KEY, MISTYPED_KEY, MISSPELLED_KEY, UNKNOWN_KEY, INERT_KEY, BAD_VALUE)

_ALL = frozenset(MappingKind)
_RMAP = frozenset({MappingKind.REFERENCE})
_REQUIRED: Mapping[str, frozenset[MappingKind]] = MappingProxyType({
    "derived_from": _ALL,
    "filekind": _RMAP,
    "instrument": frozenset({MappingKind.INSTRUMENT, MappingKind.REFERENCE}),
    "mapping": _ALL,
    "name": _ALL,
    "observatory": _ALL,
    "parkey": _ALL,
})  # fmt: skip
_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "reffile_required": ("YES", "NO", "NONE"),
    "merge_overlaps": ("TRUE", "FALSE", "1", "0"),
})  # fmt: skip


def missing_keys(subject: Subject) -> Iterator[Diagnostic]:
    """CM101."""
    start = subject.header.span.start
    for name, kinds in _REQUIRED.items():
        if subject.kind in kinds and subject.entry(name) is None:
            message = f"the header has no '{name}'"
            yield subject.finding(
                MISSING_KEY,
                subject.header.span._replace(end=start + 1),
                message,
                hint=_missing_hint(subject, name),
            )


def _missing_hint(subject: Subject, name: str) -> str:
    examples = {
        "name": f"'{subject.mapping.name}'",
        "mapping": {"pmap": "'PIPELINE'", "imap": "'INSTRUMENT'", "rmap": "'REFERENCE'"}[subject.kind],
        "parkey": "(('DETECTOR',), ('DATE-OBS',))"
        if subject.kind is MappingKind.REFERENCE
        else "('INSTRUME',)",
    }
    example = examples.get(name, "'...'")
    return f"add '{name}' : {example}"


def wrong_types(subject: Subject) -> Iterator[Diagnostic]:
    """CM102."""
    for entry in subject.header.entries:
        key = entry.key
        if not isinstance(key, String):
            message = f"a key of the header is a string, found {shown(key)}"
            yield subject.finding(MISTYPED_KEY, key.span, message)
            continue
        if wanted := wanted_type(subject.kind, key.value, entry.value):
            yield subject.finding(MISTYPED_KEY, entry.value.span, f"'{key.value}' must be {wanted}")


def unknown_keys(subject: Subject) -> Iterator[Diagnostic]:
    """CM103, CM104 and CM105."""
    nearest = suggester(TYPES)
    for entry in subject.header.entries:
        if not isinstance(entry.key, String) or entry.key.value in TYPES:
            continue
        name, span = entry.key.value, entry.key.span
        if name == "ignore_checksum":
            message = "'ignore_checksum' in a header has no effect, the checksum is compared all the same"
            yield subject.finding(INERT_KEY, span, message, hint="remove it and record the right sha1sum")
        elif near := nearest(name):
            message = f"'{name[:60]}' is no key of a header"
            yield subject.finding(MISSPELLED_KEY, span, message, hint=f"did you mean '{near}'?")
        else:
            yield subject.finding(
                UNKNOWN_KEY, span, f"'{name[:60]}' is a key of the header that nothing reads"
            )


def bad_values(subject: Subject) -> Iterator[Diagnostic]:
    """CM108."""
    for name, words in _WORDS.items():
        entry = subject.entry(name)
        if entry is None or not isinstance(entry.value, String | Number | Constant):
            continue
        text = (
            subject.source.slice(entry.value.span)
            if isinstance(entry.value, Number)
            else str(entry.value.value)
        )
        if text.upper() not in words:
            message = f"'{name}' is '{text[:60]}', expected {' or '.join(words)}"
            yield subject.finding(BAD_VALUE, entry.value.span, message)


CHECKS = (missing_keys, wrong_types, unknown_keys, bad_values)
