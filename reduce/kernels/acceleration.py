"""Compiled code where numba is installed, and threads over blocks of rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TypeVar

_ROWS = 64
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def available() -> bool:
    """True if numba is installed."""
    return find_spec("numba") is not None


def blocks(rows: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover so many rows."""
    for first in range(0, rows, size):
        yield slice(first, min(first + size, rows))


def in_blocks(rows: int, work: Callable[[slice], None], *, size: int = _ROWS) -> None:
    """Call a function on blocks of rows, in threads; it writes into arrays of its own.

    Fewer rows than two blocks have are not worth threads, so that kernels called on small parts of an image
    by many threads start none.

    Parameters
    ----------
    rows
        How many there are.
    work
        Called with each block; has to release the GIL to gain anything.
    size
        Rows of a block.
    """
    if rows < 2 * size:
        for some in blocks(rows, size):
            work(some)
        return
    for _ in in_threads(work, blocks(rows, size)):
        pass


def in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Results of a function in the order of the items, as many at once as there are processors.

    If one fails, what has not begun is not done.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(work, items)
