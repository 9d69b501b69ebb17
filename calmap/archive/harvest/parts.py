"""What a harvest has read so far, kept beside its output until that is complete."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pyarrow as pa

from calmap.archive.harvest.table import ROWS, Output, harvested_keywords, writing_table
from calmap.cache.lock import is_held, locked, owner
from calmap.cache.store import permissions, sync_folder, writing
from calmap.errors import CacheError, UsageError

_PATIENCE = 10.0
_SHARE = 0.01
_SUFFIX = ".parquet"
_FRESH, _LOCK, _UNFINISHED = "fresh", "lock", ".tmp"


class Parts:
    """Rows read, in finished files of their own.

    A part is finished after so many rows, or after ten seconds or a hundredth of
    the time that the run has taken, whichever is longer: that much is lost at most
    if the run is killed, and the number of parts stays small.

    Parameters
    ----------
    folder
        Where they are.
    schema
        Their columns.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder = folder
        self._schema = schema
        self._rows: list[pa.Table] = []
        self._count = 0
        self._start = self._last = time.monotonic()
        self._number = max((int(path.stem) for path in self.paths() if path.stem.isdecimal()), default=-1) + 1

    def paths(self) -> tuple[Path, ...]:
        """The parts that are finished, the newest first."""
        return tuple(sorted(self.folder.glob(f"*{_SUFFIX}"), reverse=True))

    @property
    def is_fresh(self) -> bool:
        """True if an earlier table shall not be used."""
        return (self.folder / _FRESH).exists()

    def begin_anew(self) -> None:
        """Forget all that was read before, also in the table that is to be replaced."""
        with writing(self.folder, "emptied"):
            for path in self.paths():
                path.unlink()
            (self.folder / _FRESH).touch()

    def refuse_others(self, keywords: tuple[str, ...]) -> None:
        """See that what is there has the keywords wanted; damaged parts are left alone.

        Raises
        ------
        UsageError
            If a part lacks some.
        """
        for path in self.paths():
            with writing(path, "read"):
                found = harvested_keywords(path)
            lacking = sorted(set(keywords) - set(keywords if found is None else found))
            if lacking:
                raise UsageError(
                    f"{self.folder} is from an unfinished harvest without {_some(lacking)}",
                    "finish that first with the same options, or read everything again with --fresh",
                )

    def add(self, table: pa.Table) -> None:
        """Take rows that were read; now and then a part is finished."""
        self._rows.append(table)
        self._count += table.num_rows
        now = time.monotonic()
        if self._count >= ROWS or now - self._last > max(_PATIENCE, _SHARE * (now - self._start)):
            self.finish()

    def finish(self) -> None:
        """Finish a part of what was not kept yet.

        Raises
        ------
        CacheError
            If it can't be written.
        """
        if not self._count:
            return
        path = self.folder / f"{self._number:08d}{_SUFFIX}"
        new = self.folder / f"{path.name}{_UNFINISHED}"
        with new_file(path, new) as file, writing_table(file, self._schema) as output:
            for table in self._rows:
                output.write(table)
        self._number += 1
        self._rows, self._count, self._last = [], 0, time.monotonic()

    @contextmanager
    def output(self, target: Path) -> Iterator[Output]:
        """The table itself; it takes its place when it is complete."""
        with (
            new_file(target, self.folder / f"output{_UNFINISHED}") as file,
            writing_table(file, self._schema, target.suffix.lower()) as output,
        ):
            yield output

    def remove(self) -> None:
        """Remove the parts, which are needed no more."""
        with suppress(OSError):
            for path in (*self.paths(), self.folder / _FRESH, self.folder / _LOCK):
                path.unlink(missing_ok=True)
            self.folder.rmdir()


@contextmanager
def opened_parts(target: Path, schema: pa.Schema) -> Iterator[Parts]:
    """The parts of an output, for one process at a time.

    Raises
    ------
    CacheError
        If another process writes the same output, or the folder can't be written.
    """
    folder = target.with_name(f"{target.name}.parts")
    lock = folder / _LOCK
    with writing(folder, "made"):
        folder.mkdir(exist_ok=True)
    if is_held(lock):
        who = owner(lock) or "another process"
        raise CacheError(f"{target} is being harvested by {who}", "try again when it is done")
    with locked(lock, f"harvest of {target.name}", wait=1):
        for path in folder.glob(f"*{_UNFINISHED}"):
            path.unlink(missing_ok=True)
        parts = Parts(folder, schema)
        try:
            yield parts
        finally:
            if not (parts.paths() or parts.is_fresh):
                parts.remove()


@contextmanager
def new_file(path: Path, new: Path) -> Iterator[IO[bytes]]:
    """A file that takes its place when it is written, and safe on the disk.

    Raises
    ------
    CacheError
        If it can't be written; what was in its place stays.
    """
    with writing(path):
        try:
            with new.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            mode = permissions(path)
            if mode is not None:
                new.chmod(mode)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    with suppress(OSError):
        sync_folder(path.parent)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
