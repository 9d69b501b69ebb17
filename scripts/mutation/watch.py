"""Runs cases in processes whose time and memory are limited."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from mutation.trial import Report, Trials

_PATIENCE = 5
"""Seconds of the clock that are allowed for one of the processor."""


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Connection
    number: int = -1
    since: float = 0.0

    def give(self, number: int) -> None:
        self.number, self.since = number, time.monotonic()
        self.connection.send(number)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, trials: Trials, memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    while (number := connection.recv()) is not None:
        connection.send(trials.run(number))


def _start(trials: Trials, memory: int) -> _Worker:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(theirs, trials, memory), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def watched(trials: Trials, numbers: Iterator[int], jobs: int, limit: float, memory: int) -> Iterator[Report]:
    """Reports of cases as they end; a hang or a crash is a report too.

    Parameters
    ----------
    trials, numbers
        The cases.
    jobs
        Number of processes.
    limit
        Seconds of the processor that a case may take.
    memory
        Bytes of address space of a process.
    """
    workers = [_start(trials, memory) for _ in range(jobs)]
    busy: list[_Worker] = []
    try:
        while True:
            for worker in [worker for worker in workers if worker not in busy]:
                if (number := next(numbers, None)) is not None:
                    worker.give(number)
                    busy.append(worker)
            if not busy:
                return
            for worker, report in _ended(busy, limit):
                busy.remove(worker)
                if report is None:
                    workers[workers.index(worker)] = _start(trials, memory)
                    report = _lost(worker, limit)
                yield report
    finally:
        for worker in workers:
            worker.stop()


def _ended(busy: list[_Worker], limit: float) -> list[tuple[_Worker, Report | None]]:
    """Workers that are done, each with its report, or None if it had to be stopped."""
    ready = wait([worker.connection for worker in busy], timeout=0.5)
    ended: list[tuple[_Worker, Report | None]] = []
    for worker in busy:
        if worker.connection in ready:
            try:
                ended.append((worker, worker.connection.recv()))
            except (EOFError, OSError):
                ended.append((worker, None))
        elif time.monotonic() - worker.since > limit * _PATIENCE:
            ended.append((worker, None))
    return ended


def _lost(worker: _Worker, limit: float) -> Report:
    seconds = time.monotonic() - worker.since
    hung = worker.process.is_alive()
    worker.stop()
    outcome = (
        f"hang: stopped after {seconds:.0f} s" if hung else f"crash: exit code {worker.process.exitcode}"
    )
    return Report(worker.number, seconds, 0, outcome, f"{outcome} (limit {limit:g} s)")
