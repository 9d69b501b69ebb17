"""`calmap undo`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from syrupy.assertion import SnapshotAssertion

from calmap.cache.layout import Layout
from calmap.cache.store import digest
from calmap.cache.transaction import FileChange, changing
from calmap.cli.main import cli
from calmap.cli.options import Invocation

BREAK_OFF = """
import os, signal, sys
from pathlib import Path
from calmap.cache.layout import Layout
from calmap.cache.transaction import FileChange, changing
root = Path(sys.argv[1])
with changing(Layout(root)) as transaction:
    setattr(os, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    transaction.commit("Insert c.fits", [FileChange(root / "references/new/c.fits", b"c", None)])
"""


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ("undo", *arguments), obj=Invocation({}, root), env={"COLUMNS": "80"})


def change(root: Path, title: str, *changes: FileChange) -> None:
    with changing(Layout(root)) as transaction:
        transaction.commit(title, changes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A cache with two changes."""
    pmap = tmp_path / "mappings/tobs_0001.pmap"
    pmap.parent.mkdir()
    pmap.write_bytes(b"old")
    added = FileChange(tmp_path / "references/tobs/cam/a.fits", b"a", None)
    change(tmp_path, "Insert a.fits", added, FileChange(pmap, b"new", digest(b"old")))
    change(tmp_path, "Delete a.fits", FileChange(added.path, None, digest(b"a")))
    return tmp_path


def break_off(root: Path, call: str) -> None:
    done = subprocess.run([sys.executable, "-c", BREAK_OFF, root, call])
    assert done.returncode == -signal.SIGKILL


def test_changes_are_taken_back_one_by_one(root: Path, snapshot: SnapshotAssertion) -> None:
    shown = [run(root, *arguments) for arguments in (["--list"], ["--dry-run"], [], [], ["--list"])]

    assert [result.exit_code for result in shown] == [0] * 5
    assert "\n".join(result.stdout for result in shown) == snapshot
    assert (root / "mappings/tobs_0001.pmap").read_bytes() == b"old"
    assert not (root / "references").exists()


def test_files_that_are_as_before_already_are_not_told(root: Path) -> None:
    (root / "references/tobs/cam").mkdir(parents=True, exist_ok=True)
    (root / "references/tobs/cam/a.fits").write_bytes(b"a")

    assert run(root).stdout == (
        "took back change 2: Delete a.fits\n  its files are as they were before it already\n"
    )
    (root / "mappings/tobs_0001.pmap").write_bytes(b"old")
    assert run(root).stdout == "took back change 1: Insert a.fits\n  removed   references/tobs/cam/a.fits\n"


def test_when_all_is_taken_back_it_says_so(root: Path) -> None:
    run(root)
    run(root)

    last = run(root)

    assert last.exit_code == 3
    assert "there is no change" in last.stderr


def test_a_cache_that_was_never_changed(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/tobs_0001.pmap").touch()

    results = [run(tmp_path, *arguments) for arguments in ([], ["--dry-run"], ["--list"], ["--recover"])]

    assert [result.exit_code for result in results] == [3, 3, 0, 0]
    assert "calmap has made no change" in results[2].stderr
    assert results[3].stdout == "no change was interrupted\n"
    assert not (tmp_path / ".calmap").exists()


def test_undo_refuses_what_would_lose_work(root: Path) -> None:
    (root / "references/tobs/cam/a.fits").write_bytes(b"another a")

    result = run(root)

    assert result.exit_code == 3
    assert "change 2 ('Delete a.fits') can't be taken back" in result.stderr
    assert "a.fits was changed since" in result.stderr
    assert "hint: nothing was undone" in result.stderr


def test_json(root: Path) -> None:
    listed = json.loads(run(root, "--list", "--format", "json").stdout)
    assert [(row["change"], row["state"], row["removed"]) for row in listed] == [
        (2, "done", ["references/tobs/cam/a.fits"]),
        (1, "done", []),
    ]

    undone = json.loads(run(root, "--format", "json").stdout)
    assert undone == {
        "change": 2,
        "title": "Delete a.fits",
        "dry_run": False,
        "removed": [],
        "restored": ["references/tobs/cam/a.fits"],
    }
    recovered = json.loads(run(root, "--recover", "--format", "json").stdout)
    assert recovered == {"change": None, "outcome": None}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("mkdir", "took back the change 'Insert c.fits'\n"),
        ("replace", "finished the change 'Insert c.fits'\n"),
    ],
)
def test_an_interrupted_change_is_told_and_recovered(root: Path, call: str, told: str) -> None:
    break_off(root, call)

    for arguments, code in (["--list"], 0), (["--dry-run"], 3):
        result = run(root, *arguments)
        assert result.exit_code == code
        assert "the change 'Insert c.fits' of the cache" in result.stderr
        assert "run 'calmap undo --recover'" in result.stderr

    assert run(root, "--recover").stdout == told
    assert (root / "references/new/c.fits").exists() == (call == "replace")
    assert run(root, "--list").stderr == ""


def test_undo_of_an_interrupted_change_takes_back_no_other(root: Path) -> None:
    break_off(root, "mkdir")

    result = run(root)

    assert result.stdout == "took back the interrupted change 'Insert c.fits'; nothing else was undone\n"
    assert not (root / "references/tobs/cam/a.fits").exists()


def test_options_that_exclude_each_other(root: Path) -> None:
    result = run(root, "--list", "--dry-run")

    assert result.exit_code == 2
    assert "can't go together" in result.stderr


def test_a_title_with_control_characters_is_made_printable(root: Path) -> None:
    change(root, "bad\x1b[31m\ntitle", FileChange(root / "references/b.fits", b"b", None))

    for arguments in (["--list"], ["--dry-run"]):
        result = run(root, *arguments)
        assert "bad\\x1b[31m\\ntitle" in result.stdout
        assert "\x1b" not in result.stdout


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_damaged_record_hides_no_other(root: Path, style: str) -> None:
    (root / ".calmap/changes/000001/record").write_bytes(b"damaged\x1b")

    result = run(root, "--list", "--format", style)

    assert result.exit_code == 0
    assert "Delete a.fits" in result.stdout
    assert result.stderr.startswith("warning: the record ")
    assert "remove its folder to go on without it" in result.stderr
    assert run(root).stdout.startswith("took back change 2: Delete a.fits\n")
    assert run(root).exit_code == 3


@pytest.mark.parametrize("text", [b"[" * 100_000, b"5", b"{}"])
@pytest.mark.parametrize("name", ["journal", "changes/000002/record"])
def test_what_a_strange_repository_brings_along_is_told(root: Path, name: str, text: bytes) -> None:
    mark = digest(text).encode()
    (root / ".calmap" / name).write_bytes(mark + b" " + text + b"\n+" + mark + b"\n")

    for arguments in ([], ["--dry-run"], ["--recover"], ["--list"]):
        result = run(root, *arguments)
        told = name == "journal" or arguments != ["--recover"]
        assert ("is damaged" in result.stderr) == told
        assert result.exit_code == (0 if arguments == ["--list"] or not told else 3)
