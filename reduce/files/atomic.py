"""Files that are there completely or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from itertools import count
from pathlib import Path

from reduce.errors import OutputError


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[FileIO]:
    """A file to write into, which gets its name when all of it is on the disk.

    Until then it has another name in the same folder. If anything goes wrong nothing is left of it, and what
    was there before stays as it was.

    Parameters
    ----------
    path
        Its name.
    overwrite
        Whether it may replace a file.

    Raises
    ------
    OutputError
        If the file exists and may not be replaced, also if it came into being meanwhile; or if it can't be
        written, for lack of space or of permission.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder", "name a file")
    if not overwrite and os.path.lexists(path):
        raise _exists(path)
    try:
        stream = _part(path)
    except OSError as problem:
        raise _failed(path, problem) from problem
    part = Path(str(stream.name))
    try:
        with stream:
            yield stream
            os.fsync(stream.fileno())
        _name(part, path, overwrite=overwrite)
        _sync_folder(path.parent)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as problem:
        raise _failed(path, problem) from problem
    finally:
        with suppress(OSError):
            part.unlink()


def give_name(draft: Path, path: Path, *, overwrite: bool) -> None:
    """Give a file that is whole, in a folder of the same file system, the name that it is meant to have.

    Raises
    ------
    OutputError
        As `new_file`.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder", "name a file")
    try:
        _name(draft, path, overwrite=overwrite)
        _sync_folder(path.parent)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as problem:
        raise _failed(path, problem) from problem


def write_all(stream: FileIO, data: memoryview | bytes) -> None:
    """Write all of some bytes: a stream without a buffer may take fewer at a time."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[stream.write(rest) :]


def _part(path: Path) -> FileIO:
    """A new file beside another, under a name that nobody has."""
    for number in count():
        with suppress(FileExistsError):
            return FileIO(path.with_name(f".{path.name[:100]}.{os.getpid()}-{number}.part"), "xb")
    raise AssertionError


def _name(part: Path, path: Path, *, overwrite: bool) -> None:
    """Give a finished file its name; without `overwrite` nobody else's file is lost, whenever it came."""
    if overwrite:
        part.replace(path)
        return
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError as problem:
        if problem.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        path.open("xb").close()
        part.replace(path)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path} exists", "name another file, or allow it to be overwritten")


def _failed(path: Path, problem: OSError) -> OutputError:
    reasons = {
        errno.ENOSPC: ("the disk is full", "make space, or name another folder"),
        errno.EDQUOT: ("the quota of the disk is used up", "make space, or name another folder"),
        errno.EFBIG: ("it is larger than a file may be here", "raise the limit, or name another folder"),
        errno.ENOENT: (f"there is no folder {path.parent}", "make it first"),
    }
    reason, hint = reasons.get(problem.errno or 0, (problem.strerror or str(problem), None))
    return OutputError(f"{path} can't be written: {reason}", hint)
