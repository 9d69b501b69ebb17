"""Changes of a cache: all files of one appear together or not at all.

A change is written to a journal before anything is done, its files are put
beside their places, then the journal is marked, and then each file takes its
place in an order in which no reader finds one that names another that is
missing. Whatever breaks off a change, the next one first finishes it if the
mark is there, and takes it back if not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.interrupts import deferred
from calmap.cache.journal import Record, State, Step
from calmap.cache.layout import Layout
from calmap.cache.ledger import Ledger
from calmap.cache.lock import is_held, locked
from calmap.cache.places import Places
from calmap.cache.steps import Workshop
from calmap.cache.store import digest, file_digest, hidden_name, writing
from calmap.errors import CacheError, CalmapError, FileChangedError

WAIT = 30.0
_LEFT = "once that is mended, run 'calmap undo --recover' before anything else"
_RANKS = {".rmap": 1, ".imap": 2, ".pmap": 3}


@dataclass(frozen=True, slots=True)
class FileChange:
    """What shall become of one file.

    Parameters
    ----------
    path
        The file, in one of the folders of the cache; a link stays one, and what
        it leads to is changed.
    content
        What it shall hold, or a file to copy; None removes it.
    expected
        Hash (`calmap.cache.store.digest`) of what must be there still; None if
        nothing may be there yet. A file that is as it shall be is done.
    copied
        Hash of what the file to copy must hold, if it was read before.
    """

    path: Path
    content: bytes | Path | None
    expected: str | None
    copied: str | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """A change that was made.

    Parameters
    ----------
    number
        Its number, or None if there was nothing to do.
    title
        What it was called.
    paths
        Files that were written or removed, in the order in which that was done.
    """

    number: int | None
    title: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Recovered:
    """A change that was broken off, and what became of it.

    Parameters
    ----------
    title
        What it was called; empty if it had not even begun.
    completed
        True if it was finished, False if it was taken back.
    """

    title: str
    completed: bool


class Transaction:
    """The means to change a cache, while nobody else can.

    Parameters
    ----------
    layout
        The cache.

    Attributes
    ----------
    recovered
        The change that was found broken off before this one, or None.
    """

    def __init__(self, layout: Layout) -> None:
        self._places = Places.of(layout)
        self._ledger = Ledger(layout.root)
        self.recovered = self._recover()

    def commit(
        self,
        title: str,
        changes: Sequence[FileChange],
        *,
        undoes: int | None = None,
        leaves: tuple[str, ...] = (),
    ) -> Committed:
        """Make a change; all of it is done when this returns, and nothing if it raises.

        Parameters
        ----------
        title
            What it is, for people.
        changes
            What becomes of each file; if all are as they shall be, nothing is done.
        undoes
            Number of another change that it takes back.
        leaves
            Folders to remove if nothing is in them then, the innermost first.

        Raises
        ------
        ValueError
            If two of them are of one file.
        FileChangedError
            If a file is no longer what it must be.
        CacheError
            If a file is outside the cache, can't be read, or can't be written.
        """
        self._recover()
        planned = self._planned(changes)
        if not planned and undoes is None:
            return Committed(None, title, ())
        steps = tuple(step for step, _ in planned)
        record = Record(
            number=self._ledger.next_number(),
            title=title,
            steps=steps,
            makes=self._missing_folders(steps),
            leaves=leaves,
            undoes=undoes,
            chosen=tuple(sorted(self._places.chosen.items())),
        )
        self._carry_out(record, {step.place: content for step, content in planned if content is not None})
        return Committed(record.number, title, tuple(self._places.path(step.place) for step in steps))

    def _planned(self, changes: Sequence[FileChange]) -> list[tuple[Step, bytes | Path | None]]:
        """The steps that have to be taken: first what is named by what comes later, last what is to go."""
        steps: dict[str, tuple[Step, bytes | Path | None] | None] = {}
        for change in changes:
            place = self._places.place(change.path)
            if place in steps:
                raise ValueError(f"two changes of {change.path}")
            steps[place] = self._step(place, change, f"old-{len(steps)}")
        return sorted(filter(None, steps.values()), key=lambda pair: _order(pair[0]))

    def _step(self, place: str, change: FileChange, kept: str) -> tuple[Step, bytes | Path | None] | None:
        if change.content is None and change.path.is_symlink():
            raise CacheError(f"{change.path} is a link, and can't be removed", "remove it by hand")
        path, content = self._places.path(place), change.content
        with writing(change.path, "read"):
            before = file_digest(path)
        if isinstance(content, Path):
            with writing(content, "read"):
                after = file_digest(content)
            if after is None:
                raise CacheError(f"{content} is not there")
            if change.copied not in (None, after):
                raise FileChangedError(
                    f"{content} has changed since it was read", hint="nothing was written; try again"
                )
        else:
            after = None if content is None else digest(content)
        if before == after:
            return None
        if before != change.expected:
            what = "is there already" if change.expected is None else "has changed since it was read"
            raise FileChangedError(f"{change.path} {what}", hint="nothing was written; try again")
        staged = "" if after is None else hidden_name(path.name)
        return Step(place, before, after, staged, "" if before is None else kept), content

    def _missing_folders(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Folders that have to be made, the outermost first."""
        paths = (self._places.path(step.place) for step in steps if step.staged)
        folders = dict.fromkeys(folder for path in paths for folder in self._places.missing_folders(path))
        return tuple(map(self._places.folder_place, folders))

    def _carry_out(self, record: Record, contents: dict[str, bytes | Path]) -> None:
        journal = self._ledger.journal
        with deferred() as pause:
            workshop = Workshop(self._places, self._ledger, pause)
            try:
                journal.begin(record)
                workshop.prepare(record, contents)
                journal.commit(record)
                workshop.finish(record)
                journal.close(self._ledger.archive(record.number))
            except BaseException as problem:
                with suppress(CalmapError):
                    journal.abandon()
                with suppress(CalmapError):
                    self._take_back(record)
                if isinstance(problem, CalmapError) and journal.path.exists():
                    problem.hint = "; ".join(filter(None, (problem.hint, _LEFT)))
                raise
            self._ledger.tidy()

    def _recover(self) -> Recovered | None:
        """Finish or take back a change that was broken off."""
        journal = self._ledger.journal
        found = journal.read()
        if found is None:
            return None
        record, state = found
        with deferred():
            if record is None:
                journal.discard()
                return Recovered("", completed=False)
            self._refuse_other_folders(record)
            if state is State.COMMITTED:
                Workshop(self._places, self._ledger).finish(record)
                journal.close(self._ledger.archive(record.number))
                self._ledger.tidy()
            else:
                self._take_back(record)
        return Recovered(record.title, completed=state is State.COMMITTED)

    def _take_back(self, record: Record) -> None:
        """Leave everything as it was; the journal goes last."""
        found = self._ledger.journal.read()
        state = found[1] if found else State.TORN
        if state is State.COMMITTED:
            return
        if state is not State.TORN:
            workshop = Workshop(self._places, self._ledger)
            workshop.take_back(record, taken=state is State.ABANDONED)
        self._ledger.journal.discard()
        self._ledger.tidy()

    def _refuse_other_folders(self, record: Record) -> None:
        if dict(record.chosen) != self._places.chosen:
            then = ", ".join(f"{name} in {folder}" for name, folder in record.chosen) or "its own folders"
            raise CacheError(
                f"the interrupted change '{record.title}' of {self._places.root} was made with {then}",
                "use the same settings once to finish it or take it back",
            )


@contextmanager
def changing(
    layout: Layout,
    *,
    title: str = "",
    wait: float = WAIT,
    waiting: Callable[[str], None] | None = None,
) -> Iterator[Transaction]:
    """Lock a cache for a change, finish or take back one that was broken off, and give the means to make one.

    Parameters
    ----------
    layout
        The cache.
    title
        What is going on, told to others that have to wait.
    wait
        Seconds to wait for the same other change.
    waiting
        Called once with who makes it, when that takes over a second.

    Raises
    ------
    CacheError
        If the cache is locked all that time, or can't be written to; or a change
        that was broken off can't be finished.
    """
    if layout.origin:
        raise CacheError(
            f"the cache {layout.origin} is not changed from here",
            "change it where it is a folder, or a copy that 'calmap sync --from' makes",
        )
    layout.require_files()
    with writing(layout.root, "read"):
        is_there = layout.root.is_dir()
    if not is_there:
        raise CacheError(f"there is no cache {layout.root}", "choose another with --cache")
    ledger = Ledger(layout.root)
    ledger.set_up()
    with locked(ledger.lock, title, wait=wait, waiting=waiting):
        ledger.ignore()
        yield Transaction(layout)


def recover(
    layout: Layout, *, wait: float = WAIT, waiting: Callable[[str], None] | None = None
) -> Recovered | None:
    """Finish or take back a change that was broken off; None if there was none.

    Raises
    ------
    CacheError
        As `changing`.
    """
    if not Ledger(layout.root).journal.path.exists():
        return None
    with changing(layout, title="recovery", wait=wait, waiting=waiting) as transaction:
        return transaction.recovered


def interrupted(layout: Layout) -> str | None:
    """What to say of a change that was broken off, or None; nothing is written."""
    ledger = Ledger(layout.root)
    if not ledger.journal.path.exists() or is_held(ledger.lock) or not ledger.journal.path.exists():
        return None
    try:
        found = ledger.journal.read()
    except CalmapError as problem:
        return str(problem)
    record = found[0] if found else None
    named = f"the change '{record.title}'" if record else "a change"
    return f"{named} of the cache {layout.root} was interrupted; run 'calmap undo --recover'"


def _order(step: Step) -> tuple[bool, int, str]:
    rank = _RANKS.get(step.place[-5:], 0)
    return (False, rank, step.place) if step.staged else (True, -rank, step.place)
