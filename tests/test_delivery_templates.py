"""Mappings without rules: complete, right, and accepted by every check."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.checks import NoSurroundings, check_mapping
from calmap.delivery.templates import RuleTerms, empty_context, empty_instrument, empty_rules, rules_like
from calmap.edit.insertion import insert
from calmap.edit.keys import levels_of
from calmap.model.mapping import load_mapping, parse_mapping
from calmap.syntax.ast import plain

DEMO = Path(__file__).parent.parent / "mappings/ligeriri"
SKY = Path("mappings/ligeriri/ligeriri_iris_sky_0001.rmap")
TERMS = RuleTerms(("Match", "ClosestTime"), (("META.A", "META.B"), ("META.DATE",)))
WORDS = st.lists(st.from_regex(r"[A-Z][A-Z0-9.-]{0,9}", fullmatch=True), min_size=1, max_size=4, unique=True)


def header(mapping):
    return plain(mapping.header)


def test_empty_rmap_says_all_of_itself():
    new = empty_rules(SKY, "ligeriri", "IRIS", "sky", TERMS)

    assert header(new) == {
        "classes": ("Match", "ClosestTime"),
        "derived_from": "NONE",
        "filekind": "SKY",
        "instrument": "IRIS",
        "mapping": "REFERENCE",
        "name": SKY.name,
        "observatory": "LIGERIRI",
        "parkey": (("META.A", "META.B"), ("META.DATE",)),
        "sha1sum": new.checksum,
    }
    assert new.text.endswith("selector = Match({\n})\n")
    assert not check_mapping(new, NoSurroundings())


@pytest.mark.parametrize("links", [{}, {"IRIS": "ligeriri_iris_0001.imap", "ABC": "ligeriri_abc_0001.imap"}])
def test_context_and_instrument_are_right(links):
    above = empty_context(Path("ligeriri_0001.pmap"), "ligeriri", "INSTRUME", links, description="it's new")
    below = empty_instrument(Path("ligeriri_iris_0001.imap"), "ligeriri", "IRIS", {"SKY": SKY.name})

    assert plain(above.selector) == links
    assert header(above)["description"] == "it's new"
    assert plain(below.selector) == {"SKY": SKY.name}
    assert not check_mapping(above, NoSurroundings())
    assert not check_mapping(below, NoSurroundings())


@given(matched=WORDS, dated=st.booleans())
def test_whatever_the_keywords_a_rule_can_be_inserted(matched, dated):
    levels = (tuple(matched), ("DATE",)) if dated else (tuple(matched),)
    terms = RuleTerms(("Match", "UseAfter")[: len(levels)], levels)
    new = empty_rules(SKY, "ligeriri", "IRIS", "sky", terms)
    values = {**dict.fromkeys(matched, "X"), **({"DATE": "2024-01-01 00:00:00"} if dated else {})}

    edits = insert(new.file, values, "sky.fits").edits

    assert edits
    assert [level.parameters for level in levels_of(new.file, values)] == list(levels)


@pytest.mark.parametrize("name", sorted(path.name for path in DEMO.glob("*.rmap")))
def test_like_another_keeps_all_but_names_and_rules(name):
    model = load_mapping(DEMO / name)

    new = rules_like(model, SKY, "IRIS", "sky")

    own = {"name", "filekind", "instrument", "derived_from", "sha1sum"}
    assert {key: value for key, value in header(new).items() if key not in own} == {
        key: value for key, value in header(model).items() if key not in own
    }
    assert header(new)["filekind"] == "SKY"
    assert new.selector.name == model.selector.name
    assert not new.selector.table.entries
    assert new.recorded_checksum == new.checksum


def test_like_one_with_windows_lines_and_without_checksum_has_a_right_one():
    text = (DEMO / "ligeriri_iris_dark_0001.rmap").read_text()
    lines = [line for line in text.splitlines() if "sha1sum" not in line]
    model = parse_mapping(Path("old.rmap"), "\r\n".join(lines).encode())

    new = rules_like(model, SKY, "IRIS", "sky")

    assert "\r" not in new.text
    assert new.recorded_checksum == new.checksum


def test_like_a_real_one(corpus):
    model = load_mapping(corpus / "crds-cache/mappings/jwst/jwst_fgs_distortion_0007.rmap")

    new = rules_like(model, Path("jwst_miri_sky_0001.rmap"), "MIRI", "sky")

    assert header(new)["reference_to_dataset"] == header(model)["reference_to_dataset"]
    assert "text_descr" not in header(new)
