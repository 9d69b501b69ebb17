"""What workers of a cluster do in tests; here, so that they can import it."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import NamedTuple

from distributed import LocalCluster

from calmap.archive.cluster.places import Shared
from calmap.errors import CacheError, HeaderError

FAULTS = {"header": HeaderError("no INSTRUME", "add one"), "cache": CacheError("x.rmap is gone")}


class Table(NamedTuple):
    """What all partitions need: a factor, and a folder for notes."""

    factor: int
    notes: Path

    def note(self, what: str) -> None:
        with (self.notes / what).open("a") as stream:
            stream.write(f"{os.getpid()}\n")

    def noted(self, what: str) -> list[str]:
        path = self.notes / what
        return path.read_text().split() if path.exists() else []


def shared(notes: Path, factor: int = 10) -> Shared[Table]:
    return Shared(Table(factor, notes), tuple, opened)


def opened(packed) -> Table:
    table = Table(*packed)
    table.note("opened")
    return table


def times(table: Table, number: int) -> int:
    return table.factor * number


def slow_times(table: Table, number: int) -> int:
    time.sleep(0.05)
    return table.factor * number


def times_backwards(table: Table, number: int) -> int:
    """The first ones take longest."""
    time.sleep(max(0.0, 0.2 - 0.05 * number))
    return table.factor * number


def noted_times(table: Table, number: int) -> int:
    table.note("worked")
    return table.factor * number


def fatal_times(table: Table, number: int) -> int:
    """Every fifth kills the worker when it is done the first time."""
    marker = table.notes / f"killed-{number}"
    if number % 5 == 2 and not marker.exists():
        marker.touch()
        time.sleep(0.3)  # dask doesn't restart one that ends while it starts
        os.kill(os.getpid(), signal.SIGKILL)
    return slow_times(table, number)


def always_fatal(table: Table, number: int) -> int:
    if number == 3:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    return table.factor * number


def wrong_from_three(table: Table, number: int | str) -> int:
    """Raises for all from 3 on, for the later ones sooner."""
    table.note(f"worked-{number}")
    if isinstance(number, str):
        raise FAULTS[number]
    if number >= 3:
        time.sleep(max(0.0, 0.3 - 0.1 * (number - 3)))
        raise HeaderError(f"header {number} is wrong", "mend it")
    return table.factor * number


def broken(_table: Table, _number: int) -> int:
    return {}["a fault of the program"]


def endless(table: Table, _number: int) -> int:
    table.note("begun")
    time.sleep(20)
    return 0


def kill_workers() -> list[int]:
    """Kill all workers of this process's clusters."""
    workers = [child for child in active_children() if child.name.startswith("Dask Worker")]
    for worker in workers:
        worker.kill()
    return [worker.pid for worker in workers]


class Scheduler(NamedTuple):
    """One in a process of its own."""

    process: Popen[str]
    address: str

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def scheduler_process(folder: Path) -> Iterator[Scheduler]:
    """A scheduler and a worker as dask's own commands start them."""
    file = folder / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    options = ["--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    alone = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "5"]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with (
        Popen([*command, *options], text=True, stderr=DEVNULL, cwd=folder, env=environ) as process,
        Popen([*worker, *alone], text=True, stderr=DEVNULL, cwd=folder, env=environ) as other,
    ):
        try:
            while not file.exists() or not file.read_text().endswith("}"):
                time.sleep(0.02)
            yield Scheduler(process, json.loads(file.read_text())["address"])
        finally:
            process.kill()
            other.kill()


@contextmanager
def cluster(workers: int = 2, **keywords) -> Iterator[LocalCluster]:
    """A cluster as somebody else has it."""
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        memory_limit=0,
        silence_logs=100,
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        **keywords,
    ) as found:
        yield found
