"""Compiled mappings kept between runs, by what they were compiled from.

An entry's name is the SHA-1 of the mapping's text and a digest of what else it
depends on, and it stands in a folder of the compiler's version; so an entry is
never out of date. Whatever is wrong with one, it counts as if it weren't there.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from calmap.cache.store import hidden_name
from calmap.compile.packed import FORMAT
from calmap.model.text import READ_FLAGS
from calmap.version import VERSION

COMPILER = f"{VERSION}-{FORMAT}-{sys.byteorder}"
MAX_BYTES = 512 * 2**20
_MAGIC = b"calmap compiled\n"
_DIGEST = 32
_DAY = 86_400
_ENTRY = re.compile(r"[0-9a-f]{40}-[0-9a-f]{16}\Z")
_STRAY = re.compile(r"\.[0-9a-f]{40}-[0-9a-f]{16}\.[0-9a-f]{12}\.tmp\Z")
_PART = re.compile(r"[0-9a-f]{2}\Z")
_FOLDER = re.compile(r"[0-9A-Za-z.+]{1,64}-[0-9]{1,6}-(little|big)\Z")


class Kept(NamedTuple):
    """What a store holds.

    Parameters
    ----------
    entries, size
        Number of compiled mappings, and their bytes.
    others, others_size
        Those of other versions of calmap.
    """

    entries: int
    size: int
    others: int
    others_size: int


@dataclass(frozen=True, slots=True)
class CompiledStore:
    """A folder of compiled mappings, shared by all processes of a user; without a folder, nothing is kept.

    Parameters
    ----------
    folder
        Where they are.
    limit
        Bytes that they may take; the oldest make room for new ones.
    """

    folder: Path | None
    limit: int = MAX_BYTES

    def get(self, key: str) -> memoryview | None:
        """An entry, or None if there is none that is whole."""
        if self.folder is None:
            return None
        path = f"{self.folder}/{COMPILER}/{key[:2]}/{key}"
        found = _read(path)
        body = unsealed(key, found[0]) if found else None
        if body is not None and found and time.time() - found[1] > _DAY:
            with suppress(OSError):
                os.utime(path)
        return body

    def put(self, key: str, body: bytes) -> None:
        """Keep an entry; where that is not possible, nothing happens."""
        path = self._path(key)
        if path is None:
            return
        new = path.with_name(hidden_name(path.name))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                new.write_bytes(sealed(key, body))
                new.replace(path)
            finally:
                new.unlink(missing_ok=True)
        except OSError:
            return
        if key.startswith("0"):
            self._prune()

    def kept(self) -> Kept:
        """What there is.

        Raises
        ------
        OSError
            If the folder can't be read.
        """
        found = [(path.parent.parent.name == COMPILER, size) for path, size, _ in self._entries() if size]
        mine = [size for own, size in found if own]
        others = [size for own, size in found if not own]
        return Kept(len(mine), sum(mine), len(others), sum(others))

    def clear(self) -> Kept:
        """Remove every entry, those of other versions too, and nothing else; returns what there was.

        Raises
        ------
        OSError
            If one can't be removed.
        """
        before = self.kept()
        for path, _, _ in self._entries(strays=True):
            path.unlink(missing_ok=True)
        for version in self._versions():
            for folder in (*_folders(version, _PART), version):
                with suppress(OSError):
                    folder.rmdir()
        return before

    def _path(self, key: str) -> Path | None:
        return None if self.folder is None else self.folder / COMPILER / key[:2] / key

    def _versions(self) -> Iterator[Path]:
        if self.folder is not None and self.folder.is_dir():
            yield from _folders(self.folder, _FOLDER)

    def _entries(self, *, strays: bool = False) -> Iterator[tuple[Path, int, float]]:
        """Entries with their size and age, and files that a process left behind when it was killed."""
        folders = (folder for version in self._versions() for folder in _folders(version, _PART))
        for file in (file for folder in folders for file in _listed(folder)):
            if _ENTRY.match(file.name) or (strays and _STRAY.match(file.name)):
                with suppress(FileNotFoundError):
                    state = file.stat(follow_symlinks=False)
                    if stat.S_ISREG(state.st_mode):
                        yield Path(file.path), state.st_size, state.st_mtime

    def _prune(self) -> None:
        """Remove the oldest entries if there are too many; the last tenth of the room is made free."""
        with suppress(OSError):
            entries = sorted(self._entries(strays=True), key=lambda entry: (entry[2], entry[0].name))
            excess = sum(size for _, size, _ in entries) - self.limit
            if excess <= 0:
                return
            excess += self.limit // 10
            for path, size, _ in entries:
                if excess <= 0:
                    return
                path.unlink(missing_ok=True)
                excess -= size


NO_STORE = CompiledStore(None)


def entry_key(text: bytes, *uses: str) -> str:
    """Name of the entry of what is compiled from a text, and from whatever else it uses."""
    return f"{hashlib.sha1(text, usedforsecurity=False).hexdigest()}-{_others(uses)}"


@lru_cache(maxsize=64)
def _others(uses: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(uses).encode()).hexdigest()[:16]


def sealed(key: str, body: bytes) -> bytes:
    """An entry with what tells damage, and that it is the one of a name."""
    return b"".join((_MAGIC, _seal(key, body), body))


def unsealed(key: str, data: bytes) -> memoryview | None:
    """The entry that was sealed, or None if it is damaged, another or something else."""
    body = memoryview(data)[len(_MAGIC) + _DIGEST :]
    seal = data[len(_MAGIC) : len(_MAGIC) + _DIGEST]
    return body if data.startswith(_MAGIC) and _seal(key, body) == seal else None


def _read(path: str) -> tuple[bytes, float] | None:
    """What a file holds, and when it was written; None if it can't be read or is too large for an entry."""
    try:
        handle = os.open(path, READ_FLAGS)
        try:
            state = os.fstat(handle)
            is_fit = state.st_size <= MAX_BYTES
            return (os.read(handle, state.st_size), state.st_mtime) if is_fit else None
        finally:
            os.close(handle)
    except OSError:
        return None


def _folders(folder: Path, wanted: re.Pattern[str]) -> list[Path]:
    """Folders of some names in a folder; links to others are not ours."""
    return [
        Path(entry.path)
        for entry in _listed(folder)
        if wanted.match(entry.name) and entry.is_dir(follow_symlinks=False)
    ]


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, in alphabetical order; nothing if somebody else has just removed it."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _seal(key: str, body: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(f"{key}\n".encode())
    digest.update(body)
    return digest.digest()
