"""What is known of a file before it is read: that it is an ordinary one, and how it is packed."""

from __future__ import annotations

import bz2
import gzip
import stat
import zlib
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias, cast

from reduce.errors import DataError
from reduce.files.structure import CUT_OFF

Packing: TypeAlias = Literal["gzip", "bzip2"]
_MARKS: Final = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"))
_AT_ONCE: Final = 1 << 20
UNPACKING_FAILED: Final = (OSError, EOFError, ValueError, zlib.error)
"""What packed files that are damaged raise while they are read."""


def require_ordinary(path: Path) -> None:
    """Refuse what is not an ordinary file before it is opened: that may take for ever.

    Raises
    ------
    DataError
        If it is not there, or is a folder, a device, a pipe or a socket.
    """
    try:
        mode = path.stat().st_mode
    except OSError as problem:
        raise DataError(f"{path} can't be read: {problem.strerror}") from problem
    if stat.S_ISDIR(mode):
        raise DataError(f"{path} can't be read: Is a directory")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path} is not an ordinary file but a device, a pipe or a socket")


def packing_of(start: bytes) -> Packing | None:
    """How a file is packed, by its first bytes; None if it is not."""
    return next((cast(Packing, packing) for mark, packing in _MARKS if start.startswith(mark)), None)


def unpacked(path: Path, packing: Packing) -> IO[bytes]:
    """A packed file as a stream of what is in it; reading it may raise `UNPACKING_FAILED`."""
    return cast(IO[bytes], gzip.open(path) if packing == "gzip" else bz2.open(path))


def require_unpackable(path: Path, packing: Packing) -> None:
    """Read a packed file to its end, where its own checksum is.

    Raises
    ------
    DataError
        If it is cut off or damaged.
    """
    try:
        with unpacked(path, packing) as stream:
            while stream.read(_AT_ONCE):
                pass
    except UNPACKING_FAILED as problem:
        raise damaged(path, problem) from problem


def damaged(path: Path, problem: BaseException) -> DataError:
    """The error for a packed file that can't be unpacked."""
    return DataError(f"{path} is cut off or damaged: {problem}", CUT_OFF)
