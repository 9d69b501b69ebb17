"""A mapping that can't be used is told of, also where answers are rows of a table."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import calmap
from calmap.cli.main import cli

HEADERS = "dataset,INSTRUME,DETECTOR,DATE-OBS\na,IRIS,IMG1,2025-09-01\nb,LIGER,IMG,2025-09-01\n"
RMAP = "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"


@pytest.fixture
def cache(repo_root, tmp_path) -> Path:
    shutil.copytree(repo_root / "mappings", tmp_path / "mappings")
    (tmp_path / "headers.csv").write_text(HEADERS)
    return tmp_path


def run(*words: object):
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.mark.parametrize("damage", ["missing", "broken"])
def test_a_table_is_answered_and_the_type_told(cache, damage):
    rmap = cache / RMAP
    rmap.unlink() if damage == "missing" else rmap.write_text("broken(")
    asked = ("bestref", "--table", cache / "headers.csv", "--cache", cache, "-o", cache / "out.csv")

    told = run(*asked)

    assert told.exit_code == 3
    assert "error: iris dark, ligeriri_0001.pmap: nothing can be found: " in told.stderr
    assert rmap.name in told.stderr
    assert "nothing can be found" in run(*asked, "--quiet").stderr
    assert (cache / "out.csv").exists()
    others = run(*asked[:-2], "--type", "flat")
    assert others.exit_code == 1
    assert "error:" not in others.stderr


def test_datasets_are_not_called_affected_without_a_word(cache):
    folder = cache / "mappings/ligeriri"
    for kind, name in (("rmap", "iris_dark"), ("imap", "iris"), ("pmap", "")):
        stem = "_".join(filter(None, ("ligeriri", name)))
        text = (folder / f"{stem}_0001.{kind}").read_text()
        for other in ("ligeriri_iris_dark_0001.rmap", "ligeriri_iris_0001.imap", "ligeriri_0001.pmap"):
            text = text.replace(other, other.replace("0001", "0002"))
        (folder / f"{stem}_0002.{kind}").write_text(text)
    (folder / "ligeriri_iris_dark_0002.rmap").write_text("broken(")
    table = ("--table", cache / "headers.csv", "--cache", cache)

    told = run("affected", "ligeriri_0001.pmap", "ligeriri_0002.pmap", *table)

    assert told.exit_code == 3
    assert "error: iris dark, ligeriri_0002.pmap: nothing can be found: " in told.stderr


def test_a_damaged_file_of_a_context_is_no_answer(cache):
    data = bytearray(calmap.Cache(cache).context().bundle())
    at = data.index(b"IRIS_IMG1_DARK")
    data[at] ^= 1
    damaged = cache / "damaged.calmap"
    damaged.write_bytes(data)

    told = run("bestref", "--table", cache / "headers.csv", "--cache", damaged, "-o", cache / "out.csv")

    assert told.exit_code == 3
    assert "is not a whole file of compiled rules" in told.stderr
    assert not (cache / "out.csv").exists()
