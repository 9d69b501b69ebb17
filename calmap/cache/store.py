"""Files written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from calmap.errors import CacheError, FileChangedError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_HINTS = (
    ({errno.EACCES, errno.EPERM}, "its folder must be writable"),
    ({errno.EROFS}, "the file system is read-only"),
    ({errno.ENOSPC, errno.EDQUOT}, "the disk is full"),
)


def digest(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes, as `write_atomically` wants it."""
    return hashlib.sha256(data).hexdigest()


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
    try:
        new = _written(target, (data,) if isinstance(data, bytes) else data)
        try:
            if expected_sha256 is not None and not _is_unchanged(target, expected_sha256):
                _refuse_unless_same(new, target, path)
                return
            if guard is not None:
                guard()
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    except OSError as problem:
        hint = next((text for codes, text in _HINTS if problem.errno in codes), None)
        reason = problem.strerror or str(problem)
        raise CacheError(f"{path} can't be written: {reason}", hint) from problem
    _sync_folder(target.parent)


def _written(target: Path, chunks: Iterable[bytes]) -> Path:
    """A new file beside another one, with its permissions, safe on the disk."""
    mode = _permissions(target)
    new = target.with_name(f".{target.name[:200]}.{os.urandom(6).hex()}.tmp")
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
    return new


def _permissions(target: Path) -> int | None:
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


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the file system knows how.

    The new content is in place already, so that trouble here is none of the caller's.
    """
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
