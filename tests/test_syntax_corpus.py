"""Every real mapping is read, kept to the byte, and knows the place of everything in it."""

from collections import Counter
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
PARTS = ("crds-cache", "odd", "liger-iris-crds-cache", "tmt-crds-cache")
REFUSED = {
    "hst_acs_darkfile_badexpr.rmap": "ccdamp is no expression",
    "hst_acs_darkfile_missing_key.rmap": "the header lacks 'mapping'",
}
"""Mappings that crds 14.0.3 refuses to load too; all are in the part "odd"."""
WRONG_CHECKSUMS = {
    "crds-cache": {"roman_wfi_epsf_0001.rmap"},
    "odd": {
        "hst-bad-xsum.rmap",
        "hst-missing-xsum.rmap",
        "hst_acs_0491.imap",
        "hst_acs_darkfile_missing_key.rmap",
        "hst_cos_dup.rmap",
        "hst_cos_tdstab_duplicate.rmap",
        "roman_wfi_flat_0004_duplicate.rmap",
    },
    "liger-iris-crds-cache": {
        "ligeriri_0001.pmap",
        "ligeriri_iris_0001.imap",
        "ligeriri_iris_dark_0001.rmap",
        "ligeriri_iris_dq_0001.rmap",
        "ligeriri_iris_drizpars_0001.rmap",
        "ligeriri_iris_flat_0001.rmap",
        "ligeriri_iris_nonlin_0001.rmap",
        "ligeriri_liger_0001.imap",
    },
    "tmt-crds-cache": set(),
}
"""Mappings whose checksum crds 14.0.3 finds wrong or missing, or that it can't load at all."""


def mappings(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.[pir]map"))


@pytest.fixture(params=["bundled", *PARTS])
def real(request) -> list[Path]:
    if request.param == "bundled":
        return mappings(CHECKOUT / "mappings")
    return mappings(request.getfixturevalue("corpus") / request.param)


def test_the_corpus_is_complete(corpus):
    counted = {part: Counter(path.suffix for path in mappings(corpus / part)) for part in (*PARTS, ".")}

    assert counted == {
        "crds-cache": {".pmap": 12, ".imap": 28, ".rmap": 333},
        "odd": {".pmap": 3, ".imap": 12, ".rmap": 101},
        "liger-iris-crds-cache": {".pmap": 1, ".imap": 2, ".rmap": 5},
        "tmt-crds-cache": {".pmap": 1, ".imap": 3, ".rmap": 7},
        ".": {".pmap": 17, ".imap": 45, ".rmap": 446},
    }


def test_every_mapping_is_read_and_kept_to_the_byte(real):
    loaded = [load_mapping(path) for path in real]

    assert [mapping.name for mapping in loaded if mapping.file is None] == []
    assert [m.name for m in loaded if m.text.encode() != m.path.read_bytes()] == []


@pytest.mark.parametrize("part", ["bundled", *PARTS])
def test_every_reference_mapping_compiles(request, part):
    folder = CHECKOUT / "mappings" if part == "bundled" else request.getfixturevalue("corpus") / part
    problems = {}
    for path in mappings(folder):
        mapping = load_mapping(path)
        if mapping.kind is MappingKind.REFERENCE:
            try:
                compile_reference(mapping.file, None)
            except MappingError as problem:
                problems[path.name] = problem.message

    expected = REFUSED if part == "odd" else {}
    assert set(problems) == set(expected)
    assert all(expected[name] in message for name, message in problems.items())


@pytest.mark.parametrize("part", PARTS)
def test_recorded_checksums_are_judged(corpus, part):
    judged = map(load_mapping, mappings(corpus / part))

    wrong = {mapping.name for mapping in judged if mapping.recorded_checksum != mapping.checksum}

    assert wrong == WRONG_CHECKSUMS[part]


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
