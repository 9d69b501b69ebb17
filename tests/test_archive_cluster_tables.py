"""`calmap bestref --table` and `calmap affected` by workers: the same answers, byte for byte."""

import shutil
import subprocess
import sys
import time
from threading import Thread

import cluster_work as work
import pyarrow.parquet as pq
import pytest
from deliveries import CHECKOUT, calmap
from header_tables import exposures, write

from calmap.archive.cluster import tables as cluster_tables

OLD, NEW = "ligeriri_0001.pmap", "ligeriri_0002.pmap"


@pytest.fixture(scope="module")
def scheduler():
    """A cluster that is there already."""
    with work.cluster() as found:
        yield found.scheduler_address


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache with two contexts, and a folder with tables of some parts each; workers see no mappings."""
    folder = tmp_path_factory.mktemp("archive")
    for name in ("mappings", "config"):
        shutil.copytree(CHECKOUT / name, folder / name)
    rules = folder / "mappings" / "ligeriri"
    for old, new, swap in (
        ("ligeriri_iris_dark_0001.rmap", "ligeriri_iris_dark_0002.rmap", ("000_0.0.1", "000_0.0.2")),
        ("ligeriri_iris_0001.imap", "ligeriri_iris_0002.imap", ("dark_0001", "dark_0002")),
        (OLD, NEW, ("iris_0001", "iris_0002")),
    ):
        (rules / new).write_text((rules / old).read_text().replace(*swap))
    rows = [row | {"FILENAME": f"{number:03}.fits"} for number in range(20) for row in exposures()]
    (folder / "tables").mkdir()
    write(folder / "tables" / "a.parquet", rows)
    write(folder / "tables" / "b.csv", [*rows[:11], {"INSTRUME": "NONE"}])
    return folder


@pytest.fixture
def asked(cache, monkeypatch):
    """Runs a command on small parts; exit code, outputs, and what was written, which is gone afterwards."""
    monkeypatch.setattr(cluster_tables, "PART_ROWS", 20)

    def asked(*arguments):
        result = calmap(cache, *arguments)
        files = {path.name: path.read_bytes() for path in cache.glob("out.*")}
        for path in cache.glob("out.*"):
            path.unlink()
        return result.exit_code, result.stdout, result.stderr, files

    return asked


BESTREF = ("bestref", "--context", OLD, "--table", "tables")
AFFECTED = ("affected", OLD, NEW, "--table", "tables")


@pytest.mark.parametrize("command", [BESTREF, AFFECTED], ids=["bestref", "affected"])
@pytest.mark.parametrize("output", [(), ("-o", "out.parquet", "--format", "json"), ("-o", "out.fits", "-q")])
def test_as_without_workers(asked, scheduler, command, output):
    expected = asked(*command, *output)

    assert asked(*command, *output, "--scheduler", scheduler) == expected
    assert expected[0] == 1
    assert len(expected[3]) == ("-o" in output)


def test_workers_that_are_killed_lose_nothing(asked, cache, scheduler):
    command = (*BESTREF, "-o", "out.parquet")
    expected = asked(*command)
    killer = Thread(target=lambda: (time.sleep(0.15), work.kill_workers()[:1]))

    killer.start()
    code, printed, told, files = asked(*command, "--scheduler", scheduler)
    killer.join()

    kept = [line for line in told.splitlines(keepends=True) if "lost, and what" not in line]
    assert (code, printed, "".join(kept), files) == expected


def test_a_damaged_table_is_told_as_without_workers(asked, cache, scheduler):
    (cache / "late.csv").write_text("INSTRUME,DETECTOR\n" + "IRIS,IMG1\n" * 9 + "IRIS\n")
    command = ("bestref", "--table", "late.csv", "-o", "out.csv")

    expected = asked(*command)

    assert asked(*command, "--scheduler", scheduler) == expected
    assert (expected[0], expected[3]) == (3, {})


def test_files_need_no_workers(asked):
    code, _, told, _ = asked("bestref", "x.fits", "--workers", "2")

    assert code == 2
    assert "--workers and --scheduler" in told


def test_processes_of_this_machine(cache):
    command = [sys.executable, "-m", "calmap", *BESTREF, "-o", "two.parquet", "--workers", "2", "-q"]
    done = subprocess.run(command, cwd=cache, capture_output=True, text=True, check=False)
    alone = [sys.executable, "-m", "calmap", *BESTREF, "-o", "one.parquet", "-q"]
    subprocess.run(alone, cwd=cache, capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("warning: ")
    assert "\n" not in done.stderr.strip()
    assert (cache / "two.parquet").read_bytes() == (cache / "one.parquet").read_bytes()
    assert pq.read_metadata(cache / "two.parquet").num_rows > 100
