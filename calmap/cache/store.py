"""Files written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
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


def write_atomically(path: Path, data: bytes, expected_sha256: str | None = None) -> None:
    """Give a file new content; a reader sees the old or the new one, never a part.

    A symbolic link stays one: the file that it leads to is written.

    Parameters
    ----------
    path
        The file; its permissions are kept.
    data
        All it shall hold.
    expected_sha256
        Hash of what the file must hold still, or None to write in any case.

    Raises
    ------
    FileChangedError
        If the file no longer holds what was read.
    CacheError
        If it can't be written; the old content is then intact.
    """
    try:
        _replace(Path(os.path.realpath(path)), path, data, expected_sha256)
    except OSError as problem:
        hint = next((text for codes, text in _HINTS if problem.errno in codes), None)
        reason = problem.strerror or str(problem)
        raise CacheError(f"{path} can't be written: {reason}", hint) from problem


def _replace(target: Path, path: Path, data: bytes, expected: str | None) -> None:
    mode = _permissions(target)
    new = target.with_name(f".{target.name[:200]}.{os.urandom(6).hex()}.tmp")
    try:
        with os.fdopen(os.open(new, _NEW, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            if mode is not None:
                new.chmod(mode)
            os.fsync(file.fileno())
        if expected is not None:
            _guard(target, path, expected)
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _permissions(target: Path) -> int | None:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None


def _guard(target: Path, path: Path, expected: str) -> None:
    try:
        present = digest(target.read_bytes())
    except FileNotFoundError:
        present = ""
    if present != expected:
        raise FileChangedError(f"{path} has changed since it was read", hint="nothing was written; try again")


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the file system knows how."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
