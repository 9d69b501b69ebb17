"""Changed mappings as new files of a cache."""

from __future__ import annotations

from pathlib import Path

import pytest
from deliveries import CHECKOUT
from hypothesis import given
from hypothesis import strategies as st

from calmap.bestref import Cache
from calmap.delivery.revision import NewType, link, next_name, renamed, revise
from calmap.edit.application import edited, parsed
from calmap.edit.header import set_header
from calmap.errors import CacheError, MappingError
from calmap.model.mapping import Mapping, parse_mapping
from calmap.syntax.ast import Table, header_text

CONTEXT = "ligeriri_0001.pmap"
FLAT = "ligeriri_iris_flat_0001.rmap"


@pytest.fixture(scope="module")
def rules():
    return Cache(CHECKOUT).rules("ligeriri")


def described(mapping: Mapping, text: str = "changed") -> Mapping:
    return edited(mapping, set_header(parsed(mapping), "description", text))


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [
        ("hst_0001.pmap", [], "hst_0002.pmap"),
        ("hst_0001.pmap", ["hst_0007.pmap", "hst_acs_0009.imap", "jwst_0100.pmap"], "hst_0008.pmap"),
        ("hst_0009.pmap", ["hst_0007.pmap"], "hst_0010.pmap"),
        ("hst.pmap", [], "hst_0001.pmap"),
        ("hst.pmap", ["hst_0001.pmap"], "hst_0002.pmap"),
        ("hst_acs_dark_0001.rmap", ["hst_acs_darkfile_0005.rmap"], "hst_acs_dark_0002.rmap"),
    ],
)
def test_the_next_name(name: str, taken: list[str], found: str) -> None:
    assert next_name(name, taken) == found


@given(st.lists(st.integers(0, 9998), max_size=5), st.integers(0, 9998))
def test_the_next_name_is_new(serials: list[int], serial: int) -> None:
    taken = [f"a_b_c_{number:04d}.rmap" for number in serials]

    assert next_name(f"a_b_c_{serial:04d}.rmap", taken) not in taken


def test_a_series_ends() -> None:
    with pytest.raises(CacheError, match="has reached 9999"):
        next_name("hst_0001.pmap", ["hst_9999.pmap"])


def test_a_change_goes_up_to_the_context(rules) -> None:
    revision = revise(rules, CONTEXT, {FLAT: described(rules.mapping(FLAT))})

    assert [change.new.name for change in revision.changes] == [
        "ligeriri_iris_flat_0002.rmap",
        "ligeriri_iris_0002.imap",
        "ligeriri_0002.pmap",
    ]
    assert revision.context == "ligeriri_0002.pmap"
    for change in revision.changes:
        header = parsed(change.new).header
        assert header_text(header, "name") == change.new.name == change.new.path.name
        assert header_text(header, "derived_from") == change.old.name
        assert change.new.recorded_checksum == change.new.checksum
        assert not change.in_place


def test_a_change_in_place_goes_no_further(rules) -> None:
    revision = revise(rules, CONTEXT, {FLAT: described(rules.mapping(FLAT))}, in_place=True)

    (change,) = revision.changes
    assert change.in_place
    assert (revision.context, revision.of(FLAT)) == (CONTEXT, change)
    with pytest.raises(KeyError):
        revision.of("another")


def test_a_new_type_is_linked_in_its_place(rules) -> None:
    new = renamed(
        rules.mapping(FLAT), rules.mapping(FLAT).path.with_name("ligeriri_iris_gain_0001.rmap"), "NONE"
    )

    revision = revise(rules, CONTEXT, {}, added=[NewType("IRIS", "gain", new)])

    imap = revision.of("ligeriri_iris_0001.imap").new
    assert (
        "    'FLAT' : 'ligeriri_iris_flat_0001.rmap',\n    'GAIN' : 'ligeriri_iris_gain_0001.rmap',\n"
        in imap.text
    )
    assert revision.changes[0].old is None


def test_the_context_must_lead_to_it(rules) -> None:
    with pytest.raises(MappingError, match=r"liger_0001\.imap does not lead to"):
        revise(rules, "ligeriri_liger_0001.imap", {FLAT: described(rules.mapping(FLAT))})


@pytest.mark.parametrize(
    ("table", "key", "result"),
    [
        ("{\n    'A' : 'x',\n    'C' : 'y',\n}", "b", "{\n    'A' : 'x',\n    'B' : 't',\n    'C' : 'y',\n}"),
        ("{\n    'a': 'x',\n}", "B", "{\n    'a': 'x',\n    'b': 't',\n}"),
        ("{\n    'C' : 'x',\n    'A' : 'y',\n}", "B", "{\n    'C' : 'x',\n    'A' : 'y',\n    'B' : 't',\n}"),
        ("{\n    'A' : 'N/A',\n}", "a", "{\n    'A' : 't',\n}"),
        ("{\n}", "a", "{\n    'A' : 't',\n}"),
    ],
)
def test_links(table: str, key: str, result: str) -> None:
    header = "header = {\n    'mapping' : 'INSTRUMENT',\n    'parkey' : ('REFTYPE',),\n}\n\nselector = "
    mapping = parse_mapping(Path("a_b_0001.imap"), f"{header}{table}\n".encode())
    file = parsed(mapping)
    assert isinstance(file.selector, Table)

    new = edited(mapping, link(file, file.selector, key, "t"))

    assert new.text == f"{header}{result}\n"
