"""Files that nothing needs any more, and that can be had again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from calmap.archive.sync.items import Item, Kind
from calmap.archive.sync.session import Session
from calmap.cache.references import safe_name
from calmap.cache.remote.listing import STATE
from calmap.cache.remote.partial import abandoned
from calmap.cache.remote.trouble import AbsentError, DamagedError
from calmap.cache.remote.verification import Proof, verify
from calmap.cache.store import file_digest, writing
from calmap.model.names import is_safe, mapping_kind

_ORDER = (".pmap", ".imap", ".rmap")


class Idle(NamedTuple):
    """A file that nothing needs.

    Parameters
    ----------
    path
        Where it is.
    size
        Length in bytes.
    known
        Whether the cache elsewhere has the very same, so that it can be fetched again.
    """

    path: Path
    size: int
    known: bool


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is to go, and what stays though nothing needs it."""

    going: tuple[Idle, ...] = ()
    staying: tuple[Idle, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that become free."""
        return sum(idle.size for idle in self.going)


def plan_pruning(
    session: Session, observatories: Iterable[str], needed: frozenset[Path], *, references: bool
) -> Pruning:
    """Files of telescopes that are not needed.

    Parameters
    ----------
    observatories
        The telescopes; files of others are left alone.
    needed
        Files that stay.
    references
        Whether to look at reference files too.

    Raises
    ------
    CacheError
        If folders can't be read, or the cache does not answer.
    """
    items = [
        item
        for name in observatories
        for item in (*(_references(session, name) if references else ()), *_mappings(session, name))
        if item.target not in needed
    ]
    found = sorted(session.each(items, lambda item: _idle(session, item)))
    going = sorted((idle for idle in found if idle.known), key=_rank)
    return Pruning(tuple(going), tuple(idle for idle in found if not idle.known))


def remove(pruning: Pruning) -> None:
    """Remove what is to go: references, then contexts, then what they name.

    Raises
    ------
    CacheError
        If a file can't be removed; those after it are still there.
    """
    for idle in pruning.going:
        with writing(idle.path, "removed"):
            idle.path.unlink(missing_ok=True)


def remove_abandoned(root: Path) -> int:
    """Remove what runs that were killed left on its way; how many files that were."""
    count = 0
    for path in list(abandoned(root)):
        with suppress(OSError):
            path.unlink()
            count += 1
    return count


def _rank(idle: Idle) -> tuple[int, str]:
    suffix = idle.path.suffix
    return (_ORDER.index(suffix) + 1 if suffix in _ORDER else 0, str(idle.path))


def _idle(session: Session, item: Item) -> Idle:
    with writing(item.target, "read"):
        size = item.target.stat().st_size
        try:
            return Idle(item.target, size, known=_is_elsewhere(session, item))
        except (AbsentError, DamagedError):
            return Idle(item.target, size, known=False)


def _is_elsewhere(session: Session, item: Item) -> bool:
    """Whether the cache elsewhere has the very same file; where no digest of it tells that, it is fetched.

    Raises
    ------
    AbsentError, DamagedError
        If there is no such file, or another one.
    OSError
        If the file can't be read.
    """
    place, expected = session.supply.expected(item.places)
    if session.supply.origin.is_same(place, item.target):
        return False
    if verify(item.target, item.name, expected) in (Proof.SHA256, Proof.MD5):
        return True
    scratch = session.supply.root / STATE / item.name
    with session.supply.fetched((place,), scratch) as (part, _):
        return file_digest(part) == file_digest(item.target)


def _mappings(session: Session, observatory: str) -> Iterator[Item]:
    folder = session.folder.mappings / safe_name(observatory, "telescope")
    for path in _files(folder):
        if mapping_kind(path.name):
            yield Item(Kind.MAPPING, path, session.catalogue.mapping_places(path.name, observatory))


def _references(session: Session, observatory: str) -> Iterator[Item]:
    """Files in the folders of references where references are: right in there, or one folder below."""
    top = session.folder.references / safe_name(observatory, "telescope")
    for path in _files(top):
        yield _reference(session, path, observatory, "")
    for folder in _folders(top):
        for path in _files(folder):
            yield _reference(session, path, observatory, folder.name)


def _reference(session: Session, path: Path, observatory: str, folder: str) -> Item:
    lead = f"references/{observatory}"
    same = f"{lead}/{folder}/{path.name}" if folder else f"{lead}/{path.name}"
    others = session.catalogue.reference_places(path.name, observatory, folder) if folder else ()
    return Item(Kind.REFERENCE, path, tuple(dict.fromkeys((same, f"{lead}/{path.name}", *others))))


def _files(folder: Path) -> Iterator[Path]:
    """Plain files in a folder; links and hidden files are nobody's to remove."""
    yield from (path for path, is_folder in _entries(folder) if not is_folder)


def _folders(folder: Path) -> Iterator[Path]:
    yield from (path for path, is_folder in _entries(folder) if is_folder)


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    with writing(folder, "read"):
        if folder.is_symlink() or not folder.is_dir():
            return []
        with os.scandir(folder) as entries:
            return sorted(
                (Path(entry.path), entry.is_dir(follow_symlinks=False))
                for entry in entries
                if is_safe(entry.name)
                and (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
            )
