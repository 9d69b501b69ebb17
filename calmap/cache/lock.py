"""One change of a cache at a time.

The lock is the operating system's, on a file that says who holds it: it goes
when its process ends, however that ends. On network file systems it holds among
machines where the servers pass locks on, as NFS 4 does, and NFS 3 with lockd.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from calmap.cache.store import writing
from calmap.errors import CacheError

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
_PATIENCE = 1.0
_PAUSES = (0.002, 0.005, 0.01, 0.02, 0.05)
_LONGEST = 4096


class Owner(NamedTuple):
    """Who changes a cache."""

    user: str
    host: str
    process: int
    title: str
    since: float

    def __str__(self) -> str:
        seconds = round(max(time.time() - self.since, 0))
        what = f"process {self.process}, '{self.title}'" if self.title else f"process {self.process}"
        return f"{self.user} on {self.host} ({what}) for {seconds} second{'' if seconds == 1 else 's'}"


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30

    def _lock(handle: int, *, shared: bool = False) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

    def _user() -> str:
        return os.getlogin()

else:
    import fcntl

    def _lock(handle: int, *, shared: bool = False) -> None:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)

    def _user() -> str:
        import pwd

        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            return f"user {os.getuid()}"


@contextmanager
def locked(
    path: Path,
    title: str,
    *,
    wait: float,
    waiting: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold a lock.

    Parameters
    ----------
    path
        File of the lock; made if it is not there, and never removed.
    title
        What it is held for, told to others that want it.
    wait
        Seconds to wait for one holder; where many queue, each that gets it
        starts them anew.
    waiting
        Called once with who holds it, when that takes over a second.

    Raises
    ------
    CacheError
        If somebody else holds it all that time, or the file can't be used.
    """
    with writing(path):
        handle = os.open(path, _FLAGS, 0o666)
    try:
        _acquire(handle, path, wait, waiting)
        try:
            _refuse_other(handle, path)
            _sign(handle, title)
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(handle, 0)
            _unlock(handle)
    finally:
        os.close(handle)


def hold(handle: int) -> bool:
    """Lock an open file until it is closed; False if somebody else holds it, or it can't be locked."""
    try:
        _lock(handle)
    except OSError:
        return False
    return True


def is_held(path: Path) -> bool:
    """True if somebody holds a lock now; nothing is written."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        _lock(handle, shared=True)
        _unlock(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def owner(path: Path) -> Owner | None:
    """Who wrote into the file of a lock last, if it can be told."""
    try:
        values = json.loads(path.read_text("utf-8"))
        user, host, process, title, since = (values[name] for name in Owner._fields)
        return Owner(str(user), str(host), int(process), str(title), float(since))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _acquire(handle: int, path: Path, wait: float, waiting: Callable[[str], None] | None) -> None:
    start = since = time.monotonic()
    holder: Owner | None = None
    tries = 0
    while not _taken(handle, path):
        now, present = time.monotonic(), owner(path)
        if present is not None and present != holder:
            holder, since = present, now
        if now - since >= wait:
            raise _busy(path, holder)
        if waiting is not None and now - start >= _PATIENCE:
            waiting(_busy(path, holder).message)
            waiting = None
        time.sleep(min(_PAUSES[min(tries, len(_PAUSES) - 1)], max(wait, 0.001)))
        tries += 1


def _taken(handle: int, path: Path) -> bool:
    try:
        _lock(handle)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as problem:
        hint = "its file system must know locks"
        raise CacheError(f"{path} can't be locked: {problem.strerror or problem}", hint) from problem
    return True


def _refuse_other(handle: int, path: Path) -> None:
    """A file that was removed, or removed and made anew, locks nothing."""
    try:
        same = os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        same = False
    if not same:
        raise CacheError(f"{path} was removed by somebody", "nothing was changed; try again")


def _busy(path: Path, holder: Owner | None) -> CacheError:
    who = str(holder) if holder else "another process"
    hint = "try again when it is done"
    if holder:
        hint += f"; if process {holder.process} on {holder.host} hangs, end it"
    return CacheError(f"the cache {path.parent.parent} is being changed by {who}", hint)


def _sign(handle: int, title: str) -> None:
    """Say who holds the lock; where there is no room even for that, it is held all the same."""
    with suppress(OSError):
        signer = Owner(_user(), socket.gethostname(), os.getpid(), title[:_LONGEST], time.time())
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(signer._asdict()).encode("ascii"))
