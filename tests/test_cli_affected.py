"""`calmap affected`."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import Result
from deliveries import CHECKOUT, calmap
from git_repositories import repository
from header_tables import exposures, write
from syrupy.assertion import SnapshotAssertion

OLD, NEW = "ligeriri_0001.pmap", "ligeriri_0002.pmap"
DARK = "ligeriri_iris_dark_000{}.rmap"


def run(cwd: Path, *arguments: object) -> Result:
    return calmap(cwd, "affected", *arguments)


def replaced(path: Path, *swaps: tuple[str, str], to: Path | None = None) -> None:
    text = path.read_text()
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    (to or path).write_text(text)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A repository with the demonstration cache, headers, and a context with another dark and no drizpars."""
    for name in ("mappings", "config"):
        shutil.copytree(CHECKOUT / name, tmp_path / name)
    repository(tmp_path)
    folder = tmp_path / "mappings" / "ligeriri"
    replaced(
        folder / DARK.format(1),
        ("IRIS_IMG1_DARK_20240924T000000_0.0.1", "IRIS_IMG1_DARK_20240924T000000_0.0.2"),
        to=folder / DARK.format(2),
    )
    imap = folder / "ligeriri_iris_0002.imap"
    replaced(
        folder / "ligeriri_iris_0001.imap",
        ("dark_0001", "dark_0002"),
        ("'ligeriri_iris_drizpars_0001.rmap'", "'N/A'"),
        to=imap,
    )
    replaced(folder / OLD, ("iris_0001", "iris_0002"), to=folder / NEW)
    write(tmp_path / "headers.parquet", exposures())
    return tmp_path


@pytest.mark.parametrize("style", ["table", "json", "csv"])
def test_what_changes(cache: Path, style: str, snapshot: SnapshotAssertion) -> None:
    result = run(cache, OLD, NEW, "--table", "headers.parquet", "--format", style)

    assert result.exit_code == 1
    assert result.stdout == snapshot
    assert not result.stderr


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits", ".arrow"])
def test_the_datasets_are_written(cache: Path, suffix: str) -> None:
    listed = json.loads(
        calmap(cache, "diff", OLD, NEW, "--affects", CHECKOUT / "exposures", "--format", "json").stdout
    )["affected"]
    result = run(cache, OLD, NEW, "--table", "headers.parquet", "-o", f"out{suffix}", "--format", "json")
    copied = calmap(cache, "affected", OLD, NEW, "--table", "headers.parquet", "-o", "out.csv", "-q")

    rows = list(csv.DictReader(io.StringIO((cache / "out.csv").read_text())))
    assert copied.exit_code == 1
    assert copied.output == ""
    assert list(rows[0]) == ["dataset", "instrument", "type", "old", "new"]
    assert [(row["type"], row["old"], row["new"]) for row in rows] == [
        (item["type"], item["old"], item["new"]) for item in listed["changes"]
    ]
    data = json.loads(result.stdout)
    assert data["affected"] == listed["affected"]
    assert sum(item["datasets"] for item in data["changes"]) == len(rows)
    if suffix == ".parquet":
        assert pq.read_table(cache / "out.parquet").to_pylist() == rows


def test_the_same_rules(cache: Path) -> None:
    folder = cache / "mappings" / "ligeriri"
    shutil.copy(folder / OLD, folder / NEW)

    result = run(cache, OLD, NEW, "--table", "headers.parquet", "-o", "out.csv")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "0 of 7 datasets would get other references",
        "the rules of all 10 types are the same",
    ]
    assert (cache / "out.csv").read_text() == "dataset,instrument,type,old,new\n"


def test_one_type(cache: Path) -> None:
    result = run(cache, OLD, NEW, "--table", "headers.parquet", "-t", "drizpars,flat", "--format", "json")
    data = json.loads(result.stdout)

    assert [item["type"] for item in data["types"]] == ["drizpars"]
    assert data["types_with_same_rules"] == 3
    assert {item["type"] for item in data["changes"]} == {"drizpars"}


def test_revisions(cache: Path) -> None:
    replaced(
        cache / "mappings" / "ligeriri" / "ligeriri_liger_flat_0001.rmap",
        ("20250702T003000_0.0.1", "20250702T003000_0.0.2"),
    )

    result = run(cache, f"HEAD:{OLD}", OLD, "--table", "headers.parquet")

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "liger flat  1 dataset",
        "  1  Liger_IMG_FLAT_20250702T003000_0.0.1.fits",
        "     → Liger_IMG_FLAT_20250702T003000_0.0.2.fits",
        "",
        "1 of 7 datasets would get other references",
        "1 type differs; 9 others have the same rules",
    ]
    newest = run(cache, f"HEAD:{OLD}", NEW, "--table", "headers.parquet", "--format", "csv")
    assert newest.exit_code == 1
    assert "iris,dark," in newest.stdout


def test_bad_headers(cache: Path) -> None:
    rows = exposures()
    rows[0]["INSTRUME"] = "NIX"
    write(cache / "headers.parquet", rows)
    shutil.copy(cache / "mappings" / "ligeriri" / OLD, cache / "mappings" / "ligeriri" / NEW)

    result = run(cache, OLD, NEW, "--table", "headers.parquet")

    assert result.exit_code == 1
    assert result.stderr == (
        f"warning: 1 of 7 datasets names no instrument that the rules know: {rows[0]['dataset']}\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((OLD, NEW), 2, "Missing option '--table'"),
        ((OLD, "--table", "headers.parquet"), 2, "Missing argument 'NEW'"),
        ((OLD, "nix.pmap", "--table", "headers.parquet"), 3, "nix.pmap"),
        ((OLD, NEW, "--table", "nix.parquet"), 3, "there is no nix.parquet"),
        (
            (OLD, NEW, "--table", "headers.parquet", "-t", "nix"),
            2,
            "neither context has a reference type 'nix'",
        ),
        ((OLD, NEW, "--table", "headers.parquet", "-t", "drak"), 2, "did you mean dark?"),
        ((OLD, NEW, "--table", "headers.parquet", "-o", "headers.parquet"), 2, "is one of the tables"),
        ((OLD, NEW, "--table", "headers.parquet", "--id", "nix"), 2, "there is no column 'nix'"),
        ((OLD, "broken.pmap", "--table", "headers.parquet"), 3, "broken.pmap"),
    ],
)
def test_what_can_not_be_done(
    cache: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (cache / "mappings" / "ligeriri" / "broken.pmap").write_text("header = {")
    monkeypatch.chdir(cache)

    result = run(cache, *arguments)

    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert not result.stdout
