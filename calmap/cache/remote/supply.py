"""Files that come from a cache elsewhere: fetched, verified, and only then put in their places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from calmap.cache.remote.listing import Listing
from calmap.cache.remote.manifest import FILE_NAME, Manifest
from calmap.cache.remote.origin import Origin
from calmap.cache.remote.partial import arriving, settle
from calmap.cache.remote.patience import Patience
from calmap.cache.remote.trouble import AbsentError, DamagedError, ForbiddenError, UnreachableError
from calmap.cache.remote.verification import Expected, Proof, verify
from calmap.cache.store import writing
from calmap.errors import CacheError
from calmap.model.names import mapping_kind
from calmap.model.text import MAX_BYTES

Result = TypeVar("Result")


class Fetched(NamedTuple):
    """A file that came.

    Parameters
    ----------
    place
        Where it was, below the root of the cache.
    size
        Its length in bytes.
    proof
        What shows that it is right.
    """

    place: str
    size: int
    proof: Proof


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """The way from a cache elsewhere to a folder here; `Supply.between` makes one.

    Parameters
    ----------
    listing
        The list of checksums of the cache.
    received
        Called with the number of bytes of each piece that comes, from any
        thread; what has to come again is taken back with a negative number.
    """

    listing: Listing
    received: Callable[[int], None] | None = None

    @classmethod
    def between(
        cls,
        origin: Origin,
        root: Path,
        received: Callable[[int], None] | None = None,
        patience: Patience | None = None,
    ) -> Supply:
        """The way from a cache to a folder."""
        return cls(Listing(origin, root, patience or Patience()), received)

    @property
    def origin(self) -> Origin:
        """The cache."""
        return self.listing.origin

    @property
    def root(self) -> Path:
        """The folder here."""
        return self.listing.root

    @property
    def patience(self) -> Patience:
        """How often something is tried again."""
        return self.listing.patience

    def manifest(self, *, fresh: bool = False) -> Manifest | None:
        """The list of checksums of the cache, or None, as `Listing.manifest`."""
        return self.listing.manifest(fresh=fresh)

    def expected(self, places: Sequence[str]) -> tuple[str, Expected]:
        """Which of some places has a file, and what is known of it.

        Raises
        ------
        AbsentError
            If none has it.
        CacheError
            If that can't be found out.
        """
        listed = self.manifest()
        if listed is not None:
            for place in places:
                if place in listed.digests:
                    return place, Expected(sha256=listed.digests[place])
            raise AbsentError(f"{self.origin.shown(places[0])} is not listed in {FILE_NAME} there")
        return self._first(places, self._asked)

    def fetch(self, places: Sequence[str], target: Path) -> Fetched:
        """Fetch a file from the first of some places that has it.

        Parameters
        ----------
        places
            Where it may be, below the root of the cache.
        target
            Where it shall be; what is there is replaced, by nothing that was not verified.

        Raises
        ------
        AbsentError
            If the cache does not have it.
        DamagedError
            If what comes is not what it ought to be.
        CacheError
            If it can't be fetched or written.
        """
        with self.fetched(places, target) as (part, found):
            settle(part, target)
        return found

    @contextmanager
    def fetched(self, places: Sequence[str], target: Path) -> Iterator[tuple[Path, Fetched]]:
        """As `fetch`, but gives the file beside its place, and removes it at the end if it is there still."""
        with arriving(target) as part:
            try:
                found = self._fetched(places, part, target.name)
            except (AbsentError, DamagedError) as problem:
                if not self._is_outdated(problem):
                    raise
                found = self._fetched(places, part, target.name)
            yield part, found

    def _is_outdated(self, problem: CacheError) -> bool:
        """Whether something went wrong by a list that is no longer that of the cache."""
        try:
            return self.listing.has_newer()
        except UnreachableError:
            raise problem from None

    def _fetched(self, places: Sequence[str], part: Path, name: str) -> Fetched:
        if mapping_kind(name) and self.manifest() is None:
            return self._first(places, lambda place: self._downloaded(place, part, name, Expected()))
        place, expected = self.expected(places)
        try:
            return self._downloaded(place, part, name, expected)
        except DamagedError:
            if expected.md5 is None or self.origin.has_md5(place):
                raise
            return self._downloaded(place, part, name, expected._replace(md5=None))

    def _first(self, places: Sequence[str], ask: Callable[[str], Result]) -> Result:
        """The answer for the first place where something is."""
        told = AbsentError(f"{self.origin.shown(places[0])} is not there")
        for place in places:
            try:
                return ask(place)
            except ForbiddenError as problem:
                told = problem
            except AbsentError:
                continue
        raise told

    def _asked(self, place: str) -> tuple[str, Expected]:
        facts = self.patience.tried(lambda: self.origin.facts(place))
        return place, Expected(md5=facts.md5, size=facts.size)

    def _downloaded(self, place: str, part: Path, name: str, expected: Expected) -> Fetched:
        tries = 0
        limit = expected.size if place.startswith("references/") else MAX_BYTES

        def download() -> Fetched:
            nonlocal tries
            tries += 1
            with self._counting() as received, writing(part, "read"):
                announced = self.origin.copy(place, part, received, limit)
                size = part.stat().st_size
                known = expected if expected.size is not None else expected._replace(size=announced)
                return Fetched(place, size, verify(part, name, known))

        try:
            return self.patience.tried(download)
        except DamagedError as problem:
            what = ", ".join(filter(None, (problem.message, problem.hint)))
            message = f"what {self.origin.shown(place)} gave is damaged: {what}"
            hint = f"it was thrown away {tries} times; the file there or its {FILE_NAME} must be mended"
            raise DamagedError(message, hint) from problem

    @contextmanager
    def _counting(self) -> Iterator[Callable[[int], None]]:
        """Tells how much of a file comes; what came for nothing is taken back."""
        came = 0

        def received(count: int) -> None:
            nonlocal came
            came += count
            if self.received is not None:
                self.received(count)

        try:
            yield received
        except CacheError:
            received(-came)
            raise
