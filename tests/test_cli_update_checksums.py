"""``calmap update-checksums`` on real files."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.errors import CacheError
from calmap.model.mapping import load_mapping, read_bytes

DEMO = Path(__file__).parent.parent / "mappings"
NAME = "ligeriri_iris_dark_0001.rmap"
ZEROS = "0" * 40


@pytest.fixture
def rules(tmp_path, monkeypatch):
    """A copy of the demonstration rules; the current folder."""
    shutil.copytree(DEMO, tmp_path / "mappings")
    monkeypatch.chdir(tmp_path / "mappings/ligeriri")
    return Path()


def run(*arguments):
    return CliRunner().invoke(cli, ["update-checksums", *map(str, arguments)], prog_name="calmap")


def spoil(path):
    right = load_mapping(path).checksum
    path.write_bytes(path.read_bytes().replace(right.encode(), ZEROS.encode()))
    return right


def test_right_files_are_left_alone(rules):
    before = {path: path.stat().st_mtime_ns for path in rules.iterdir()}

    result = run(".")

    assert (result.exit_code, result.stdout) == (0, f"{len(before)} right already\n")
    assert {path: path.stat().st_mtime_ns for path in rules.iterdir()} == before


def test_wrong_value_is_replaced(rules):
    path = rules / NAME
    before = path.read_bytes()
    right = spoil(path)

    result = run(path, "ligeriri_0001.pmap")

    assert result.exit_code == 0
    assert result.stdout == (
        f"{NAME}: sha1sum {ZEROS} was wrong, {right} is right\n1 updated, 1 right already\n"
    )
    assert path.read_bytes() == before


def test_check_changes_nothing(rules):
    right = spoil(rules / NAME)
    spoiled = (rules / NAME).read_bytes()

    result = run("--check", NAME)

    assert result.exit_code == 1
    assert result.stdout == f"{NAME}: sha1sum {ZEROS} is wrong, {right} is right\n1 to be updated\n"
    assert (rules / NAME).read_bytes() == spoiled


def test_missing_line_is_inserted(rules):
    path = rules / NAME
    before = path.read_text()
    path.write_text("".join(line for line in before.splitlines(True) if "sha1sum" not in line))

    result = run(NAME)

    assert "had no sha1sum" in result.stdout
    assert path.read_text() == before


def test_broken_file_does_not_stop_the_others(rules):
    spoil(rules / NAME)
    Path("broken.rmap").write_text("header = {\n")

    result = run("broken.rmap", NAME)

    assert result.exit_code == 1
    assert result.stdout.startswith("broken.rmap:")
    assert "1 updated, 1 not readable" in result.stdout
    assert Path("broken.rmap").read_text() == "header = {\n"
    assert ZEROS not in (rules / NAME).read_text()


@pytest.mark.parametrize("name", ["nowhere.rmap", "empty"])
def test_missing_file_stops_before_anything_is_written(rules, name):
    spoil(rules / NAME)
    Path("empty").mkdir()

    result = run(NAME, name)

    assert result.exit_code == 3
    assert name in result.stderr
    assert ZEROS in (rules / NAME).read_text()


def test_what_cannot_be_read_does_not_stop_the_others(rules):
    right = spoil(rules / NAME)
    Path("a_lost.rmap").symlink_to("nowhere.rmap")
    os.mkfifo("b_pipe.rmap")
    Path("c_endless.rmap").symlink_to("/dev/zero")

    result = run(".")

    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "error: a_lost.rmap does not exist",
        "error: b_pipe.rmap is not an ordinary file",
        "error: c_endless.rmap is not an ordinary file",
    ]
    assert f"{right} is right\n1 updated" in result.stdout
    assert result.stdout.endswith("right already, 3 failed\n")
    assert ZEROS not in (rules / NAME).read_text()


def test_what_cannot_be_written_does_not_stop_the_others(rules, monkeypatch):
    spoil(rules / NAME)
    spoil(rules / "ligeriri_0001.pmap")

    def write(path, *arguments):
        if path.suffix == ".pmap":
            raise CacheError(f"{path} can't be written: Permission denied", "its folder must be writable")
        path.write_bytes(arguments[0])

    monkeypatch.setattr("calmap.cli.update_checksums.write_atomically", write)
    result = run("ligeriri_0001.pmap", NAME, "--format", "json")

    failed, updated = json.loads(result.stdout)
    assert result.exit_code == 3
    assert "error: ligeriri_0001.pmap can't be written" in result.stderr
    assert (failed["status"], failed["problems"]) == ("failed", [])
    assert failed["reason"] == (
        "ligeriri_0001.pmap can't be written: Permission denied (its folder must be writable)"
    )
    assert (updated["status"], updated["reason"]) == ("updated", None)
    assert ZEROS not in (rules / NAME).read_text()


@pytest.mark.parametrize("same", [True, False])
def test_file_that_somebody_else_has_written_meanwhile(rules, monkeypatch, same):
    right = (rules / NAME).read_bytes()
    spoil(rules / NAME)

    def read_and_lose(path):
        data = read_bytes(path)
        path.write_bytes(right if same else right + b"# mine\n")
        return data

    monkeypatch.setattr("calmap.cli.update_checksums.read_bytes", read_and_lose)
    result = run(NAME)

    assert result.exit_code == (0 if same else 3)
    assert result.stdout.endswith("1 updated\n" if same else "1 failed\n")
    assert ("has changed since it was read" in result.stderr) is not same


def test_no_path_is_wrong_usage():
    assert run().exit_code == 2


def test_json(rules):
    right = spoil(rules / NAME)
    Path("broken.rmap").write_text("header = {\n")

    result = run(NAME, "broken.rmap", "ligeriri_0001.pmap", "--check", "--format", "json")

    first, second, third = json.loads(result.stdout)
    assert first == {
        "file": NAME,
        "status": "outdated",
        "recorded": ZEROS,
        "checksum": right,
        "problems": [],
        "reason": None,
    }
    assert second["status"] == "unreadable"
    assert second["problems"]
    assert third["status"] == "right"


def test_quiet(rules):
    spoil(rules / NAME)

    result = run("-q", "--check", NAME)

    assert (result.exit_code, result.output) == (1, "")


def test_real_files(corpus):
    result = run("--check", corpus / "crds-cache/mappings/hst", corpus / "liger-iris-crds-cache")

    assert result.exit_code == 1
    assert result.stdout.endswith("\n8 to be updated, 137 right already\n")
