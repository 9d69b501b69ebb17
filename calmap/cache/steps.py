"""The steps of a change: made ready, taken, and taken back.

Each can be broken off anywhere and begun anew; what is done already stays so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.journal import Record, Step
from calmap.cache.ledger import Ledger
from calmap.cache.places import Places
from calmap.cache.store import file_digest, permissions, sync_folder, write_new, writing
from calmap.errors import CacheError, FileChangedError

_PIECE = 1 << 20
_RESTORE = "restore the cache from a copy or by git, then remove its folder .calmap"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where the steps of a change are taken.

    Parameters
    ----------
    places
        The folders of the cache.
    ledger
        What is kept of its changes.
    pause
        Called now and then while files are made ready; what it raises stops that.
    """

    places: Places
    ledger: Ledger
    pause: Callable[[], None] = lambda: None

    def prepare(self, record: Record, contents: dict[str, bytes | Path]) -> None:
        """Keep what is there, and put the new files beside the places they shall take.

        Parameters
        ----------
        record
            The change, which stands in the journal.
        contents
            What each place shall hold: bytes, or a file to copy.

        Raises
        ------
        CacheError
            If there is no room, or a file was changed meanwhile.
        """
        own = self.ledger.begin(record.number)
        touched = [own, own.parent, self.ledger.folder]
        for place in record.makes:
            folder = self.places.folder(place)
            with writing(folder, "made"):
                folder.mkdir(exist_ok=True)
            touched += (folder, folder.parent)
        for step in record.steps:
            self.pause()
            path = self.places.path(step.place)
            if step.kept:
                with writing(path, "kept"):
                    self._doubled(path, own / step.kept, step.before)
            if step.staged:
                with writing(path):
                    self._stage(path, step, contents[step.place])
            touched.append(path.parent)
        for folder in dict.fromkeys(touched):
            with writing(folder):
                sync_folder(folder)
        self.pause()

    def finish(self, record: Record) -> None:
        """Take all steps that are not taken yet.

        Raises
        ------
        FileChangedError
            If a file is neither as it was nor as it shall be.
        CacheError
            If the system refuses.
        """
        for step in record.steps:
            self._take(step, record)
        for folder in dict.fromkeys(self.places.path(step.place).parent for step in record.steps):
            with writing(folder):
                sync_folder(folder)
        self._leave(record.leaves)

    def take_back(self, record: Record, *, taken: bool) -> None:
        """Leave everything as it was before the change.

        Parameters
        ----------
        record
            The change.
        taken
            True if some of its steps may be taken already. A file that somebody
            changed after that is left alone.

        Raises
        ------
        CacheError
            If the system refuses.
        """
        for place in reversed(record.leaves if taken else ()):
            folder = self.places.folder(place)
            with writing(folder, "made"):
                folder.mkdir(exist_ok=True)
        for step in reversed(record.steps):
            path = self.places.path(step.place)
            with writing(path, "put back"):
                if taken:
                    self._restore(path, step, record)
                if step.staged:
                    path.with_name(step.staged).unlink(missing_ok=True)
        for folder in dict.fromkeys(self.places.path(step.place).parent for step in record.steps):
            with suppress(OSError):
                sync_folder(folder)
        self._leave(tuple(reversed(record.makes)))

    def _stage(self, path: Path, step: Step, content: bytes | Path) -> None:
        new = path.with_name(step.staged)
        if isinstance(content, bytes):
            write_new(new, (content,), permissions(path))
        elif self.ledger.folder in content.parents:
            self._doubled(content, new, step.after)
        else:
            self._copied(content, new, step.after, permissions(path))

    def _doubled(self, path: Path, other: Path, expected: str | None) -> None:
        """Give a file a second name that stays when it is replaced, or make a copy.

        A file with more names already is copied: writing to one of them would
        change what is kept.
        """
        try:
            linked = path.stat().st_nlink == 1
            if linked:
                os.link(path, other)
        except OSError:
            linked = False
        if linked:
            _sync(other)
        else:
            self._copied(path, other, expected, permissions(path))

    def _copied(self, path: Path, other: Path, expected: str | None, mode: int | None) -> None:
        checksum = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    self.pause()
                    checksum.update(piece)
                    yield piece

        write_new(other, pieces(), mode)
        if checksum.hexdigest() != expected:
            raise FileChangedError(
                f"{path} was changed while it was copied", "nothing was changed; try again"
            )

    def _take(self, step: Step, record: Record) -> None:
        path = self.places.path(step.place)
        new = path.with_name(step.staged) if step.staged else None
        with writing(path, "written" if new else "removed"):
            present = file_digest(path)
            if present == step.after:
                if new is not None:
                    new.unlink(missing_ok=True)
            elif present != step.before and present is not None:
                raise self._changed(path, step, record)
            elif new is None:
                path.unlink(missing_ok=True)
            elif file_digest(new) == step.after:
                new.replace(path)
            else:
                raise CacheError(
                    f"{new}, the new content of {path}, is damaged or gone", self._advice(step, record)
                )

    def _restore(self, path: Path, step: Step, record: Record) -> None:
        present = file_digest(path)
        if present == step.before:
            return
        if step.before is None:
            if present == step.after:
                path.unlink()
        elif present in (step.after, None):
            spare = path.with_name(step.staged or f".{path.name[:200]}.{step.kept}.tmp")
            spare.unlink(missing_ok=True)
            kept = self.ledger.change(record.number) / step.kept
            if file_digest(kept) != step.before:
                raise CacheError(f"{kept}, which {path} was before, is damaged or gone", _RESTORE)
            self._doubled(kept, spare, step.before)
            spare.replace(path)

    def _changed(self, path: Path, step: Step, record: Record) -> FileChangedError:
        return FileChangedError(
            f"{path} was changed by somebody else during '{record.title}'", self._advice(step, record)
        )

    def _advice(self, step: Step, record: Record) -> str:
        kept = self.ledger.change(record.number) / step.kept
        told = f"; what it was is in {kept}" if step.kept else ""
        return f"move it out of the cache, then run 'calmap undo --recover'{told}"

    def _leave(self, folders: tuple[str, ...]) -> None:
        """Remove folders that are empty now."""
        for place in folders:
            with suppress(OSError):
                self.places.folder(place).rmdir()


def _sync(path: Path) -> None:
    """Make the content of a file last, whoever wrote it."""
    handle = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
