"""The sha256 of files, each read once."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from reduce.errors import DataError
from reduce.files.integrity import checked_sha256
from reduce.kernels.acceleration import in_threads

_State: TypeAlias = tuple[int, int, int]
"""What changes if a file is written again: inode, size, and time of the change in ns."""


@dataclass(frozen=True, slots=True)
class Hashes:
    """Remembers the sha256 of files for as long as they do not change."""

    _known: dict[Path, tuple[_State, str]] = field(default_factory=dict)

    def of(self, path: Path) -> str:
        """The sha256 of a file, in hexadecimal.

        Raises
        ------
        DataError
            If it can't be read, or its data have changed since their checksum was written.
        """
        state = _state(path)
        known = self._known.get(path)
        if known is None or known[0] != state:
            known = self._known[path] = (state, checked_sha256(path))
        return known[1]

    def add(self, paths: Iterable[Path]) -> None:
        """Hash several files at once; what can't be read is told when it is asked for."""
        for _ in in_threads(self._tried, paths):
            pass

    def _tried(self, path: Path) -> None:
        with suppress(DataError):
            self.of(path)


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError as problem:
        raise DataError(f"{path} can't be read: {problem.strerror}") from problem
    return found.st_ino, found.st_size, found.st_mtime_ns
