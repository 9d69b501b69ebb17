"""Compiled code where numba is installed, and threads over blocks of rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

_ROWS = 64


def available() -> bool:
    """True if numba is installed."""
    return find_spec("numba") is not None


def blocks(rows: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover so many rows."""
    for first in range(0, rows, size):
        yield slice(first, min(first + size, rows))


def in_blocks(rows: int, work: Callable[[slice], None], *, size: int = _ROWS) -> None:
    """Call a function on blocks of rows, in threads; it writes into arrays of its own.

    Parameters
    ----------
    rows
        How many there are.
    work
        Called with each block; has to release the GIL to gain anything.
    size
        Rows of a block.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for _ in pool.map(work, blocks(rows, size)):
            pass
