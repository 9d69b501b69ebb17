"""A rule is found in its example, and not in what its documentation says to use instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calmap.checks import RULES, check_mapping
from calmap.checks.surroundings import NoSurroundings
from calmap.diagnostics import Rule, Severity
from calmap.model.checksum import checksum
from calmap.model.mapping import Mapping, parse_mapping
from calmap.observatories import Instrument, Observatory

PROSE = {
    "CM001": "is about bytes that are no text",
    "CM005": "is about a file of many megabytes",
    "CM010": "is about a file's name",
    "CM214": "is about thousands of rules",
    "CM220": "is about thousands of rules",
}
WHOLE = {"CM008", "CM501", "CM502"}
"""Their examples are whole files: what is missing is what they are about."""

SECTION = re.compile(r"^(?:header|selector|settings|comment)\s*=", re.M)
KEY = re.compile(r"^'(\w+)'\s*:", re.M)
HEADERS = {
    "pmap": {"mapping": "'PIPELINE'", "name": "'tobs_0001.pmap'", "parkey": "('INSTRUME',)"},
    "imap": {
        "instrument": "'TINSTR'",
        "mapping": "'INSTRUMENT'",
        "name": "'tobs_tinstr_0001.imap'",
        "parkey": "('REFTYPE',)",
    },
    "rmap": {
        "filekind": "'TFILEKIND'",
        "instrument": "'TINSTR'",
        "mapping": "'REFERENCE'",
        "name": "'tobs_tinstr_tfilekind_0001.rmap'",
        "parkey": "(('DETECTOR',), ('DATE-OBS',))",
    },
}
SELECTORS = {
    "pmap": "selector = {\n    'TINSTR' : 'tobs_tinstr_0001.imap',\n}",
    "imap": "selector = {\n    'TFILEKIND' : 'tobs_tinstr_tfilekind_0001.rmap',\n}",
    "rmap": "selector = Match({\n('FUV',) : UseAfter({\n'2020-01-01 00:00:00' : 'one.fits',\n}),\n})",
}


def complete(rule: Rule, text: str) -> str:
    """A whole file around an example, with the right checksum."""
    if rule.code in WHOLE:
        return text
    kind = rule.filename.rpartition(".")[2]
    sections = text if SECTION.search(text) else ""
    entries = "" if sections else text
    if not re.search(r"^header\s*=", sections, re.M):
        defaults = {"derived_from": "'created by hand'", "observatory": "'TOBS'"} | HEADERS[kind]
        given = set(KEY.findall(entries))
        lines = [f"'{key}' : {value}," for key, value in defaults.items() if key not in given]
        sections = "header = {\n" + "\n".join([*lines, entries]) + "\n}\n\n" + sections
    if not re.search(r"^selector\s*=", sections, re.M):
        sections += f"\n\n{SELECTORS[kind]}"
    return sections.replace("header = {\n", f"header = {{\n'sha1sum' : '{checksum(sections)}',\n", 1)


class Surroundings(NoSurroundings):
    """A telescope with one instrument, one type and a few files."""

    knows_mappings = True
    knows_references = True

    def __init__(self, folder: Path) -> None:
        self.observatory = Observatory(
            name="tobs",
            title="Test Observatory",
            origin="",
            instruments={
                "tinstr": Instrument(
                    "tinstr",
                    ("tfilekind",),
                    {"DETECTOR": ("FUV", "A", "B", "C", "ALL", "2", "6"), "EMPTY": ()},
                )
            },
            instrument_keywords=("INSTRUME",),
            keywords={},
        )
        self.folder = folder
        folder.joinpath("file").write_bytes(b"SIMPLE  =")
        folder.joinpath("pointer").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")

    def mapping(self, name: str) -> Mapping | None:
        kind = name.rpartition(".")[2]
        if name != HEADERS[kind]["name"].strip("'"):
            return None
        text = complete(Rule("CM000", "none", "", filename=name), "")
        return parse_mapping(Path(name), text.encode())

    def reference(self, name: str, instrument: str) -> Path | None:
        if name == "none.fits" or instrument != "tinstr":
            return None
        return self.folder / ("pointer" if name == "pointer.fits" else "file")


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def found(rule: Rule, text: str, surroundings: Surroundings) -> list[Rule]:
    mapping = parse_mapping(Path(rule.filename), complete(rule, text).encode())
    return [finding.rule for finding in check_mapping(mapping, surroundings)]


SHOWN = [rule for rule in RULES.values() if rule.code not in PROSE]


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_example_is_found(rule: Rule, surroundings: Surroundings) -> None:
    assert rule in found(rule, rule.example, surroundings)


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_what_to_use_instead_is_not_found(rule: Rule, surroundings: Surroundings) -> None:
    left = found(rule, rule.use_instead, surroundings)
    assert rule not in left
    if rule.code >= "CM011":
        assert [other.code for other in left if other.severity is not Severity.INFO] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_rule_is_documented(rule: Rule) -> None:
    assert rule.summary
    assert rule.why
    assert rule.example
    assert rule.use_instead
    assert not rule.summary.endswith(".")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)


def test_fixable_rules_bring_fixes(surroundings: Surroundings) -> None:
    with_fix = set()
    for rule in SHOWN:
        mapping = parse_mapping(Path(rule.filename), complete(rule, rule.example).encode())
        with_fix |= {
            f.rule.code
            for f in check_mapping(mapping, surroundings)
            if f.fix and f.fix.applicability == "safe"
        }
    both_same = "selector = Match({\n('A',) : 'one.fits',\n('A',) : 'one.fits',\n})"
    mapping = parse_mapping(
        Path("tobs_tinstr_tfilekind_0001.rmap"), complete(RULES["CM201"], both_same).encode()
    )
    with_fix |= {f.rule.code for f in check_mapping(mapping) if f.fix}
    assert {rule.code for rule in RULES.values() if rule.fixable} == with_fix
