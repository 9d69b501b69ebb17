"""`calmap harvest` on the demonstration cache."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from calmap.archive.harvest.tally import Tally
from calmap.cli import harvest_progress
from calmap.cli.harvest_progress import watched
from calmap.cli.main import cli
from calmap.cli.options import Invocation


def run(cwd: Path, *arguments: object, command: str = "harvest") -> Result:
    invocation = Invocation({}, cwd)
    return CliRunner().invoke(cli, [command, *map(str, arguments)], obj=invocation, env={"COLUMNS": "80"})


@pytest.fixture
def demo(tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demonstration cache, where the command is called."""
    for name in ("config", "exposures", "mappings"):
        shutil.copytree(repo_root / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_is_made_and_made_again(demo: Path, snapshot: SnapshotAssertion) -> None:
    first = run(demo, "exposures", "-o", "headers.parquet")
    again = run(demo, "exposures", "exposures", "-o", "headers.parquet")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.stdout + again.stdout == snapshot
    assert pq.read_table("headers.parquet")["dataset"].to_pylist() == [
        str(path.relative_to(demo)) for path in sorted((demo / "exposures").iterdir())
    ]


def test_the_summary_for_programs(demo: Path, snapshot: SnapshotAssertion) -> None:
    result = run(demo, "exposures", "gone.fits", "-o", "headers.parquet", "--format", "json")

    assert result.exit_code == 3
    summary = json.loads(result.stdout)
    assert summary == snapshot
    assert summary["problems"] == [{"file": "gone.fits", "reason": "gone.fits does not exist"}]


def test_quiet_prints_nothing(demo: Path) -> None:
    result = run(demo, "exposures", "-o", "headers.parquet", "--quiet")

    assert (result.exit_code, result.output) == (0, "")


def test_a_csv_table_tells_nothing_from_empty(demo: Path) -> None:
    (demo / "a.json").write_text('{"INSTRUME": "IRIS", "FILTER": "", "DETECTOR": null}')

    for _ in range(2):
        assert run(demo, "a.json", "-o", "headers.csv").exit_code == 0
    options = pacsv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    [row] = pacsv.read_csv("headers.csv", convert_options=options).to_pylist()
    assert (row["INSTRUME"], row["FILTER"], row["DETECTOR"]) == ("IRIS", "", None)
    assert not [name for name in row if name.startswith("harvest")]


def test_contexts_and_keywords_add_up(demo: Path) -> None:
    arguments = ("exposures", "-o", "headers.parquet", "--format", "json")
    whole = json.loads(run(demo, *arguments).stdout)["keywords"]
    dark = ("--context", "ligeriri_iris_dark_0001.rmap")
    flat = ("--context", "ligeriri_iris_flat_0001.rmap")

    def keywords(*more: str) -> set[str]:
        return set(json.loads(run(demo, *arguments, *more).stdout)["keywords"])

    assert keywords(*dark) < set(whole)
    assert keywords(*dark, *flat) == keywords(*dark) | keywords(*flat)
    assert keywords("--keyword", "exptime, airmass") == {*whole, "EXPTIME", "AIRMASS"}


def test_many_unreadable_files_are_counted_and_written_down(demo: Path) -> None:
    names = [f"gone{number}.fits" for number in range(50)]

    result = run(demo, "exposures", *names, "-o", "headers.parquet", "--errors", "errors.csv")

    assert result.exit_code == 3
    assert result.stderr.count("does not exist") == 20
    assert "error: 30 more can't be read; all are in errors.csv" in result.stderr
    rows = list(csv.reader(Path("errors.csv").read_text().splitlines()))
    assert rows == [["file", "reason"], *([name, f"{name} does not exist"] for name in names)]
    assert run(demo, "exposures", "-o", "headers.parquet", "--errors", "errors.csv").exit_code == 0
    assert Path("errors.csv").read_text() == "file,reason\n"


def test_names_that_are_no_text_are_told(demo: Path) -> None:
    shutil.copy(next((demo / "exposures").iterdir()), "odd\udcff\nname.fits")
    Path("bad\udcff\x1b[31m.fits").touch()

    result = run(
        demo, "odd\udcff\nname.fits", "bad\udcff\x1b[31m.fits", "-o", "t.parquet", "--errors", "e.csv"
    )

    assert result.exit_code == 3
    assert "bad\\udcff\\x1b[31m.fits is empty" in result.stderr
    assert "bad\\udcff" in Path("e.csv").read_text()
    assert pq.read_table("t.parquet")["dataset"].to_pylist() == ["odd\\udcff\nname.fits"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("exposures", "-o", "headers.ecsv"), 2, "end it in .parquet or .csv"),
        (("exposures", "-o", "mappings"), 2, "does not say what to write"),
        (("exposures", "-o", "t.csv", "--add"), 2, "only a Parquet table can be added to"),
        (("exposures", "-o", "t.parquet", "--add", "--fresh"), 2, "choose one"),
        (("exposures", "-o", "t.parquet", "--jobs", "0"), 2, "0 is not in the range"),
        (("exposures", "-o", "t.parquet", "--context", "ligeriri_9.pmap"), 3, "ligeriri_9.pmap"),
        (("mappings", "-o", "t.parquet"), 2, "no dataset is named"),
        (("@none.txt", "-o", "t.parquet"), 2, "none.txt can't be read: No such file"),
        (("exposures", "-o", "none/t.parquet"), 3, "can't be made: No such file"),
    ],
)
def test_wrong_calls_are_explained(demo: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "calmap", "harvest", *arguments], capture_output=True, text=True, check=False
    )

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in demo.iterdir()) == ["config", "exposures", "mappings"]


def test_ctrl_c_says_how_to_go_on(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(tally: Tally) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(harvest_progress, "watched", lambda *_: nullcontext(interrupt))
        result = run(demo, "exposures", "-o", "headers.parquet")
    again = json.loads(run(demo, "exposures", "-o", "headers.parquet", "--format", "json").stdout)

    assert result.exit_code == 130
    words = " ".join(result.stderr.split())
    assert words == "what was read is kept; run the same again to go on interrupted"
    assert again["unchanged"] == again["files"] == 7


def test_ctrl_c_ends_all_processes_without_a_word_of_python(demo: Path) -> None:
    [seed, *_] = (demo / "exposures").iterdir()
    (demo / "many").mkdir()
    for number in range(12_000):
        (demo / "many" / f"{number}.fits").symlink_to(seed)
    command = [sys.executable, "-m", "calmap", "harvest", "many", "-o", "t.parquet", "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 20
    unfinished = demo / "t.parquet.parts" / "output.tmp"
    while process.poll() is None and not unfinished.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.4)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert _ends(process.pid)


def _ends(group: int) -> bool:
    """Whether all processes of a group are gone soon; the system may take a moment to bury them."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_bar_shows_rate_and_time_left(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest_progress, "_PATIENCE", -1)
    output = StringIO()
    console = Console(file=output, force_terminal=True, width=100)
    with watched(console, ["exposures"], demo) as watch:
        for number in range(8):
            watch(Tally(files=number))
            time.sleep(0.02)

    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue())
    assert re.search(r"Reading headers .* files \d+ files/s \d:\d\d:\d\d", shown)


def test_no_bar_without_a_terminal(demo: Path) -> None:
    output = StringIO()
    with watched(Console(file=output), ["exposures"], demo) as watch:
        watch(Tally(files=1))
    assert output.getvalue() == ""


def test_the_table_is_answered_as_the_files_are(demo: Path) -> None:
    run(demo, "exposures", "-o", "headers.parquet")
    asked = run(demo, "--table", "headers.parquet", "-o", "answers.parquet", command="bestref")
    assert asked.exit_code in (0, 1)
    rows = {row["dataset"]: row for row in pq.read_table("answers.parquet").to_pylist()}

    told = json.loads(run(demo, "exposures", "--format", "json", command="bestref").stdout)

    assert {answer["dataset"] for answer in told} == rows.keys()
    for answer in told:
        row, reftype = rows[answer["dataset"]], answer["type"]
        assert (row[f"{reftype}_status"], row[reftype]) == (
            *(answer["status"], ", ".join(answer["files"]) or None),
        )
    assert len(told) == sum(bool(row[key]) for row in rows.values() for key in row if key.endswith("_status"))
