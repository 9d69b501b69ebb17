"""A local cache filled, verified, repaired and pruned."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calmap.archive.sync.datasets import needed_by_files, needed_by_tables
from calmap.archive.sync.items import Fate, Kind, Outcome
from calmap.archive.sync.pruning import Pruning, plan_pruning, remove_abandoned
from calmap.archive.sync.session import Care, Session, opened_session
from calmap.archive.sync.wanted import Closure, Need, closure, reference_items, telescope_of
from calmap.bestref.cache import Cache
from calmap.cache.remote.mirror import Mirror
from calmap.cache.remote.trouble import StaleWarning, UnreachableError
from calmap.cache.store import writing
from calmap.errors import CacheError, UsageError


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be here.

    Parameters
    ----------
    contexts
        Names of contexts; the newest of the telescope if there is none.
    observatory
        The telescope, where no context names one.
    references
        Whether reference files are.
    datasets
        Files of datasets; only the references that these need are to be here
        then, and what tables ask for. None if all are.
    tables
        Tables of headers.
    care
        How much is done to what is here.
    prune
        Whether to find out what is not needed.
    """

    contexts: tuple[str, ...] = ()
    observatory: str | None = None
    references: bool = True
    datasets: Iterable[Path] | None = None
    tables: tuple[str, ...] = ()
    care: Care = field(default_factory=Care)
    prune: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far a run has come.

    Parameters
    ----------
    begin
        Called with what is done next and how many files that concerns, 0 if that is not known.
    done
        Called after each file.
    received
        Called with the number of bytes of each piece that comes, from any thread.
    """

    begin: Callable[[str, int], None] = lambda _doing, _count: None
    done: Callable[[], None] = lambda: None
    received: Callable[[int], None] = lambda _count: None


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found and did.

    Parameters
    ----------
    origin
        URL of the cache elsewhere, without a password.
    root
        The folder here.
    contexts
        Names of the contexts.
    outcomes
        What became of each file, mappings first.
    problems
        Why something that is needed may be unknown.
    has_list
        Whether the cache elsewhere has a list of checksums.
    pruning
        What is not needed; None if nobody asked, or something that is needed may be unknown.
    abandoned
        How many files were removed that runs which were killed had left.
    dry_run
        Whether nothing was done.
    """

    origin: str
    root: Path
    contexts: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    problems: tuple[str, ...]
    has_list: bool
    pruning: Pruning | None = None
    abandoned: int = 0
    dry_run: bool = False

    def count(self, kind: Kind) -> Counter[Fate]:
        """How many files of a kind had each fate."""
        return Counter(outcome.fate for outcome in self.outcomes if outcome.item.kind is kind)

    def of(self, *fates: Fate) -> tuple[Outcome, ...]:
        """Files that had any of some fates."""
        return tuple(outcome for outcome in self.outcomes if outcome.fate in fates)

    @property
    def unproven(self) -> tuple[Outcome, ...]:
        """Files that were looked at and that no digest shows to be right."""
        good = self.of(Fate.KEPT, Fate.FETCHED, Fate.REPAIRED)
        return tuple(one for one in good if one.proof is not None and not one.proof.is_digest)


def synchronize(mirror: Mirror, request: Request, watch: Watch | None = None) -> Result:
    """Fill a local cache from one elsewhere, verify what is there, and find out what is not needed.

    Parameters
    ----------
    mirror
        The cache elsewhere and the folder here.
    request
        What is to be here.
    watch
        Who is told how far it has come.

    Raises
    ------
    CacheError
        If the cache elsewhere can't be asked, or the folder can't be written to.
    UsageError
        If the request makes no sense.
    """
    watch = watch or Watch()
    with opened_session(mirror, request.care, watch.received) as session:
        for name in request.contexts:
            telescope_of(name)
        count = 0 if request.care.dry_run else _ready(session)
        _learn(session, request)
        contexts = request.contexts or (session.mirror.newest_context(request.observatory),)
        telescopes = sorted(set(map(telescope_of, contexts)))
        for telescope in telescopes:
            _learn(session, request, telescope)
        watch.begin("Mappings", 0)
        found = closure(session, contexts)
        problems = list(found.problems)
        outcomes = [*found.outcomes]
        if request.references:
            outcomes += _references(session, request, found, problems, watch)
        pruning = None
        if request.prune and not problems and not _unsure(outcomes):
            watch.begin("Looking for what is not needed", 0)
            needed = frozenset(outcome.item.target for outcome in outcomes)
            pruning = plan_pruning(session, telescopes, needed, references=request.references)
        return Result(
            session.mirror.origin,
            mirror.root,
            found.contexts,
            tuple(outcomes),
            tuple(problems),
            session.supply.manifest() is not None,
            pruning,
            count,
            request.care.dry_run,
        )


def _learn(session: Session, request: Request, telescope: str = "") -> None:
    """Ask for the list of checksums, or for what concerns a telescope; else go by what is known."""
    try:
        if telescope:
            session.catalogue.telescope(telescope, fresh=True)
        else:
            session.supply.manifest(fresh=True)
    except UnreachableError as problem:
        if not request.care.check or request.care.dry_run or not session.supply.listing.is_known:
            raise
        warnings.warn(f"{problem.message}; checking by what is known here", StaleWarning, stacklevel=1)


def _ready(session: Session) -> int:
    """Make the folder if need be, and clear away what was left in it."""
    root = session.folder.root
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        session.folder.mappings.mkdir(exist_ok=True)
    return remove_abandoned(root)


def _unsure(outcomes: Sequence[Outcome]) -> bool:
    """Whether a mapping is not as it should be, so that what it needs is not known."""
    bad = (Fate.ABSENT, Fate.DAMAGED, Fate.FAILED)
    return any(one.fate in bad for one in outcomes if one.item.kind is Kind.MAPPING)


def _references(
    session: Session, request: Request, found: Closure, problems: list[str], watch: Watch
) -> list[Outcome]:
    needs = sorted(_needs(session, request, found, problems, watch))
    watch.begin("References", len(needs))
    outcomes = []
    for outcome in session.each(reference_items(session, needs), session.attend):
        outcomes.append(outcome)
        watch.done()
    return sorted(outcomes, key=lambda outcome: str(outcome.item.target))


def _needs(
    session: Session, request: Request, found: Closure, problems: list[str], watch: Watch
) -> Iterable[Need]:
    """The references of the contexts, or of these those that datasets need."""
    if request.datasets is None and not request.tables:
        return found.needs
    if problems or _unsure(found.outcomes):
        raise CacheError(
            "what datasets need can't be found out, as not all mappings can be used",
            "calmap sync --no-references --repair tells more",
        )
    watch.begin("Selecting for datasets", 0)
    cache = Cache(session.mirror)
    contexts = [cache.context(name) for name in found.contexts]
    names = needed_by_files(contexts, request.datasets or (), problems)
    names |= needed_by_tables(contexts, request.tables, problems)
    return [need for need in found.needs if need.name in names]


def require_place(root: Path) -> None:
    """See that a folder can become a cache, or is one.

    Raises
    ------
    UsageError
        If there is something else in it.
    """
    with writing(root, "read"):
        if not root.exists():
            return
        if not root.is_dir():
            raise UsageError(f"{root} is no folder", "name the cache with --cache")
        if not (root / "mappings").is_dir() and any(not path.name.startswith(".") for path in root.iterdir()):
            raise UsageError(
                f"{root} is no cache, and not empty", "name a cache, or a new folder, with --cache"
            )
