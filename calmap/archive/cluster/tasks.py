"""Partitions on a cluster: sent, waited for, called back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from distributed import KilledWorker

from calmap.archive.cluster.worker import Done, Raised, answer
from calmap.errors import CacheError

_TICK = 1.0
_TRANSFER = 2.0
"""Seconds for a result to come, doubled each time: dask may wait long for a worker that is gone."""
_ALONE = 60.0
"""Seconds without any worker after which nobody waits for one any more."""
_NOTHING_HALF = "nothing is half written: when it is there again, do the same again"


class Tasks:
    """The work of a function on partitions, each with a number.

    Results come to this process as soon as they are there, so that those of a worker that is lost later
    need not be made again.

    Parameters
    ----------
    name
        Of what all partitions need, and of the tasks.
    function
        What is done.
    """

    def __init__(self, client: Any, name: str, function: Callable[[Any, Any], Any]) -> None:
        self.client = client
        self.name = name
        self.function = function
        self.futures: dict[int, Any] = {}
        self.tries: Counter[int] = Counter()
        self.ended: SimpleQueue[int] = SimpleQueue()
        self.outcomes: dict[int, Done[Any] | Raised] = {}
        self.alone: float | None = None

    def __enter__(self) -> Tasks:
        return self

    def __exit__(self, *_: object) -> None:
        """Call back what is not done."""
        if self.futures and self.client.status == "running":
            with suppress(OSError, CancelledError):
                self.client.cancel(list(self.futures.values()), force=True)
        self.futures.clear()

    def begin(self, number: int, partition: Any) -> None:
        """Send a partition to the cluster."""
        with in_plain_words(self.client):
            future = self.client.submit(
                answer, self.function, partition, self.name, key=(self.name, number), pure=False
            )
            self.futures[number] = future
            self._watch(number)

    def _watch(self, number: int) -> None:
        """Be told when a partition is done, also if that was lost with its worker and is done again."""
        self.futures[number].add_done_callback(partial(self._end, number))

    def _end(self, number: int, _future: Any) -> None:
        self.ended.put(number)

    def result(self, number: int) -> Any:
        """The result for a partition, when it is there; or what the function raised."""
        while number not in self.outcomes:
            with in_plain_words(self.client):
                self._collect()
        return self.outcomes.pop(number).get()

    def _collect(self) -> None:
        """Take over what is done, or see after a while whether anybody is left who does anything."""
        try:
            number = self.ended.get(timeout=_TICK)
        except Empty:
            self._require_workers()
            return
        try:
            self.outcomes[number] = self.futures[number].result(timeout=_TRANSFER * 2 ** self.tries[number])
        except TimeoutError:
            self.tries[number] += 1
            self._watch(number)
        else:
            del self.futures[number]

    def _require_workers(self) -> None:
        if self.client.status != "running":
            raise CancelledError
        if self.client.nthreads():
            self.alone = None
            return
        self.alone = self.alone or time.monotonic()
        if time.monotonic() - self.alone > _ALONE:
            raise CacheError(
                f"the cluster has had no workers for {_ALONE:.0f} seconds", f"start some; {_NOTHING_HALF}"
            )


@contextmanager
def in_plain_words(client: Any) -> Iterator[None]:
    """Trouble with a cluster as an error for people."""
    try:
        yield
    except KilledWorker as problem:
        raise CacheError(
            f"a part of the work was given up: {problem.allowed_failures + 1} workers were lost with it",
            "look into the logs of the workers; often they have too little memory",
        ) from problem
    except ImportError as problem:
        raise CacheError(
            f"the workers of the cluster can't import {problem.name or 'calmap'}",
            "install calmap-toolkit and what it needs where they are",
        ) from problem
    except (CancelledError, OSError, TimeoutError) as problem:
        raise CacheError(
            f"the connection to the cluster was lost: {_address(client)}", _NOTHING_HALF
        ) from problem


def _address(client: Any) -> str:
    scheduler = client.scheduler
    return str(scheduler.address) if scheduler is not None else "it was closed"
