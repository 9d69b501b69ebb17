"""Files fetched side by side: many at once, each whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from calmap.archive.sync.items import Fate, Item, Kind, Outcome
from calmap.archive.sync.proving import own_proof
from calmap.cache.layout import Layout
from calmap.cache.references import MODE_FILE, ReferenceFolder
from calmap.cache.remote.catalogue import Catalogue
from calmap.cache.remote.mirror import Mirror
from calmap.cache.remote.partial import settle
from calmap.cache.remote.supply import Supply
from calmap.cache.remote.trouble import AbsentError, DamagedError, ForbiddenError, UnreachableError
from calmap.cache.remote.verification import Expected, verify
from calmap.cache.store import file_digest, writing
from calmap.errors import CacheError, CalmapError

Thing = TypeVar("Thing")
Done = TypeVar("Done")
_ENOUGH = 8
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Care:
    """How much is done to the files that are here, and how.

    Parameters
    ----------
    check
        Whether to read and verify every file that is here; mappings are in any case.
    repair
        Whether to replace what is damaged by what the cache elsewhere has.
    dry_run
        Whether only to tell what would be done.
    jobs
        How many files are worked on at once.
    """

    check: bool = False
    repair: bool = False
    dry_run: bool = False
    jobs: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """One run between a cache elsewhere and a folder here.

    Parameters
    ----------
    folder
        The folder here.
    mirror
        The same folder, or in a dry run another one for what has to be looked at.
    care
        What is done.
    """

    folder: Layout
    mirror: Mirror
    care: Care
    _stop: threading.Event = field(default_factory=threading.Event)
    _failures: list[str] = field(default_factory=list)

    @property
    def catalogue(self) -> Catalogue:
        """What the cache elsewhere has."""
        return self.mirror.catalogue

    @property
    def supply(self) -> Supply:
        """The way to it."""
        return self.mirror.catalogue.supply

    def reference_folder(self, observatory: str) -> ReferenceFolder:
        """Where reference files are to be."""
        known = self.mirror.reference_folder(observatory)
        if not self.care.dry_run:
            return known
        folder = self.folder.references / observatory
        there = folder.is_dir() or (self.folder.config_of(observatory) / MODE_FILE).exists()
        return self.folder.reference_folder(observatory) if there else replace(known, folder=folder)

    def mapping_item(self, name: str, observatory: str) -> Item:
        """A mapping that is to be here."""
        places = self.catalogue.mapping_places(name, observatory)
        found = Layout.find_mapping(self.folder, name, observatory)
        if found is None:
            found = self._mappings(observatory) / name
        return Item(Kind.MAPPING, found, places)

    def _mappings(self, observatory: str) -> Path:
        """Where mappings of a telescope are to be: in a folder of their own, unless others are beside it."""
        top, own = self.folder.mappings, self.folder.mappings / observatory
        beside = top.is_dir() and not own.is_dir() and bool(self.folder.contexts(observatory))
        return top if beside else own

    def each(self, things: Iterable[Thing], do: Callable[[Thing], Done]) -> Iterator[Done]:
        """What becomes of things, several at once, in the order in which they are done."""
        pool = ThreadPoolExecutor(self.care.jobs, "calmap-sync")
        running: set[Future[Done]] = set()
        try:
            for thing in things:
                running.add(pool.submit(do, thing))
                while len(running) >= _AHEAD * self.care.jobs:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BaseException:
            self._stop.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def attend(self, item: Item) -> Outcome:
        """See to a file: fetch it, verify it, repair it, as far as that is wanted."""
        try:
            with writing(item.target, "read"):
                is_there = item.target.is_file()
            if not is_there:
                return self._missing(item)
            outcome = self._present(item)
            if outcome.fate is Fate.DAMAGED and self.care.repair and not self.care.dry_run:
                return self._mended(item, outcome)
            return outcome
        except ForbiddenError as problem:
            return Outcome(item, Fate.FAILED, note=str(problem))
        except AbsentError as problem:
            return Outcome(item, Fate.ABSENT, note=str(problem))
        except DamagedError as problem:
            return Outcome(item, Fate.DAMAGED, note=str(problem))
        except CalmapError as problem:
            self._count(problem)
            return Outcome(item, Fate.FAILED, note=str(problem))

    def _missing(self, item: Item) -> Outcome:
        self._refuse_more()
        if not self.care.dry_run:
            return self._fetched(item, Fate.FETCHED)
        _, expected = self.supply.expected(item.places)
        return Outcome(item, Fate.MISSING, expected.size or 0)

    def _present(self, item: Item) -> Outcome:
        size = item.target.stat().st_size
        if not self.care.check and item.kind is Kind.REFERENCE:
            return Outcome(item, Fate.KEPT, size)
        try:
            with writing(item.target, "read"):
                proof = verify(item.target, item.name, self._known(item))
            proof, note = own_proof(item.target, item.name, proof) if self.care.check else (proof, "")
        except DamagedError as problem:
            return Outcome(item, Fate.DAMAGED, size, note=str(problem))
        return Outcome(item, Fate.DAMAGED if note else Fate.KEPT, size, proof, note)

    def _known(self, item: Item) -> Expected:
        """What a file that is here must be, as far as that can be known."""
        try:
            listed = self.supply.manifest()
            if listed is None and item.kind is Kind.MAPPING:
                return Expected()
            return self.supply.expected(item.places)[1]
        except AbsentError:
            return Expected()
        except UnreachableError as problem:
            self._count(problem)
            return Expected()

    def _fetched(self, item: Item, fate: Fate) -> Outcome:
        with self.supply.fetched(item.places, item.target) as (part, found):
            proof, note = own_proof(part, item.name, found.proof)
            settle(part, item.target)
        self._failures.clear()
        return Outcome(item, fate, found.size, proof, note)

    def _mended(self, item: Item, damaged: Outcome) -> Outcome:
        """A damaged file replaced, unless the cache elsewhere has the very same."""
        with self.supply.fetched(item.places, item.target) as (part, found):
            with writing(item.target, "read"):
                same = file_digest(part) == file_digest(item.target)
            proof, note = own_proof(part, item.name, found.proof)
            if same:
                return Outcome(item, Fate.KEPT, found.size, proof, f"{note or damaged.note}, there as here")
            settle(part, item.target)
        return Outcome(item, Fate.REPAIRED, found.size, proof, damaged.note)

    def _count(self, problem: CalmapError) -> None:
        if isinstance(problem, UnreachableError) and problem.passing:
            self._failures.append(problem.message)

    def _refuse_more(self) -> None:
        """Stop asking a cache that has not answered for a while."""
        if self._stop.is_set():
            raise CacheError("it was not fetched, as the run was ended")
        if len(self._failures) >= _ENOUGH:
            raise CacheError("it was not tried, as the cache has not answered", self._failures[-1])


@contextmanager
def opened_session(
    mirror: Mirror, care: Care, received: Callable[[int], None] | None = None
) -> Iterator[Session]:
    """A run between a cache elsewhere and the folder of a mirror.

    Parameters
    ----------
    received
        Called with the number of bytes of each piece that comes, from any thread.
    """
    stop = threading.Event()

    def passed(count: int) -> None:
        if stop.is_set() and count > 0:
            raise CacheError("it was not fetched, as the run was ended")
        if received is not None:
            received(count)

    folder = Layout(mirror.root)
    old = mirror.catalogue.supply
    if not care.dry_run:
        catalogue = Catalogue(Supply.between(old.origin, mirror.root, passed, old.patience))
        yield Session(folder, replace(mirror, catalogue=catalogue), care, stop)
        return
    with TemporaryDirectory(prefix="calmap-") as scratch:
        root = Path(scratch)
        catalogue = Catalogue(Supply.between(old.origin, root, passed, old.patience))
        yield Session(folder, Mirror(root, catalogue=catalogue), care, stop)
