"""Files that are on their way: hidden beside their places, and locked by who fetches them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from calmap.cache.lock import hold, is_held
from calmap.cache.store import sync_folder, writing
from calmap.errors import CacheError

_PART: Final = re.compile(r"\..+\.[0-9a-f]{12}\.part")
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_ELSEWHERE: Final = "for mirrors of caches CALMAP_MIRRORS names another folder"
_DAY: Final = 86_400.0


@contextmanager
def arriving(target: Path) -> Iterator[Path]:
    """A new empty file beside a place; nothing is left of it at the end unless `settle` moved it there.

    Raises
    ------
    CacheError
        If its folder can't be written to.
    """
    part = target.with_name(f".{target.name[:200]}.{os.urandom(6).hex()}.part")
    try:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(part, _FLAGS, 0o666)
    except CacheError as problem:
        raise CacheError(problem.message, problem.hint or _ELSEWHERE) from problem.__cause__
    try:
        hold(handle)
        yield part
    finally:
        os.close(handle)
        with suppress(OSError):
            part.unlink(missing_ok=True)


def settle(part: Path, target: Path) -> None:
    """Put a file that has come in its place, safe on the disk.

    Raises
    ------
    CacheError
        If that can't be done.
    """
    with writing(target):
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    with suppress(OSError):
        sync_folder(target.parent)


def abandoned(folder: Path) -> Iterator[Path]:
    """What was left on its way by processes that have ended, in a folder and all below it."""
    for place, _, names in os.walk(folder):
        for name in filter(_PART.fullmatch, names):
            path = Path(place, name)
            with suppress(OSError):
                if not is_held(path) or time.time() - path.stat().st_mtime > _DAY:
                    yield path
