"""The bytes of mapping files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from calmap.errors import CacheError, NotInCacheError
from calmap.syntax.guard import MAX_CHARACTERS

MAX_BYTES = 4 * MAX_CHARACTERS
READ_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""To open a file that may be anything: a pipe that nobody writes to keeps nobody waiting."""


def read_bytes(path: Path | str) -> bytes:
    """Bytes of a file, no more than a mapping may have.

    Raises
    ------
    NotInCacheError
        If there is no such file.
    CacheError
        If it can't be read.
    """
    try:
        handle = os.open(path, READ_FLAGS)
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise CacheError(f"{path} is not an ordinary file")
            return _read(handle, min(state.st_size, MAX_BYTES) + 1)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise NotInCacheError(f"{path} does not exist") from None
    except OSError as error:
        raise CacheError(f"{path} can't be read: {error.strerror or error}") from error


def _read(handle: int, size: int) -> bytes:
    """So many bytes, fewer at the end of the file; one that grows meanwhile is read on."""
    data = os.read(handle, size)
    while len(data) == size and size <= MAX_BYTES:
        more = os.read(handle, MAX_BYTES + 1 - size)
        data, size = data + more, size + len(more)
        if not more:
            break
    return data
