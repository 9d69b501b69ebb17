from __future__ import annotations

from pathlib import Path

import pytest

from calmap.checks import check_mapping
from calmap.model.mapping import parse_mapping

TEXT = """\
# calmap: ignore-file[CM5]
header = {
    'derived_from' : '',
    'mapping' : 'PIPELINE',
    'name' : 'tobs.pmap',
    'observatory' : 'TOBS',
    'parkey' : ('INSTRUME',),
}
selector = {
    'A' : 'N/A',
    'A' : 'OMIT',$BESIDE
$ABOVE
    'A' : 'OMIT',
}
"""


def codes(beside: str = "", above: str = "", *, whole: str = "CM502") -> list[str]:
    text = TEXT.replace("$BESIDE", beside).replace("$ABOVE", above).replace("CM5]", f"{whole}]")
    return [finding.rule.code for finding in check_mapping(parse_mapping(Path("tobs.pmap"), text.encode()))]


def test_nothing_suppressed() -> None:
    assert codes() == ["CM201", "CM201"]


@pytest.mark.parametrize(
    "comment",
    [
        "  # calmap: ignore[CM201]",
        "  # calmap: ignore[duplicate-key] we know",
        "#calmap:ignore[ CM201 ]",
    ],
)
def test_beside(comment: str) -> None:
    assert codes(comment) == ["CM201"]


def test_above() -> None:
    assert codes(above="    # calmap: ignore[CM201]\n    # for a reason") == ["CM201"]


def test_whole_file() -> None:
    assert codes(whole="CM502, CM201") == []


def test_unknown_code_is_reported_and_suggested() -> None:
    assert codes("  # calmap: ignore[CM2001]") == ["CM201", "CM011", "CM201"]
    finding = check_mapping(parse_mapping(Path("tobs.pmap"), b"# calmap: ignore[duplicate-keys]"))[0]
    assert finding.hint == "did you mean duplicate-key?"


@pytest.mark.parametrize("comment", ["# calmap: ignore", "# calmap: ignore CM201", "# calmap: skip[CM201]"])
def test_comment_that_is_not_understood(comment: str) -> None:
    assert codes(comment) == ["CM201", "CM011", "CM201"]


def test_unused() -> None:
    assert codes("  # calmap: ignore[CM301]") == ["CM201", "CM012", "CM201"]


def test_unused_may_be_suppressed_too() -> None:
    assert codes("  # calmap: ignore[CM301, CM012]") == ["CM201", "CM201"]


def test_what_only_other_files_can_show_is_not_called_unused() -> None:
    assert codes("  # calmap: ignore[CM403]") == ["CM201", "CM201"]


def test_a_string_is_no_comment() -> None:
    text = TEXT.replace("'derived_from' : ''", "'derived_from' : '# calmap: ignore-file[CM201]'")
    text = text.replace("$BESIDE", "").replace("$ABOVE", "").replace("CM5]", "CM502]")
    found = check_mapping(parse_mapping(Path("tobs.pmap"), text.encode()))
    assert [finding.rule.code for finding in found] == ["CM201", "CM201"]


@pytest.mark.parametrize("code", ["CM002", "syntax-error"])
def test_a_file_that_cant_be_used_is_never_clean(code: str) -> None:
    mapping = parse_mapping(Path("tobs.pmap"), f"# calmap: ignore-file[{code}]\nheader = {{\n((\n".encode())

    assert {finding.rule.code for finding in check_mapping(mapping)} == {"CM002", "CM011"}


def test_a_comment_that_names_no_rule_is_pointed_out() -> None:
    mapping = parse_mapping(Path("tobs.pmap"), b"# calmap: ignore-file[]\nheader = {}\nselector = {}\n")

    assert "CM011" in {finding.rule.code for finding in check_mapping(mapping)}
