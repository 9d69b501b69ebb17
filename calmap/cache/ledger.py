"""The folder ``.calmap`` of a cache: its lock, its journal and the changes that were made."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from calmap.cache.journal import HIGHEST, Journal, Record, damaged, read_record
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

    def is_there(self) -> bool:
        """True if the cache was ever changed.

        Raises
        ------
        CacheError
            If the cache can't be looked into.
        """
        with writing(self.folder, "read"):
            return self.folder.is_dir()

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
            with writing(path, "read"):
                is_link = path.is_symlink()
            if is_link:
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
        with writing(self._ignoring, "read"):
            is_said = self._ignoring.exists()
        if not is_said:
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
        """The changes that took place and whose record can be read, the newest first.

        Raises
        ------
        CacheError
            If it can't be seen which there are.
        """
        return tuple(found for found in self.survey() if isinstance(found, Record))

    def survey(self) -> tuple[Record | CacheError, ...]:
        """The changes that took place, the newest first; for one whose record can't be read, why.

        Raises
        ------
        CacheError
            If it can't be seen which there are.
        """
        return tuple(map(self._read, self._numbers()))

    def next_number(self) -> int:
        """Number for a new change.

        Raises
        ------
        CacheError
            If it can't be seen which there are, or there is one with a number that
            calmap never comes to.
        """
        last = max(self._numbers(), default=0)
        if last >= HIGHEST:
            raise CacheError(f"{self.change(last)} is of no change that calmap made", "remove it")
        return last + 1

    def tidy(self) -> None:
        """Forget the oldest changes, what those that were taken back had kept, and what never became one.

        Nothing depends on it: what can't be removed now is so after the next change.
        """
        with suppress(OSError, CacheError):
            numbers, records = self._numbers(), self.records()
            oldest = [record.number for record in records if record.undoes is None][KEPT - 1 : KEPT]
            known = {self.change(number) for number in numbers if [number] >= oldest}
            for folder in sorted(set(self._folders()) - known):
                _forget(folder)
            for left in self.folder.glob(".*.tmp"):
                _remove(left)
            for record in records:
                if record.undoes is not None:
                    self._drop_kept(record.number)
                    self._drop_kept(record.undoes)

    def _drop_kept(self, number: int) -> None:
        for kept in self.change(number).glob("old-*"):
            _remove(kept)

    def _read(self, number: int) -> Record | CacheError:
        try:
            record = read_record(self.archive(number))
        except CacheError as problem:
            return problem
        return record if record.number == number else damaged(self.archive(number))

    def _numbers(self) -> list[int]:
        """Numbers of the changes that took place, the highest first."""
        with writing(self._changes, "read"):
            present = [path for path in self._folders() if (path / _RECORD).exists()]
        numbers = {path: int(path.name) for path in present}
        return sorted(
            (number for path, number in numbers.items() if path == self.change(number)), reverse=True
        )

    def _folders(self) -> tuple[Path, ...]:
        """The folders of changes, those too that never took place."""
        with writing(self._changes, "read"):
            try:
                return tuple(path for path in self._changes.iterdir() if path.name.isdecimal())
            except FileNotFoundError:
                return ()


def _forget(folder: Path) -> None:
    """Remove the folder of a change, its record first, if that can be done."""
    record = folder / _RECORD
    with suppress(OSError):
        if record.is_dir() and not record.is_symlink():
            shutil.rmtree(record)
        else:
            record.unlink(missing_ok=True)
        shutil.rmtree(folder)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
