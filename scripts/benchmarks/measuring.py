"""What work of the reduction costs: time, processor time and memory, in turn with what others need for it."""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

OURS = "calmap"
_LOOK = 0.01


class Sample(NamedTuple):
    """What one run took: seconds, seconds of all processors, and megabytes at the most, or 0 if not known."""

    seconds: float
    processor: float
    megabytes: float = 0.0


class Limit(NamedTuple):
    """The most that is allowed; 0 for what is not."""

    seconds: float = 0.0
    megabytes: float = 0.0


_NO_LIMIT = Limit()
Run: TypeAlias = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work.

    Parameters
    ----------
    name, what
        A word to ask for it, and a line for the table.
    run
        Does it.
    limit
        What it may take.
    peers
        The same work by others, by their names.
    faster
        How many times faster than the first peer it has to be; 0 for no matter.
    note
        Says after the runs how far results agree.
    """

    name: str
    what: str
    run: Run
    limit: Limit = _NO_LIMIT
    peers: Mapping[str, Run] = field(default_factory=dict)
    faster: float = 0.0
    note: Callable[[], str] = lambda: ""


@dataclass(frozen=True, slots=True)
class Result:
    """Samples of all repetitions, by who did it."""

    task: Task
    samples: Mapping[str, Sequence[Sample]]
    note: str

    def seconds(self, who: str = OURS) -> float:
        """The median time."""
        return statistics.median(sample.seconds for sample in self.samples[who])

    def processor(self, who: str = OURS) -> float:
        """The median time of all processors together."""
        return statistics.median(sample.processor for sample in self.samples[who])

    @property
    def megabytes(self) -> float:
        """The most that was in memory."""
        return max(sample.megabytes for sample in self.samples[OURS])

    def ratio(self, peer: str) -> float:
        """How many times longer a peer takes."""
        return self.seconds(peer) / self.seconds()

    @property
    def passed(self) -> bool:
        """True if it is within its limits."""
        limit, task = self.task.limit, self.task
        return (
            (not limit.seconds or self.seconds() <= limit.seconds)
            and (not limit.megabytes or self.megabytes <= limit.megabytes)
            and (not task.faster or self.ratio(next(iter(task.peers))) >= task.faster)
        )

    @property
    def bars(self) -> str:
        """What is required."""
        limit, task = self.task.limit, self.task
        return ", ".join(
            [f"≤ {limit.seconds:g} s"] * bool(limit.seconds)
            + [f"≤ {limit.megabytes:g} MB"] * bool(limit.megabytes)
            + [f"≥ {task.faster:g}×"] * bool(task.faster)
        )


def measure(task: Task, repetitions: int) -> Result:
    """Run the work and its peers in turn."""
    runs = {OURS: task.run, **task.peers}
    samples: dict[str, list[Sample]] = {who: [] for who in runs}
    for _ in range(repetitions):
        for who, run in runs.items():
            samples[who].append(run())
    return Result(task, samples, task.note())


def here(work: Callable[[], object]) -> Run:
    """A measurement of work in this process."""

    def run() -> Sample:
        gc.collect()
        start, processor = time.perf_counter(), time.process_time()
        work()
        return Sample(time.perf_counter() - start, time.process_time() - processor)

    return run


def process(
    command: Sequence[str], environment: Mapping[str, str] | None = None, done: Sequence[int] = (0,)
) -> Run:
    """A measurement of a whole process, and of its memory.

    Parameters
    ----------
    command
        What to run.
    environment
        Variables beside those there are.
    done
        Exit codes that mean that the work is done.

    Raises
    ------
    RuntimeError
        If it fails.
    """

    def run() -> Sample:
        with tempfile.TemporaryFile("w+") as errors:
            before, start = _of_children(), time.perf_counter()
            child = subprocess.Popen(
                command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=errors
            )
            megabytes = _watched(child)
            sample = Sample(time.perf_counter() - start, _of_children() - before, megabytes)
            if child.returncode not in done:
                errors.seek(0)
                raise RuntimeError(f"{' '.join(command)} failed:\n{errors.read()[-2000:]}")
        return sample

    return run


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watched(child: subprocess.Popen[bytes]) -> float:
    """Wait for a process; gives the most megabytes it had in memory.

    The system's own figure at its end, ``ru_maxrss``, has this process in it, which it was forked from.
    """
    most = 0.0
    while child.poll() is None:
        most = max(most, _most_resident(child.pid))
        time.sleep(_LOOK)
    return most


def _most_resident(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
