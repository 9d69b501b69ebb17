"""Where work on many partitions is done: in this process, or on the workers of a cluster.

The answers are the same wherever it is done, and come in the order of the partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from calmap.errors import UsageError

Opened = TypeVar("Opened")
Partition = TypeVar("Partition")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Shared(Generic[Opened]):
    """What the work on every partition needs, such as a context.

    It is sent to each worker once, opened there when the first partition comes, and kept until the work is
    done. A worker does one partition at a time, also if it has several threads.

    Parameters
    ----------
    value
        The thing itself, for work in this process.
    pack
        Makes of it what is sent, such as bytes; anything that can be pickled.
    unpack
        Makes of that the thing again, on a worker: a function of a module of calmap, so that workers find it.

    Examples
    --------
    >>> from calmap.archive.cluster.places import Here, Shared
    >>> def times(factor, number):
    ...     return factor * number
    >>> list(Here().run(times, [1, 2, 3], Shared(10, str, int)))
    [10, 20, 30]
    """

    value: Opened
    pack: Callable[[Opened], Any]
    unpack: Callable[[Any], Opened]


class Place(Protocol):
    """Where work is done."""

    @property
    def workers(self) -> int:
        """How many partitions are worked on at once."""

    def run(
        self,
        function: Callable[[Opened, Partition], Result],
        partitions: Iterable[Partition],
        shared: Shared[Opened],
    ) -> Generator[Result, None, None]:
        """Results of a function, in the order of the partitions.

        Partitions are asked for as results are taken, so that neither need be in memory all at once.

        Parameters
        ----------
        function
            Called with the opened `shared` thing and a partition; a function of a module of calmap. It may
            be called again for a partition whose worker was lost, so what it writes has to be whole and the
            same each time.
        partitions
            Small things that can be pickled and say where data are, such as names of files; paths are
            absolute.
        shared
            What every partition needs.

        Raises
        ------
        Exception
            What the function raises for the first partition for which it raises anything, after the results
            of those before.
        CacheError
            If the cluster can't be used any more.
        """

    def lost(self) -> int:
        """How many workers were lost while they had partitions to work on."""


@dataclass(frozen=True, slots=True)
class Here:
    """This process."""

    workers: int = 1

    def run(
        self,
        function: Callable[[Opened, Partition], Result],
        partitions: Iterable[Partition],
        shared: Shared[Opened],
    ) -> Generator[Result, None, None]:
        """See `Place.run`."""
        for partition in partitions:
            yield function(shared.value, partition)

    def lost(self) -> int:
        """None: there are no workers."""
        return 0


@contextmanager
def open_place(scheduler: str | None = None, workers: int | None = None) -> Iterator[Place]:
    """This process; or an existing cluster; or processes of this machine, which end afterwards.

    Whatever happens inside, an existing cluster is left without anything of this work.

    Parameters
    ----------
    scheduler
        Address of the scheduler of a dask cluster, such as ``tcp://host:8786`` or ``tls://host:8786``; keys
        and certificates for ``tls`` are those of dask's own configuration.
    workers
        How many processes to start on this machine.

    Raises
    ------
    UsageError
        If both are given, there are to be no workers, or `distributed` is not installed.
    CacheError
        If the scheduler can't be reached, it has no workers, or they have another version of calmap or of
        Python.
    """
    if scheduler is None and workers is None:
        yield Here()
        return
    if scheduler is not None and workers is not None:
        raise UsageError(
            "there can't be both a scheduler and a number of workers",
            "give --workers to start some on this machine, or --scheduler to use a cluster that there is",
        )
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers can't do anything", "one or more were expected")
    try:
        from calmap.archive.cluster import client
    except ImportError as problem:
        raise UsageError(
            f"work on a cluster needs dask's distributed ({problem})", "pip install 'calmap-toolkit[cluster]'"
        ) from problem
    if scheduler is not None:
        with client.connected(scheduler) as cluster:
            yield cluster
    elif workers is not None:
        with client.started(workers) as cluster:
            yield cluster
