"""`calmap delete-reference`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from deliveries import CHECKOUT, FLAT, calmap, changed_lines, demo_cache, tree
from git_repositories import git, repository
from syrupy.assertion import SnapshotAssertion

RMAP = "mappings/ligeriri/ligeriri_iris_flat_0001.rmap"
ONLY = "IRIS_IMG1_FLAT_20240924T010000_0.0.1.fits"
DARK = "IRIS_IMG1_DARK_20250618T000000_0.0.1.fits"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return demo_cache(tmp_path)


@pytest.fixture
def delete(cache: Path):
    """Runs the command in the folder of the cache."""

    def run(*arguments: object, **variables: str):
        return calmap(cache, "delete-reference", *arguments, **variables)

    return run


def newer(cache: Path) -> Path:
    return cache / RMAP.replace("0001", "0002")


def test_a_date_goes(cache: Path, delete, snapshot: SnapshotAssertion) -> None:
    before = tree(cache)

    result = delete(FLAT)

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert before.items() <= tree(cache).items()
    gone, come = changed_lines((cache / RMAP).read_text(), newer(cache).read_text())
    assert len(gone) == len(come) + 1 == 4
    assert calmap(Path.cwd(), "check", cache).stdout == "No findings\n"
    assert calmap(cache, "undo").exit_code == 0
    assert tree(cache) == before


def test_a_rule_without_files_goes_too(cache: Path, delete, snapshot: SnapshotAssertion) -> None:
    result = delete(ONLY)

    assert result.stdout == snapshot
    assert len(newer(cache).read_text().splitlines()) == len((cache / RMAP).read_text().splitlines()) - 3


def test_files_of_several_types_make_one_context(cache: Path, delete) -> None:
    result = delete(FLAT, DARK)

    assert result.stdout.endswith("the context is now ligeriri_0002.pmap\n")
    assert len(list((cache / "mappings").rglob("*_0002.*"))) == 4


def test_a_path_is_as_good_as_a_name(delete) -> None:
    assert delete(f"references/ligeriri/iris/{FLAT}").exit_code == 0


def test_in_place(cache: Path, delete) -> None:
    before = tree(cache)

    assert delete(FLAT, "--in-place").stdout.endswith("the context is ligeriri_0001.pmap\n")

    assert [name for name, found in tree(cache).items() if before[name] != found] == [RMAP]


def test_a_dry_run_touches_nothing(cache: Path, delete, snapshot: SnapshotAssertion) -> None:
    result = delete(ONLY, "--dry-run")

    assert result.stdout == snapshot
    assert tree(cache) == tree_of_checkout()
    assert not (cache / ".calmap").exists()


def tree_of_checkout() -> dict[str, str]:
    return {
        f"{folder}/{name}": found
        for folder in ("config", "mappings", "references")
        for name, found in tree(CHECKOUT / folder).items()
    }


def test_json(delete) -> None:
    told = json.loads(delete(FLAT, "--format", "json").stdout)

    assert told["deleted"] == [
        {
            "file": FLAT,
            "mapping": "ligeriri_iris_flat_0001.rmap",
            "line": 39,
            "new_mapping": "ligeriri_iris_flat_0002.rmap",
            "rule": {
                "META.INSTRUMENT.ERA": "0.0.0",
                "META.INSTRUMENT.DETECTOR": "IMG1",
                "META.EXPOSURE.READMODE": "DEFAULT",
                "META.INSTRUMENT.FILTER": "Y",
                "META.INSTRUMENT.PUPIL": "CLEAR",
                "META.DATE": "2024-11-06 00:00:00",
            },
            "since": "2024-10-15 12:00:00",
            "until": None,
            "before": "IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits",
            "after": None,
        }
    ]
    assert (told["context"], told["new_context"]) == ("ligeriri_0001.pmap", "ligeriri_0002.pmap")
    assert [row["name"] for row in told["mappings"]] == [
        "ligeriri_iris_flat_0002.rmap",
        "ligeriri_iris_0002.imap",
        "ligeriri_0002.pmap",
    ]
    assert (told["dry_run"], told["branch"]) == (False, None)


def test_quiet(delete) -> None:
    assert delete(FLAT, "-q").output == ""


def test_git(cache: Path, delete, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    repository(cache)
    git(cache, "config", "user.name", "Tester")
    git(cache, "config", "user.email", "tester@example.org")

    result = delete(FLAT, "--git")

    assert result.exit_code == 0, result.stderr
    assert git(cache, "show", "--format=%B", "--name-status", "HEAD") == snapshot
    assert git(cache, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (["none.fits"], 1, "no rule of ligeriri_0001.pmap leads to none.fits"),
        ([FLAT, "none.fits"], 1, "leads to none.fits"),
        ([""], 1, "leads to"),
        (["N/A"], 1, "leads to A"),
        ([FLAT, "--context", "ligeriri_liger_0001.imap"], 1, "no rule of ligeriri_liger_0001.imap leads to"),
        ([FLAT, "--context", "ligeriri_0009.pmap"], 3, "ligeriri_0009.pmap is not in"),
        ([], 2, "Missing argument 'NAMES...'"),
    ],
)
def test_what_can_not_be_deleted(cache: Path, delete, names: list[str], code: int, words: str) -> None:
    result = delete(*names)

    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert tree(cache) == tree_of_checkout()
    assert not (cache / ".calmap").exists()


def test_a_file_that_shares_its_rule_is_not_taken_out(cache: Path, delete) -> None:
    text = (cache / RMAP).read_text().replace(f"'{FLAT}'", f"('{FLAT}', 'other.fits')")
    (cache / RMAP).write_text(text)

    result = delete(FLAT)

    assert result.exit_code == 1
    assert "change that rule by hand" in result.stderr


def test_rules_that_can_not_be_read_are_not_passed_over(cache: Path, delete) -> None:
    imap = cache / "mappings/ligeriri/ligeriri_liger_0001.imap"
    imap.write_text(imap.read_text().replace("selector = {", "selector = {{"))
    before = tree(cache)

    result = delete(FLAT)

    assert result.exit_code == 3
    assert "ligeriri_liger_0001.imap" in result.stderr
    assert tree(cache) == before
