"""What a change is going to do, written down before it is done."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from calmap.cache.store import digest, is_path, sync_folder, writing
from calmap.errors import CacheError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
_OVER = os.O_WRONLY | getattr(os, "O_BINARY", 0)
HIGHEST = 999_999_999
_COMMITTED, _ABANDONED = b"+", b"-"


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one file.

    Parameters
    ----------
    place
        The file, as `calmap.cache.places.Places` names it.
    before, after
        Hash of its content; None where it is not there.
    staged
        Name of the hidden file beside it that holds its new content; empty if it
        is to go.
    kept
        Name under which its old content is kept; empty if there was none.
    """

    place: str
    before: str | None
    after: str | None
    staged: str
    kept: str


@dataclass(frozen=True, slots=True)
class Record:
    """A change, in the order in which its steps are taken.

    Parameters
    ----------
    number
        Its number, one more than that of the change before it.
    title
        What it is, for people.
    steps
        What becomes of each file.
    makes
        Folders that it makes, the outermost first.
    leaves
        Folders that it removes if nothing is in them, the innermost first.
    undoes
        Number of the change that it takes back, or None.
    chosen
        Folders that are used in place of those of the cache, with their names.
    """

    number: int
    title: str
    steps: tuple[Step, ...]
    makes: tuple[str, ...]
    leaves: tuple[str, ...]
    undoes: int | None
    chosen: tuple[tuple[str, str], ...]


class State(Enum):
    """How far a change has come."""

    TORN = "nothing was done yet"
    BEGUN = "files are made ready"
    COMMITTED = "files are put in place"
    ABANDONED = "files are put back"


class Journal:
    """The change that is being made, in a file of two lines.

    The first is the record and its hash. The second, that hash again, is added
    when every file is ready: from then on the change is made. Its first byte
    becomes another when the change has to be taken back after all.

    Parameters
    ----------
    path
        The file, there only while a change is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, record: Record) -> None:
        """Write down a change; nothing of it may be done before.

        Raises
        ------
        CacheError
            If it can't be written.
        """
        with writing(self.path):
            _write(self.path, _NEW, _line(record))
            sync_folder(self.path.parent)

    def commit(self, record: Record) -> None:
        """Note that every file is ready.

        Raises
        ------
        CacheError
            If it can't be written; whether it is noted is open then.
        """
        with writing(self.path):
            _write(self.path, _APPEND, _COMMITTED + _line(record)[:64] + b"\n")

    def abandon(self) -> None:
        """Note, if every file was ready, that the change is to be taken back.

        Raises
        ------
        CacheError
            If it can't be written.
        """
        with writing(self.path):
            data = self.path.read_bytes()
            if _state(data) is State.COMMITTED:
                _write(self.path, _OVER, _ABANDONED, at=data.index(b"\n") + 1)

    def discard(self) -> None:
        """Remove the journal, as the last thing of a change that did not take place.

        Raises
        ------
        CacheError
            If it can't be removed.
        """
        with writing(self.path, "removed"):
            self.path.unlink(missing_ok=True)
        _settle(self.path.parent)

    def close(self, archive: Path) -> None:
        """Make the journal the record of a change that took place, as the last thing of it.

        Raises
        ------
        CacheError
            If it can't be moved.
        """
        with writing(archive):
            self.path.replace(archive)
        _settle(archive.parent, self.path.parent)

    def read(self) -> tuple[Record | None, State] | None:
        """The change that was begun and how far it came, or None if none was.

        Raises
        ------
        CacheError
            If it can't be read, or was damaged after it was written.
        """
        with writing(self.path, "read"):
            try:
                data = self.path.read_bytes()
            except FileNotFoundError:
                return None
        record, state = _record(data), _state(data)
        if record is None and state is not State.TORN:
            raise CacheError(
                f"the journal {self.path} of an interrupted change is damaged",
                "restore the cache from a copy or by git, then remove the journal",
            )
        return record, state


def read_record(path: Path) -> Record:
    """The record of a change that took place.

    Raises
    ------
    CacheError
        If it can't be read or is damaged.
    """
    with writing(path, "read"):
        record = _record(path.read_bytes())
    if record is None:
        raise damaged(path)
    return record


def damaged(path: Path) -> CacheError:
    """What to say of the record of a change that is not as calmap made it."""
    return CacheError(f"the record {path} of a change is damaged", "remove its folder to go on without it")


def _line(record: Record) -> bytes:
    text = json.dumps(asdict(record), sort_keys=True).encode("ascii")
    return digest(text).encode("ascii") + b" " + text + b"\n"


def _state(data: bytes) -> State:
    first, newline, second = data.partition(b"\n")
    if not newline:
        return State.TORN
    if second[1:] != first[:64] + b"\n":
        return State.BEGUN if _record(data) else State.TORN
    return State.ABANDONED if second[:1] == _ABANDONED else State.COMMITTED


def _record(data: bytes) -> Record | None:
    """The record in a journal, or None if not all of it is there."""
    first, newline, _ = data.partition(b"\n")
    mark, _, text = first.partition(b" ")
    if not newline or digest(text).encode("ascii") != mark:
        return None
    try:
        values = json.loads(text)
        steps = tuple(Step(**step) for step in values.pop("steps"))
        chosen = tuple((name, folder) for name, folder in values.pop("chosen"))
        makes, leaves = tuple(values.pop("makes")), tuple(values.pop("leaves"))
        record = Record(steps=steps, chosen=chosen, makes=makes, leaves=leaves, **values)
        return record if _is_sound(record) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _is_sound(record: Record) -> bool:
    """False if it is not of calmap's making; what is in a repository may be of anybody's."""
    paths = (*record.makes, *record.leaves, *(text for pair in record.chosen for text in pair))
    return (
        _is_number(record.number)
        and (record.undoes is None or _is_number(record.undoes))
        and isinstance(record.title, str)
        and all(map(is_path, paths))
        and all(map(_is_sound_step, record.steps))
    )


def _is_sound_step(step: Step) -> bool:
    names = (step.staged, step.kept)
    return (
        is_path(step.place)
        and all(isinstance(checksum, str | None) for checksum in (step.before, step.after))
        and all(name == "" or (is_path(name) and _is_plain(name)) for name in names)
    )


def _is_plain(name: str) -> bool:
    return name not in (".", "..") and not {"/", "\\"} & {*name}


def _is_number(value: object) -> bool:
    """True for what can be the number of a change; JSON's true is an int to Python."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= HIGHEST


def _settle(*folders: Path) -> None:
    """Make what has happened already last; if that fails, it has happened all the same."""
    for folder in folders:
        with suppress(OSError):
            sync_folder(folder)


def _write(path: Path, flags: int, data: bytes, *, at: int | None = None) -> None:
    handle = os.open(path, flags, 0o666)
    try:
        with os.fdopen(handle, "wb", buffering=0, closefd=False) as file:
            if at is not None:
                file.seek(at)
            while data:
                data = data[file.write(data) :]
        os.fsync(handle)
    finally:
        os.close(handle)
