"""Other processes that read headers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing.connection import wait
from typing import Generic, NamedTuple, TypeVar

from calmap.archive.harvest.reading import Named, Reading, read_files
from calmap.errors import CacheError

_WAITING = 4
"""Tasks that wait for each process, so that none is ever idle."""

Note = TypeVar("Note")


class Task(NamedTuple, Generic[Note]):
    """Files that one process reads in one go, and what the caller wants to remember with them."""

    files: tuple[Named, ...]
    note: Note


def usable_cores() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_tasks(
    tasks: Iterable[Task[Note]], keywords: tuple[str, ...], jobs: int
) -> Generator[tuple[Task[Note], Reading], None, None]:
    """Do tasks in several processes; results come in the order of the tasks.

    Parameters
    ----------
    tasks
        What to read; taken only a little ahead of what is yielded.
    keywords
        What is taken of each header.
    jobs
        Number of processes; with 1, or a single task, this one reads itself.

    Raises
    ------
    CacheError
        If a process can't be started, or is ended by somebody else.
    """
    iterator = iter(tasks)
    first = list(islice(iterator, 2))
    every = chain(first, iterator)
    if jobs <= 1 or len(first) < 2:
        yield from ((task, read_files(task.files, keywords)) for task in every)
        return
    with _processes(jobs) as pool:
        yield from _in_order(pool, every, keywords, jobs * _WAITING)


@contextmanager
def _processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that are done when all went well, and are ended otherwise, whatever they wait for."""
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin)
    try:
        yield pool
        pool.shutdown()
    except BaseException as problem:
        children = tuple((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.terminate()
        if isinstance(problem, BrokenProcessPool):
            raise CacheError(
                "a process that reads headers was ended, perhaps for want of memory",
                "what was read is kept; run the same again, perhaps with fewer --jobs",
            ) from None
        raise


def _in_order(
    pool: ProcessPoolExecutor, tasks: Iterable[Task[Note]], keywords: tuple[str, ...], most: int
) -> Iterator[tuple[Task[Note], Reading]]:
    under_way: deque[tuple[Task[Note], Future[Reading]]] = deque()
    for task in tasks:
        with _interrupts_held():
            future = pool.submit(read_files, task.files, keywords)
        under_way.append((task, future))
        if len(under_way) >= most:
            done, future = under_way.popleft()
            yield done, future.result()
    for done, future in under_way:
        yield done, future.result()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait; a process that is started meanwhile leaves it to this one from its first moment."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Leave it to the parent to be interrupted, and end when it is gone, however it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
