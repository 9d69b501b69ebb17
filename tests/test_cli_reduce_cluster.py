"""`calmap reduce` by workers: what comes out is what comes out without them, also when workers are killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import cluster_work as work
import pytest
from click.testing import CliRunner
from distributed import Client

from calmap.cli.main import cli
from calmap.cli.options import Invocation

SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
SECOND = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0002-01.fits"
RAW = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
NO_FLAT = "2024B-P123-009_IRIS_IMG1_SCI-J1458+1013-BrGamma-4.0_LVL1_0003-00.fits"


@pytest.fixture(scope="module")
def scheduler():
    """A cluster that is there already."""
    with work.cluster() as found:
        yield found.scheduler_address


@pytest.fixture
def here(repo_root, tmp_path):
    """A folder with exposures: good ones, one without a flat, one with the name of another, a damaged one."""
    for name in (SEED, SECOND, RAW, NO_FLAT):
        shutil.copy(repo_root / "exposures" / name, tmp_path / name)
    (tmp_path / "again").mkdir()
    shutil.copy(tmp_path / RAW, tmp_path / "again" / RAW)
    (tmp_path / "damaged.fits").write_bytes((tmp_path / SEED).read_bytes()[:10000])
    return tmp_path


@pytest.fixture
def reduced(repo_root, here):
    """Runs the command; exit code, outputs and products, which are gone afterwards."""

    def reduced(*arguments):
        invocation = Invocation({"CALMAP_CACHE": str(repo_root)}, here)
        result = CliRunner().invoke(cli, ["reduce", *arguments, "--out", "out"], obj=invocation)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        products = {path.name: path.read_bytes() for path in (here / "out").glob("*")}
        shutil.rmtree(here / "out", ignore_errors=True)
        return result.exit_code, result.stdout, result.stderr, products

    return reduced


FILES = (SEED, "damaged.fits", RAW, NO_FLAT, f"again/{RAW}", SECOND)


@pytest.mark.parametrize(
    ("options", "count"), [((), 6), (("--to", "L3", "--format", "json"), 10), (("--quiet",), 6)]
)
def test_as_without_workers(reduced, scheduler, options, count):
    code, printed, told, products = reduced(*FILES, *options)

    assert reduced(*FILES, *options, "--scheduler", scheduler) == (code, printed, told, products)
    assert (code, len(products)) == (3, count)


@pytest.fixture
def workers_elsewhere(scheduler, tmp_path_factory):
    """The workers are in another folder, where files of the same names are."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with Client(scheduler, set_as_default=False) as client:
        before = client.run(os.getcwd)
        client.run(os.chdir, str(folder))
        yield folder
        for worker, place in before.items():
            client.run(os.chdir, place, workers=[worker])


def test_files_are_those_of_the_command(reduced, repo_root, here, workers_elsewhere, scheduler, monkeypatch):
    """Not those of the same names in the folder where a worker is; and they are called as they were named."""
    monkeypatch.chdir(here)
    (here / "cache").symlink_to(repo_root)
    shutil.copy(SECOND, workers_elsewhere / SEED)
    shutil.copy(SEED, workers_elsewhere / "damaged.fits")
    flat = next(repo_root.glob("references/ligeriri/iris/IRIS_IMG1_FLAT*.fits"))
    shutil.copy(flat, "flat.fits")
    (workers_elsewhere / "flat.fits").write_text("no flat")
    pair = {"SCI": [SECOND, f"./{SEED}"]}
    Path("pair.json").write_text(json.dumps(pair))
    arguments = (*FILES, "pair.json", "--to", "L3", "--override", "flat=flat.fits", "--cache", "cache")

    alone = reduced(*arguments)

    assert reduced(*arguments, "--scheduler", scheduler) == alone
    logs = b"".join(product for name, product in alone[3].items() if name.endswith(".log"))
    assert f"input      {RAW}\n".encode() in logs
    assert len(alone[3]) > 6


def test_workers_that_are_killed_leave_nothing_half(reduced, here, scheduler):
    """Both workers, as soon as one has begun with something."""
    code, printed, told, products = reduced(*FILES)
    ended = Event()
    killed = []

    def kill():
        while not ended.wait(0.01) and not killed:
            if list(here.glob("out/.calmap-*/*")):
                killed.extend(work.kill_workers())

    killer = Thread(target=kill)
    killer.start()
    try:
        again = reduced(*FILES, "--scheduler", scheduler)
    finally:
        ended.set()
        killer.join()

    assert len(killed) == 2
    *lines, last = again[2].splitlines(keepends=True)
    assert "lost, and what they had was done again" in last
    assert (again[0], again[1], "".join(lines), again[3]) == (code, printed, told, products)


def test_references_that_are_shown_need_no_workers(reduced):
    code, printed, _, products = reduced(SEED, "--show", "references", "--workers", "2")

    assert (code, products) == (0, {})
    assert "flat" in printed


def test_a_scheduler_that_is_not_there(reduced):
    code, printed, told, products = reduced(SEED, "--scheduler", "tcp://127.0.0.1:1")

    assert (code, printed, products) == (3, "", {})
    assert told.startswith("error: the scheduler at tcp://127.0.0.1:1 can't be reached\nhint: ")


@pytest.mark.parametrize(
    "address", ["foo", "bar://x", "", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tls://127.0.0.1:1"]
)
def test_what_is_no_address_is_told_at_once(repo_root, here, address):
    command = [sys.executable, "-m", "calmap", "reduce", SEED, "--scheduler", address, "--out", "out"]
    environ = {**os.environ, "CALMAP_CACHE": str(repo_root)}
    start = time.monotonic()
    done = subprocess.run(command, cwd=here, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 2  # and the hint
    assert time.monotonic() - start < 8


@pytest.mark.parametrize("option", [("--workers", "2"), ("--scheduler", "tcp://127.0.0.1:1")])
@pytest.mark.parametrize("command", [("bestref", "--table"), ("reduce",)])
def test_what_is_not_installed_is_named_at_once(here, monkeypatch, command, option):
    for module in ("distributed", "pyarrow"):
        monkeypatch.setitem(sys.modules, module, None)

    told = CliRunner().invoke(cli, [*command, "x", *option], obj=Invocation({}, here)).stderr

    assert told.endswith("hint: pip install 'calmap-toolkit[cluster]'\n")


def test_both_options_at_once(reduced):
    code, _, told, products = reduced(SEED, "--scheduler", "tcp://127.0.0.1:1", "--workers", "2")

    assert (code, products) == (2, {})
    assert "both a scheduler and a number of workers" in told


def test_processes_of_this_machine(repo_root, here):
    command = [sys.executable, "-m", "calmap", "reduce", SEED, "--workers", "1", "--out", "out"]
    environ = {**os.environ, "CALMAP_CACHE": str(repo_root)}
    done = subprocess.run(command, cwd=here, env=environ, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("exposure from") == 1
    assert len(list((here / "out").iterdir())) == 2


def test_an_interrupt_ends_it_all(repo_root, here):
    """Ctrl-C reaches every process of the terminal; nothing is told but that, and nothing is left."""
    command = [
        Path(sys.executable).with_name("calmap"),
        "reduce",
        SEED,
        RAW,
        "--workers",
        "1",
        "--out",
        "out",
    ]
    environ = {**os.environ, "CALMAP_CACHE": str(repo_root)}
    process = subprocess.Popen(
        command,
        cwd=here,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not list(here.glob("out/.calmap-*/*")) and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=30)

    assert (process.returncode, told.strip()) == (130, "interrupted")
    assert [path.name for path in (here / "out").iterdir() if path.name.startswith(".")] == []
    while is_there(process.pid):
        time.sleep(0.05)


def is_there(group):
    """Whether there is any process of a group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
