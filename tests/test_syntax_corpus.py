"""Every real mapping is read, kept to the byte, and knows the place of everything in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from calmap.compile.reference import compile_reference
from calmap.errors import MappingError
from calmap.model.mapping import load_mapping
from calmap.source import Source
from calmap.syntax.ast import List, MappingKind, SelectorCall, Set, Table, Tuple, Value
from calmap.syntax.parser import parse

CHECKOUT = Path(__file__).parent.parent
REFUSED = {
    "hst_acs_darkfile_badexpr.rmap": "ccdamp is no expression",
    "hst_acs_darkfile_missing_key.rmap": "the header lacks 'mapping'",
}
"""Mappings that crds 14.0.3 refuses to load too."""
WRONG_CHECKSUMS = {
    "roman_wfi_epsf_0001.rmap",
    "hst-bad-xsum.rmap",
    "hst-missing-xsum.rmap",
    "hst_acs_0491.imap",
    "hst_acs_darkfile_missing_key.rmap",
    "hst_cos_dup.rmap",
    "hst_cos_tdstab_duplicate.rmap",
    "roman_wfi_flat_0004_duplicate.rmap",
}
"""Mappings whose checksum crds 14.0.3 finds wrong or missing, or that it can't load at all."""


def mappings(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.[pir]map"))


@pytest.fixture(params=["bundled", "corpus"])
def real(request) -> list[Path]:
    if request.param == "bundled":
        return mappings(CHECKOUT / "mappings")
    return mappings(request.getfixturevalue("corpus"))


def test_the_corpus_is_complete(corpus):
    assert len(mappings(corpus / "crds-cache") + mappings(corpus / "odd")) >= 480


def test_every_mapping_is_read_and_kept_to_the_byte(real):
    loaded = [load_mapping(path) for path in real]

    assert [mapping.name for mapping in loaded if mapping.file is None] == []
    assert [m.name for m in loaded if m.text.encode() != m.path.read_bytes()] == []


def test_every_reference_mapping_compiles(real):
    problems = {}
    for path in real:
        mapping = load_mapping(path)
        if mapping.kind is MappingKind.REFERENCE:
            try:
                compile_reference(mapping.file, None)
            except MappingError as problem:
                problems[path.name] = problem.message

    assert set(problems) <= set(REFUSED)
    assert all(REFUSED[name] in message for name, message in problems.items())
    assert len(problems) in (0, 2)


def test_recorded_checksums_are_judged(corpus):
    judged = [
        *mappings(corpus / "crds-cache"),
        *mappings(corpus / "odd"),
        *mappings(corpus / "tmt-crds-cache"),
    ]
    wrong = {
        mapping.name for mapping in map(load_mapping, judged) if mapping.recorded_checksum != mapping.checksum
    }

    assert wrong == WRONG_CHECKSUMS


def parts(value: Value) -> Iterator[Value]:
    yield value
    match value:
        case Tuple(items=items) | List(items=items) | Set(items=items):
            for item in items:
                yield from parts(item)
        case Table(entries=entries):
            for entry in entries:
                yield from parts(entry.key)
                yield from parts(entry.value)
        case SelectorCall(table=table):
            yield from parts(table)


def bare(value: Value) -> object:
    """What a value says without where it says it."""
    match value:
        case Tuple(items=items) | List(items=items) | Set(items=items):
            return type(value), tuple(map(bare, items))
        case Table(entries=entries):
            return Table, tuple((bare(entry.key), bare(entry.value)) for entry in entries)
        case SelectorCall(name=name, table=table):
            return name, bare(table)
    return type(value), value.value


@pytest.mark.parametrize("size", [2_000, 6_000, 20_000])
def test_every_span_holds_what_its_node_says(real, size):
    path = min(real, key=lambda path: abs(path.stat().st_size - size))
    source = Source(path.name, path.read_text())
    values = [part for section in parse(source).sections for part in parts(section.value)]

    for value in values:
        (again,) = parse(Source("part", f"header = {source.slice(value.span)}")).sections
        assert bare(again.value) == bare(value)
    assert len(values) > 20
