"""Of one rule, a report has no more findings than can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from calmap.checks import MAX_FINDINGS, apply_fixes, capped, check_mapping
from calmap.diagnostics import Diagnostic
from calmap.model.mapping import parse_mapping

HEADER = """\
header = {
    'derived_from' : '',
    'mapping' : 'PIPELINE',
    'name' : 'tobs.pmap',
    'observatory' : 'TOBS',
    'parkey' : ('INSTRUME',),
}
"""
IGNORED = "# calmap: ignore-file[CM502]\n"


def check(text: str) -> list[Diagnostic]:
    return list(check_mapping(parse_mapping(Path("tobs.pmap"), text.encode())))


def doubled(count: int, comment: str = "") -> str:
    rows = "    'A' : 'N/A',\n" + f"    'A' : 'N/A',{comment}\n" * count
    return f"{IGNORED}{HEADER}selector = {{\n{rows}}}\n"


def test_as_many_as_allowed_are_all_shown() -> None:
    found = check(doubled(MAX_FINDINGS))
    assert len(found) == MAX_FINDINGS
    assert not [finding for finding in found if "more like this" in finding.message]


def test_the_last_one_says_how_many_more_there_are() -> None:
    text = doubled(MAX_FINDINGS + 12_345)
    found = check(text)
    assert len(found) == MAX_FINDINGS
    assert [finding.source.position(finding.span.start).line for finding in found] == list(range(11, 211))
    assert found[-1].message == "'A' is already a key of this table, and 12,345 more like this"
    assert found[-2].message == "'A' is already a key of this table"
    assert check(text) == found


def test_each_rule_has_its_own_limit() -> None:
    rows = "    'A' : 'N/A',\n    'A' : 'x.rmap',\n" * (MAX_FINDINGS + 1)
    found = check(f"{IGNORED}{HEADER}selector = {{\n{rows}}}\n")
    codes = [finding.rule.code for finding in found]
    assert {code: codes.count(code) for code in codes} == {"CM201": MAX_FINDINGS, "CM211": MAX_FINDINGS}


@pytest.mark.parametrize("count", [MAX_FINDINGS + 5, 50_000])
def test_doubled_sections(count: int) -> None:
    found = check(IGNORED + HEADER + "selector = {}\n" + "comment = ''\n" * (count + 1))
    assert [finding.rule.code for finding in found] == ["CM007"] * MAX_FINDINGS
    more = count - MAX_FINDINGS
    assert found[-1].message == f"the section 'comment' is given twice, and {more:,} more like this"


def test_what_is_suppressed_does_not_count() -> None:
    found = check(doubled(MAX_FINDINGS + 5, "  # calmap: ignore[CM201]"))
    assert found == []


def test_what_is_not_shown_makes_its_comment_useful_all_the_same() -> None:
    text = doubled(MAX_FINDINGS + 5).removesuffix("}\n") + "    'A' : 'N/A',  # calmap: ignore[CM201]\n}\n"
    assert {finding.rule.code for finding in check(text)} == {"CM201"}


def test_what_is_not_shown_is_fixed_too() -> None:
    fixed = apply_fixes(Path("tobs.pmap"), doubled(MAX_FINDINGS + 5).encode())
    assert fixed.text == doubled(0)
    assert len(fixed.applied) == MAX_FINDINGS + 5
    assert fixed.remaining == ()


def test_what_remains_is_limited_too() -> None:
    rows = "".join(f"    'A' : 'x_{number}.imap',\n" for number in range(MAX_FINDINGS + 5))
    fixed = apply_fixes(Path("tobs.pmap"), f"{IGNORED}{HEADER}selector = {{\n{rows}}}\n".encode())
    assert len(fixed.remaining) == MAX_FINDINGS


def test_files_have_limits_of_their_own() -> None:
    one, two = (
        parse_mapping(Path(name), doubled(3).encode()).source for name in ("tobs.pmap", "tobs_0001.pmap")
    )
    findings = [
        Diagnostic(finding.rule, source, finding.span, "told")
        for source in (two, one)
        for finding in check(doubled(3))
    ]
    assert [(finding.source.name, finding.message) for finding in capped(findings, limit=2)] == [
        ("tobs.pmap", "told"),
        ("tobs.pmap", "told, and 1 more like this"),
        ("tobs_0001.pmap", "told"),
        ("tobs_0001.pmap", "told, and 1 more like this"),
    ]
