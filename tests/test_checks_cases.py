"""Files without faults, and files whose faults are marked in the line above: ``#: CM201:5``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calmap.checks import Folder, check_mapping
from calmap.model.mapping import load_mapping

CASES = Path(__file__).parent / "cases" / "checks"
MARK = re.compile(r"^\s*#:((?: CM\d{3}:\d+)+)$")


def marked(text: str) -> list[tuple[int, int, str]]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := MARK.match(line):
            for mark in match[1].split():
                code, _, column = mark.partition(":")
                found.append((number + 1, int(column), code))
    return sorted(found)


@pytest.mark.parametrize("path", sorted(CASES.glob("bad/*map")), ids=lambda path: path.name)
def test_every_fault_is_found_where_it_is(path: Path) -> None:
    mapping = load_mapping(path)
    expected = marked(mapping.text)
    assert expected
    found = check_mapping(mapping)
    assert sorted((*f.source.position(f.span.start), f.rule.code) for f in found) == expected


@pytest.mark.parametrize("path", sorted(CASES.glob("good/*map")), ids=lambda path: path.name)
def test_nothing_is_found_where_nothing_is_wrong(path: Path) -> None:
    assert [finding.message for finding in check_mapping(load_mapping(path), Folder(path.parent))] == []
