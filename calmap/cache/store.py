"""Files written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from calmap.errors import CacheError, FileChangedError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_HINTS = (
    ({errno.EACCES, errno.EPERM}, "its folder must be writable"),
    ({errno.EROFS}, "the file system is read-only"),
    ({errno.ENOSPC, errno.EDQUOT}, "the disk is full"),
)
_READ_HINTS = (({errno.EACCES, errno.EPERM}, "it and the folders above it must be readable"),)
_UNKNOWN = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF}


def digest(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes, as `write_atomically` wants it."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str | None:
    """Hexadecimal SHA-256 of a file, or None if it is not there.

    Raises
    ------
    OSError
        If it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_path(value: object) -> bool:
    """True for text that the system takes for the name of a file, be it there or not."""
    try:
        return isinstance(value, str) and bool(value) and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


@contextmanager
def writing(path: Path, done: str = "written") -> Iterator[None]:
    """Tell trouble of the system as trouble with a file of the cache.

    Parameters
    ----------
    path
        The file.
    done
        What can't be done with it then.

    Raises
    ------
    CacheError
        For every `OSError` inside.
    """
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or str(problem)
        known = _READ_HINTS if done == "read" else _HINTS
        hints = (text for codes, text in known if problem.errno in codes)
        raise CacheError(f"{path} can't be {done}: {reason}", next(hints, None)) from problem


def write_atomically(
    path: Path,
    data: bytes | Iterable[bytes],
    expected_sha256: str | None = None,
    *,
    guard: Callable[[], None] | None = None,
) -> None:
    """Give a file new content; a reader sees the old or the new one, never a part.

    A symbolic link stays one: the file that it leads to is written.

    Parameters
    ----------
    path
        The file; its permissions are kept.
    data
        All it shall hold, whole or in pieces.
    expected_sha256
        Hash of what the file must hold still, or None to write in any case.
        A file that holds the new content already is as it shall be.
    guard
        Called when all is ready, right before the new content takes the place
        of the old; what it raises keeps the old.

    Raises
    ------
    FileChangedError
        If the file no longer holds what was read.
    CacheError
        If it can't be written; the old content is then intact.
    """
    target = Path(os.path.realpath(path))
    with writing(path):
        new = target.with_name(hidden_name(target.name))
        write_new(new, (data,) if isinstance(data, bytes) else data, permissions(target))
        try:
            if expected_sha256 is not None and not _is_unchanged(target, expected_sha256):
                _refuse_unless_same(new, target, path)
                return
            if guard is not None:
                guard()
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    with suppress(OSError):
        sync_folder(target.parent)


def hidden_name(name: str) -> str:
    """A name for a file that shall be beside another one until it takes its place."""
    return f".{name[:200]}.{os.urandom(6).hex()}.tmp"


def write_new(new: Path, chunks: Iterable[bytes], mode: int | None) -> None:
    """Make a file that is not there yet, safe on the disk; nothing is left of one that can't be written.

    Raises
    ------
    OSError
        If it can't be written.
    """
    handle = os.open(new, _NEW, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            if mode is not None:
                new.chmod(mode)
            os.fsync(file.fileno())
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def permissions(target: Path) -> int | None:
    """Permissions of a file, or None if it is not there."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None


def _is_unchanged(target: Path, expected: str) -> bool:
    try:
        return digest(target.read_bytes()) == expected
    except FileNotFoundError:
        return False


def _refuse_unless_same(new: Path, target: Path, path: Path) -> None:
    """Somebody else may have written the very same."""
    if not _is_unchanged(target, digest(new.read_bytes())):
        raise FileChangedError(f"{path} has changed since it was read", hint="nothing was written; try again")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut, where the system knows how.

    Raises
    ------
    OSError
        If the disk fails.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    except OSError as problem:
        if problem.errno not in _UNKNOWN:
            raise
    finally:
        os.close(handle)
