"""The folder ``.calmap`` of a cache: its lock, its journal and the changes that were made."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from calmap.cache.journal import Journal, Record, read_record
from calmap.cache.places import LEDGER
from calmap.cache.store import sync_folder, write_atomically, writing
from calmap.errors import CacheError

KEPT = 20
_IGNORED = b"*\n"
_RECORD = "record"


class Ledger:
    """What is kept of the changes of a cache.

    Parameters
    ----------
    root
        The folder of the cache.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / LEDGER
        self.lock = self.folder / "lock"
        self.journal = Journal(self.folder / "journal")
        self._changes = self.folder / "changes"
        self._ignoring = self.folder / ".gitignore"

    def set_up(self) -> None:
        """Make the folder.

        A link in it, such as a repository of strangers may bring along, would have
        files written and removed elsewhere.

        Raises
        ------
        CacheError
            If it can't be made, or there is a link.
        """
        own = (self.folder, self.lock, self.journal.path, self._ignoring, self._changes)
        for path in (*own, *self._folders()):
            if path.is_symlink():
                raise CacheError(f"{path} is a link", "remove it; calmap keeps its own files there")
        with writing(self.folder, "made"), suppress(FileExistsError):
            self.folder.mkdir()
            sync_folder(self.folder.parent)

    def ignore(self) -> None:
        """Have git ignore the folder.

        Raises
        ------
        CacheError
            If it can't be said in the folder.
        """
        if not self._ignoring.exists():
            write_atomically(self._ignoring, _IGNORED)

    def change(self, number: int) -> Path:
        """The folder of a change."""
        return self._changes / f"{number:06}"

    def begin(self, number: int) -> Path:
        """The folder of a new change, empty whatever was left there.

        Raises
        ------
        CacheError
            If it can't be made.
        """
        folder = self.change(number)
        with writing(folder, "made"):
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
        return folder

    def archive(self, number: int) -> Path:
        """The record of a change that took place."""
        return self.change(number) / _RECORD

    def records(self) -> tuple[Record, ...]:
        """The changes that took place, the newest first.

        Raises
        ------
        CacheError
            If one can't be read.
        """
        return tuple(read_record(self.archive(number)) for number in self._numbers())

    def next_number(self) -> int:
        """Number for a new change."""
        return max(self._numbers(), default=0) + 1

    def tidy(self) -> None:
        """Forget the oldest changes, what those that were taken back had kept, and what never became one.

        Nothing depends on it: what can't be removed now is so after the next change.
        """
        with suppress(OSError, CacheError):
            records = self.records()
            oldest = [record.number for record in records if record.undoes is None][:KEPT][-1:]
            known = {self.change(record.number) for record in records if [record.number] >= oldest}
            for folder in sorted(set(self._folders()) - known):
                (folder / _RECORD).unlink(missing_ok=True)
                shutil.rmtree(folder)
            for left in self.folder.glob(".*.tmp"):
                left.unlink()
            for record in records:
                if record.undoes is not None:
                    self._drop_kept(record.number)
                    self._drop_kept(record.undoes)

    def _drop_kept(self, number: int) -> None:
        if self.change(number).is_dir():
            for kept in self.change(number).glob("old-*"):
                kept.unlink()

    def _numbers(self) -> list[int]:
        """Numbers of the changes that took place, the highest first."""
        with writing(self._changes, "read"):
            found = [int(path.name) for path in self._folders() if (path / _RECORD).exists()]
        return sorted(found, reverse=True)

    def _folders(self) -> tuple[Path, ...]:
        """The folders of changes, those too that never took place."""
        with writing(self._changes, "read"):
            try:
                return tuple(path for path in self._changes.iterdir() if path.name.isdecimal())
            except FileNotFoundError:
                return ()
