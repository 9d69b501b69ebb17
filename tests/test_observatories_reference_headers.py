"""The section `reference_headers` of a definition, and the types that headers name."""

from __future__ import annotations

from pathlib import Path

import pytest

from calmap.compile.evaluate import compile_expression
from calmap.errors import HeaderError, ObservatoryError
from calmap.observatories.library import bundled_observatories, load_observatory
from calmap.observatories.reference_headers import Expansion, ReferenceHeaders
from calmap.observatories.reftypes import named_type, reftype_of
from calmap.syntax.expression_text import parse_expression

HEAD = "name: tobs\ninstrument_keywords: [INSTRUME]\ninstruments: {cam: {}}\n"


def defined(folder: Path, section: str) -> ReferenceHeaders:
    (folder / "tobs").mkdir()
    (folder / "tobs/observatory.yaml").write_text(f"{HEAD}{section}")
    return load_observatory("tobs", folder).reference_headers


def test_all_of_it(tmp_path: Path) -> None:
    section = """\
reference_headers:
  type_keywords: [filetype]
  conditioned: true
  special_cases: merge
  types: {Cam: {dark image: DARK}}
  patterns: {Detector: [p_detect]}
  expansions: {Cam: [{keyword: gain, word: "-1", values: "1|2", when: 'DETECTOR == "A"'}]}
"""

    assert defined(tmp_path, section) == ReferenceHeaders(
        type_keywords=("FILETYPE",),
        types={"cam": {"DARK IMAGE": "dark"}},
        patterns={"DETECTOR": ("P_DETECT",)},
        expansions={"cam": (Expansion("GAIN", "-1", "1|2", 'DETECTOR == "A"'),)},
        conditioned=True,
        special_cases="merge",
    )


def test_none_of_it(tmp_path: Path) -> None:
    assert defined(tmp_path, "") == ReferenceHeaders()


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("conditioned: maybe", "maybe"),
        ("special_cases: ignore", "ignore"),
        ("type_keyword: [A]", "type_keyword"),
        ("patterns: {A: B}", "patterns"),
        ("expansions: {cam: [{keyword: A}]}", "expansions"),
        ("types: [a]", "types"),
    ],
)
def test_what_is_refused(tmp_path: Path, section: str, words: str) -> None:
    with pytest.raises(ObservatoryError, match=words) as problem:
        defined(tmp_path, f"reference_headers:\n  {section}\n")

    assert "observatory.yaml:5" in str(problem.value)


@pytest.mark.parametrize("name", bundled_observatories())
def test_definitions_make_sense(name: str) -> None:
    observatory = load_observatory(name)
    terms = observatory.reference_headers

    assert terms.type_keywords
    for instrument in {*terms.types, *terms.expansions}:
        assert instrument in observatory.instruments
    for expansions in terms.expansions.values():
        for item in expansions:
            assert not item.when or compile_expression(parse_expression(item.when))
    every = [keyword for names in terms.patterns.values() for keyword in names]
    assert len(every) == len(set(every))


def test_types_that_headers_name() -> None:
    hst, ligeriri = load_observatory("hst"), load_observatory("ligeriri")

    assert reftype_of(hst, "acs", {"FILETYPE": "dark "}, ["darkfile"]) == "darkfile"
    assert reftype_of(hst, "nicmos", {"FILETYPE": "drk"}) == "darkfile"
    assert reftype_of(hst, "acs", {"FILETYPE": "something new"}) == "something new"
    assert reftype_of(ligeriri, "iris", {"REFTYPE": "FLAT", "META.REF_TYPE": " "}) == "flat"
    assert named_type(ligeriri, "iris", {}) is None
    with pytest.raises(HeaderError, match="REFTYPE = 'DARKS' is no reference type of iris") as problem:
        reftype_of(ligeriri, "iris", {"REFTYPE": "DARKS"}, ["dark", "flat"])
    assert problem.value.hint == (
        "did you mean 'dark'?; --type chooses one, and calmap new-mapping makes rules for a new one"
    )
