"""The changes that a cache has seen, and taking back the last of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.journal import Record, Step, damaged
from calmap.cache.layout import Layout
from calmap.cache.ledger import Ledger
from calmap.cache.occurrences import occurrences
from calmap.cache.places import Places
from calmap.cache.store import file_digest, writing
from calmap.cache.transaction import WAIT, FileChange, changing, interrupted
from calmap.errors import CacheError, FileChangedError

_REASONS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that was made.

    Parameters
    ----------
    number
        Its number.
    title
        What it was called.
    undone
        True if it was taken back.
    added, replaced, removed
        The files, as places in the cache such as ``mappings/hst/hst_0001.pmap``.
    """

    number: int
    title: str
    undone: bool
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back, or would be.

    Parameters
    ----------
    title
        What it was called.
    number
        Its number, or None if it was broken off and never took place.
    removed, restored
        Files that are gone again, and files that are as they were; not those
        that were so before.
    """

    title: str
    number: int | None
    removed: tuple[Path, ...]
    restored: tuple[Path, ...]


def history(layout: Layout) -> tuple[Entry, ...]:
    """The last changes of a cache that can be read, the newest first; nothing is written.

    Raises
    ------
    CacheError
        If it can't be seen which there are.
    """
    records = Ledger(layout.root).records()
    taken_back = {record.undoes for record in records}
    return tuple(_entry(record, record.number in taken_back) for record in records if record.undoes is None)


def unreadable(layout: Layout) -> tuple[CacheError, ...]:
    """What is wrong with changes that `history` leaves out, the newest first.

    Raises
    ------
    CacheError
        If it can't be seen which there are.
    """
    return tuple(found for found in Ledger(layout.root).survey() if isinstance(found, CacheError))


def undo(
    layout: Layout,
    *,
    dry_run: bool = False,
    wait: float = WAIT,
    waiting: Callable[[str], None] | None = None,
) -> Undone:
    """Take back the last change that was not taken back yet; or one that was broken off before its end.

    Parameters
    ----------
    layout
        The cache.
    dry_run
        Only tell what would be done.
    wait, waiting
        As `changing`.

    Raises
    ------
    FileChangedError
        If a file was changed since.
    CacheError
        If there is no change, another mapping names a file that would go, or as
        `changing`.
    """
    if dry_run:
        pending = interrupted(layout)
        if pending:
            raise CacheError(pending)
        return _told(layout, _last(layout))
    if not Ledger(layout.root).is_there():
        _last(layout)
    with changing(layout, title="undo", wait=wait, waiting=waiting) as transaction:
        broken = transaction.recovered
        if broken is not None and not broken.completed:
            return Undone(broken.title, None, (), ())
        record = _last(layout)
        told = _told(layout, record)
        changes = [_reverse(step, record, layout) for step in record.steps]
        title = f"undo of change {record.number}: {record.title}"
        transaction.commit(title, changes, undoes=record.number, leaves=tuple(reversed(record.makes)))
    return told


def _reverse(step: Step, record: Record, layout: Layout) -> FileChange:
    path = Places.of(layout).path(step.place)
    if not step.kept:
        return FileChange(path, None, step.after)
    kept = Ledger(layout.root).change(record.number) / step.kept
    with writing(kept, "read"):
        intact = file_digest(kept) == step.before
    if not intact:
        raise CacheError(f"{kept}, which {path} was before change {record.number}, is damaged or gone")
    return FileChange(path, kept, step.after)


def _entry(record: Record, undone: bool) -> Entry:
    def places(wanted: Callable[[Step], bool]) -> tuple[str, ...]:
        return tuple(step.place for step in record.steps if wanted(step))

    return Entry(
        record.number,
        record.title,
        undone,
        added=places(lambda step: step.before is None),
        replaced=places(lambda step: step.before is not None and step.after is not None),
        removed=places(lambda step: step.after is None),
    )


def _last(layout: Layout) -> Record:
    """The last change that was not taken back; what an undo takes back is always older than itself."""
    taken_back = set()
    for found in Ledger(layout.root).survey():
        if isinstance(found, CacheError):
            raise found
        if found.undoes is not None:
            taken_back.add(found.undoes)
        elif found.number not in taken_back:
            return found
    raise CacheError(f"there is no change of the cache {layout.root} to take back")


def _told(layout: Layout, record: Record) -> Undone:
    """What taking back a change means, once it is sure that it does no harm."""
    places = Places.of(layout)
    if dict(record.chosen) != places.chosen:
        then = (
            ", ".join(f"{name} in {folder}" for name, folder in record.chosen) or "the folders of the cache"
        )
        raise CacheError(
            f"change {record.number} ('{record.title}') was made with {then}",
            "undo it with the same settings",
        )
    if len({places.path(step.place) for step in record.steps}) < len(record.steps):
        raise damaged(Ledger(layout.root).archive(record.number))
    undone = _to_undo(record, places)
    added = tuple(places.path(step.place) for step in undone if step.before is None)
    _refuse_named(record, layout, places, added)
    restored = tuple(places.path(step.place) for step in undone if step.before is not None)
    return Undone(record.title, record.number, added, restored)


def _to_undo(record: Record, places: Places) -> tuple[Step, ...]:
    """The steps whose files are not as before the change already, by git switch, say."""
    undone, changed = [], []
    for step in record.steps:
        path = places.path(step.place)
        with writing(path, "read"):
            present = file_digest(path)
        if present == step.after:
            undone.append(step)
        elif present != step.before:
            changed.append(f"{path} was {'changed' if present else 'removed'} since")
    if changed:
        raise FileChangedError(
            _refusal(record, changed), "nothing was undone; put them back as they were first"
        )
    return tuple(undone)


def _refuse_named(record: Record, layout: Layout, places: Places, added: tuple[Path, ...]) -> None:
    own = {str(places.path(step.place)) for step in record.steps}
    with writing(layout.mappings, "read"):
        has_mappings = bool(added) and layout.mappings.is_dir()
    present = layout.mapping_files() if has_mappings else ()
    others = [path for path in present if str(path.resolve()) not in own]
    found = occurrences(others, frozenset(path.name for path in added))
    named = [f"{place.name} is named in line {place.line} of {place.mapping}" for place in found]
    if named:
        raise CacheError(_refusal(record, named), "nothing was undone; take these rules out first")


def _refusal(record: Record, reasons: list[str]) -> str:
    shown = reasons[:_REASONS]
    if len(reasons) > _REASONS:
        shown.append(f"{len(reasons) - _REASONS} more such")
    return f"change {record.number} ('{record.title}') can't be taken back: {'; '.join(shown)}"
