"""`calmap bestref --table`."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from deliveries import CHECKOUT, calmap
from header_tables import FORMATS, exposures, write
from syrupy.assertion import SnapshotAssertion

from calmap.archive.selection import TableSelection
from calmap.archive.tables.reading import open_tables


def run(cwd: Path, *arguments: object, **variables: str) -> Result:
    return calmap(cwd, "bestref", *arguments, "--cache", CHECKOUT, **variables)


@pytest.fixture
def headers(tmp_path: Path) -> Path:
    return write(tmp_path / "headers.parquet", exposures())


def written(path: Path) -> list[dict[str, object]]:
    tables = open_tables([str(path)])
    parts = (part.batches(tables.columns) for part in tables.partitions())
    return [row for batches in parts for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize("style", ["table", "json", "csv"])
def test_how_many_datasets_get_what(headers: Path, style: str, snapshot: SnapshotAssertion) -> None:
    result = run(headers.parent, "--table", "headers.parquet", "--format", style)

    assert result.exit_code == 1
    assert result.stdout == snapshot
    assert not result.stderr


def test_the_answers_are_those_for_the_files(headers: Path) -> None:
    run(headers.parent, "--table", "headers.parquet", "-o", "out.csv")
    files = calmap(CHECKOUT, "bestref", "exposures", "--format", "csv")

    expected = {
        (Path(row["dataset"]).name.partition("_LVL")[0], row["type"]): (row["status"], row["files"])
        for row in csv.DictReader(io.StringIO(files.stdout))
    }
    rows = list(csv.DictReader(io.StringIO((headers.parent / "out.csv").read_text())))
    found = {
        (row["dataset"], name.removesuffix("_status")): (cell, row[name.removesuffix("_status")])
        for row in rows
        for name, cell in row.items()
        if name.endswith("_status") and cell
    }
    assert found == expected
    assert list(rows[0])[:4] == ["dataset", "instrument", "dark", "dark_status"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_answers(headers: Path, suffix: str) -> None:
    folder = headers.parent
    write(folder / f"t{suffix}", exposures())

    first = run(folder, "--table", "headers.parquet", "-o", "one.parquet")
    second = run(folder, "--table", f"t{suffix}", "-o", "two.parquet")

    assert (folder / "one.parquet").read_bytes() == (folder / "two.parquet").read_bytes()
    assert first.stdout == second.stdout
    assert second.stderr == "written: two.parquet\n".replace("two", str(folder / "two"))


@pytest.mark.parametrize("suffix", [".csv", ".ecsv", ".fits", ".arrow"])
def test_every_format_can_be_written(headers: Path, suffix: str) -> None:
    folder = headers.parent
    for name in ("out.parquet", f"out{suffix}"):
        assert run(folder, "--table", "headers.parquet", "-o", name, "-q").exit_code == 1

    assert written(folder / f"out{suffix}") == written(folder / "out.parquet")


def test_several_tables_and_folders_are_one(headers: Path) -> None:
    folder = headers.parent
    rows = exposures()
    write(folder / "first.csv", rows[:3])
    (folder / "rest").mkdir()
    write(folder / "rest" / "a.fits", rows[3:5])
    write(folder / "rest" / "b.parquet", rows[5:])

    run(folder, "--table", "headers.parquet", "-o", "one.csv")
    run(folder, "--table", "first.csv", "--table", "rest", "-o", "two.csv")

    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_types_and_paths(headers: Path) -> None:
    result = run(headers.parent, "--table", headers, "--type", "dark,DQ", "--format", "paths")

    names = [Path(line) for line in result.stdout.splitlines()]
    assert names == sorted(names)
    assert all(path.is_file() and re.search("_(DARK|DQ)_", path.name) for path in names)
    assert len({path.name for path in names}) == len(names) > 3


def test_an_unknown_type(headers: Path) -> None:
    result = run(headers.parent, "--table", headers, "--type", "drak")

    assert result.exit_code == 2
    assert "did you mean dark?" in result.stderr


def test_the_column_that_identifies(headers: Path) -> None:
    folder = headers.parent
    run(folder, "--table", headers, "--id", "filename", "-o", "out.parquet")
    nameless = [{name: row[name] for name in ("INSTRUME", "DETECTOR")} for row in exposures()]
    write(folder / "nameless.csv", nameless)
    run(folder, "--table", "nameless.csv", "-o", "rows.parquet")
    wrong = run(folder, "--table", headers, "--id", "nix")

    assert pq.read_table(folder / "out.parquet")["FILENAME"].to_pylist() == [
        row["FILENAME"] for row in exposures()
    ]
    assert pq.read_table(folder / "rows.parquet")["dataset"].to_pylist() == [
        f"{folder}/nameless.csv:{number}" for number in range(1, len(nameless) + 1)
    ]
    assert wrong.exit_code == 2
    assert "there is no column 'nix'" in wrong.stderr


def test_a_name_that_the_answers_have_too(headers: Path) -> None:
    rows = [{"Dark": f"d{number}", **row} for number, row in enumerate(exposures())]
    write(headers, rows)

    run(headers.parent, "--table", headers, "--id", "Dark", "-t", "dark", "-o", "out.parquet")

    found = pq.read_table(headers.parent / "out.parquet")
    assert found.column_names == ["dataset", "instrument", "dark", "dark_status"]
    assert found["dataset"].to_pylist() == [row["Dark"] for row in rows]


def test_bad_headers_are_told(headers: Path) -> None:
    rows = exposures()
    del rows[0]["INSTRUME"]
    for row in rows[1:]:
        row["INSTRUME"] = "NIX"
    write(headers, rows)

    result = run(headers.parent, "--table", headers, "-o", "out.parquet")

    assert result.exit_code == 1
    assert result.stdout == "7 datasets with ligeriri_0001.pmap\n"
    assert result.stderr.splitlines()[1] == (
        "warning: 7 of 7 datasets name no instrument that the rules know: "
        + ", ".join(row["dataset"] for row in rows[:5])
        + ", …"
    )
    answers = pq.read_table(headers.parent / "out.parquet")
    assert set(answers["dark_status"].to_pylist()) == {"bad_header"}
    assert answers["instrument"].null_count == 7


def test_keywords_that_are_missing_are_told(headers: Path) -> None:
    pq.write_table(pq.read_table(headers).drop(["DETECTOR"]), headers)

    result = run(headers.parent, "--table", headers)

    assert result.stderr.splitlines() == [
        f"warning: no column has META.INSTRUMENT.DETECTOR, which the rules of {name} look at"
        for name in ("iris", "liger")
    ]


def test_no_rows(headers: Path) -> None:
    pq.write_table(pq.read_table(headers).slice(0, 0), headers)

    result = run(headers.parent, "--table", headers, "-o", "out.csv")

    assert result.exit_code == 0
    assert result.stdout == "0 datasets with ligeriri_0001.pmap\n"
    assert (headers.parent / "out.csv").read_text().startswith("dataset,instrument,dark,dark_status")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("file.fits", "--table", "headers.parquet"), 2, "give FILES or --table, not both"),
        ((), 2, "Missing argument 'FILES...', or --table"),
        (("file.fits", "-o", "out.csv"), 2, "--output and --id go with --table"),
        (("--table", "headers.parquet", "--explain"), 2, "are for FILES"),
        (("--table", "headers.parquet", "--update-header"), 2, "are for FILES"),
        (("--table", "none.parquet"), 3, "there is no"),
        (("--table", "note.txt"), 2, "note.txt is of no known kind"),
        (("--table", "headers.parquet", "-o", "out.txt"), 2, "out.txt is of no known kind"),
        (("--table", "headers.parquet", "-o", "no/out.csv"), 3, "there is no folder"),
        (("--table", "headers.parquet", "-o", "headers.parquet"), 2, "is one of the tables that are read"),
        (("--table", "tables", "-o", "tables/out.csv"), 2, "would be in"),
        (("--table", "broken.parquet", "-o", "out.csv"), 3, "broken.parquet can't be read"),
        (("--table", "late.csv", "-o", "out.csv"), 3, "late.csv can't be read"),
        (("--table", "names.csv"), 3, "no column names the instrument: META.INSTRUMENT.NAME or INSTRUME"),
    ],
)
def test_what_can_not_be_done(headers: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    folder = headers.parent
    (folder / "note.txt").write_text("x")
    (folder / "broken.parquet").write_bytes(headers.read_bytes()[:-20])
    (folder / "late.csv").write_text("INSTRUME,DETECTOR\n" + "IRIS,IMG1\n" * 9 + "IRIS\n")
    (folder / "names.csv").write_text("a,b\n1,2\n")
    (folder / "tables").mkdir()
    shutil.copy(headers, folder / "tables")
    before = sorted(path.name for path in folder.iterdir())

    result = run(folder, *arguments)

    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert not result.stdout
    assert sorted(path.name for path in folder.iterdir()) == before


def test_without_pyarrow(headers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    result = run(headers.parent, "--table", headers)

    assert result.exit_code == 2
    assert "tables need pyarrow" in result.stderr
    assert "hint: pip install 'calmap-toolkit[table]'" in result.stderr


def test_plain_calls_do_not_import_pyarrow() -> None:
    code = (
        "import sys; from calmap.cli.main import cli\n"
        "cli(['bestref', 'exposures', '-q'], standalone_mode=False)\n"
        "print(*[name for name in ('pyarrow', 'fsspec', 'dask') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )

    assert done.stdout.split() == []


def test_interrupted(headers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TableSelection, "batch", stopped)
    before = sorted(headers.parent.iterdir())

    result = run(headers.parent, "--table", headers, "-o", "out.parquet")

    assert result.exit_code == 130
    assert sorted(headers.parent.iterdir()) == before


def test_terminated_while_it_writes(headers: Path) -> None:
    table = pq.read_table(headers)
    many = table.take(pa.array(list(range(table.num_rows)) * 50_000))
    pq.write_table(many, headers, row_group_size=100_000)
    out = headers.parent / "out.parquet"
    command = (sys.executable, "-m", "calmap", "bestref", "--table", headers, "-o", out, "--cache", CHECKOUT)
    process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while len(list(headers.parent.iterdir())) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate()

    assert process.returncode in (143, 1)
    assert sorted(path.name for path in headers.parent.iterdir()) in (
        ["headers.parquet"],
        ["headers.parquet", "out.parquet"],
    )


def test_a_cache_that_lacks_a_reference(headers: Path) -> None:
    for name in ("mappings", "config"):
        shutil.copytree(CHECKOUT / name, headers.parent / name)

    result = calmap(headers.parent, "bestref", "--table", headers, "--format", "paths", "--cache", ".")

    assert result.exit_code == 3
    assert "error: " in result.stderr


def test_json_names_the_place_of_the_answers(headers: Path) -> None:
    result = run(headers.parent, "--table", headers, "-o", "out.parquet", "--format", "json")

    assert json.loads(result.stdout)["output"] == "out.parquet"
