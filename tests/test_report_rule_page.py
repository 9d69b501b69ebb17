from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from syrupy.assertion import SnapshotAssertion

from calmap.diagnostics import Rule, Severity, registry
from calmap.report.rule_page import rule_index, rule_page, rule_pages

ROOT = Path(__file__).resolve().parents[1]
RULE = Rule(
    "CM201",
    "duplicate-key",
    "a key is given twice in one table",
    why="The last entry wins and the first is never used, which nobody can see who reads the file.",
    example="selector = {\n    'IRIS' : 'a_iris_0001.imap',\n    'IRIS' : 'a_iris_0002.imap',\n}\n",
    use_instead="selector = {\n    'IRIS' : 'a_iris_0002.imap',\n}\n",
    filename="a_0001.pmap",
    fixable=True,
)
PLAIN = Rule("CM001", "syntax", "the text is no | mapping", Severity.WARNING)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "generate_rule_docs", ROOT / "scripts/generate_rule_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page(snapshot: SnapshotAssertion) -> None:
    assert rule_page(RULE) == snapshot


def test_page_of_a_rule_with_little_to_say(snapshot: SnapshotAssertion) -> None:
    assert rule_page(PLAIN) == snapshot


def test_index_groups_rules_and_keeps_its_columns(snapshot: SnapshotAssertion) -> None:
    assert rule_index(registry([RULE, PLAIN])) == snapshot


def test_an_example_may_hold_a_fence() -> None:
    page = rule_page(Rule("CM001", "syntax", "s", example="```\nx\n```"))
    assert "````python\n```\nx\n```\n````" in page


def test_writing_changes_what_is_out_of_date_only(script: ModuleType, tmp_path: Path) -> None:
    pages = rule_pages(registry([RULE, PLAIN]))
    (tmp_path / "CM999.md").write_text("of a rule that is no more")
    assert [path.name for path in script.outdated(pages, tmp_path)] == [
        "CM001.md",
        "CM201.md",
        "CM999.md",
        "README.md",
    ]
    script.write(pages, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CM001.md", "CM201.md", "README.md"]
    assert script.write(pages, tmp_path) == []
    (tmp_path / "CM001.md").write_text("old")
    assert script.outdated(pages, tmp_path) == [tmp_path / "CM001.md"]


def test_pages_in_the_repository_are_current(script: ModuleType) -> None:
    from calmap.checks import RULES

    assert script.outdated(rule_pages(RULES), script.FOLDER) == [], "run scripts/generate_rule_docs.py"


def test_every_rule_is_in_a_group_of_the_index() -> None:
    from calmap.checks import RULES

    index = rule_index(RULES)
    assert [code for code in RULES if f"({code}.md)" not in index] == []
