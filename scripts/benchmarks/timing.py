"""Alternating measurements of two ways to do one thing."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that both programs do.

    Parameters
    ----------
    name, what
        A word to ask for it, and a line for the table.
    bar
        How many times faster calmap is required to be, or None if nothing is required.
    calmap, crds
        Do it once, and return the seconds it took.
    """

    name: str
    what: str
    bar: float | None
    calmap: Callable[[], float]
    crds: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds of every repetition."""

    task: Task
    calmap: tuple[float, ...]
    crds: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times faster calmap is, by the medians."""
        return statistics.median(self.crds) / statistics.median(self.calmap)

    @property
    def passed(self) -> bool:
        """True if calmap is as much faster as it has to be."""
        return self.task.bar is None or self.ratio >= self.task.bar


def measure(task: Task, repetitions: int) -> Result:
    """Run both in turn, again and again."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repetitions):
        for run, times in zip((task.calmap, task.crds), seconds, strict=True):
            times.append(run())
    return Result(task, tuple(seconds[0]), tuple(seconds[1]))


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes, the garbage of others collected before."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def repeated(work: Callable[[], object], times: int) -> Callable[[], float]:
    """A measurement of short work: the mean of several runs in a row."""

    def loop() -> None:
        for _ in range(times):
            work()

    return lambda: seconds_of(loop) / times
