"""`calmap list`, `matches` and `uses`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from syrupy.assertion import SnapshotAssertion

from calmap.cli.main import cli
from calmap.cli.options import Invocation

DARK = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"


def run(cwd: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, obj=Invocation({}, cwd), env={"COLUMNS": "80"})


@pytest.mark.parametrize("what", ["contexts", "keywords", "mappings", "references", "types"])
def test_lists_of_the_demonstration_cache(repo_root: Path, what: str, snapshot: SnapshotAssertion) -> None:
    result = run(repo_root, "list", what, "--instrument", "iris")

    assert result.exit_code == 0
    assert result.stdout == snapshot


@pytest.mark.parametrize("what", ["contexts", "keywords", "mappings", "references", "types"])
def test_lists_are_also_json(repo_root: Path, what: str) -> None:
    rows = json.loads(run(repo_root, "list", what, "--format", "json").stdout)

    assert rows
    assert all(isinstance(row, dict) for row in rows)


def test_every_reference_of_the_demonstration_cache_is_there(repo_root: Path) -> None:
    rows = json.loads(run(repo_root, "list", "references", "--format", "json").stdout)

    assert {row["in cache"] for row in rows} == {"yes"}


def test_an_instrument_without_rules_is_told(repo_root: Path) -> None:
    result = run(repo_root, "list", "types", "--instrument", "wfi")

    assert result.exit_code == 3
    assert "it has iris, liger" in result.stderr


def test_matches_tells_the_rules_that_choose_a_file(repo_root: Path, snapshot: SnapshotAssertion) -> None:
    result = run(repo_root, "matches", f"references/ligeriri/iris/{DARK}")

    assert result.exit_code == 0
    assert result.stdout == snapshot


def test_matches_of_a_file_that_no_rule_chooses(repo_root: Path) -> None:
    result = run(repo_root, "matches", "nothing.fits")

    assert result.exit_code == 1
    assert "nothing.fits" in result.stderr


def test_uses_finds_the_line_that_names_a_file(repo_root: Path) -> None:
    rows = json.loads(run(repo_root, "uses", DARK, "ligeriri_iris_dark_0001.rmap", "--format", "json").stdout)

    for row in rows:
        path = repo_root / "mappings" / "ligeriri" / row["mapping"]
        assert row["file"] in path.read_text().splitlines()[row["line"] - 1]
    assert {row["mapping"] for row in rows} == {"ligeriri_iris_dark_0001.rmap", "ligeriri_iris_0001.imap"}


def test_uses_of_a_file_that_is_named_nowhere(repo_root: Path) -> None:
    assert run(repo_root, "uses", "nothing.fits").exit_code == 1
