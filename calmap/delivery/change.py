"""A planned change of a cache, and making it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

from calmap.cache.layout import Layout
from calmap.cache.ledger import Ledger
from calmap.cache.store import digest, file_digest
from calmap.cache.transaction import Committed, FileChange, Recovered, Transaction, changing, interrupted
from calmap.delivery.branch import Branch, new_branch
from calmap.delivery.revision import MappingChange, Revision
from calmap.errors import CalmapError
from calmap.model.names import mapping_name


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that goes into the cache.

    Parameters
    ----------
    source, place
        Where it is and where it is to be.
    sha256
        Hash of its content when it was read.
    """

    source: Path
    place: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a cache.

    Parameters
    ----------
    title
        One line that begins with a verb.
    revision
        Mappings.
    copies
        Reference files that the cache lacks.
    details
        Lines of a report.
    """

    title: str
    revision: Revision
    copies: tuple[Copy, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if nothing is to be done."""
        return not (self.revision.changes or self.copies)

    @property
    def branch(self) -> str:
        """Name of a branch for it."""
        return f"calmap/{Path(self.revision.context).stem}"

    def leaves_out(self, layout: Layout) -> str:
        """The newest context, if that of the change derives from an older one and lacks what came since."""
        new = [item for item in self.revision.changes if item.new.name == self.revision.context]
        parts = mapping_name(self.revision.context)
        if not new or new[0].old is None or new[0].in_place or parts is None:
            return ""
        others = [name for name in layout.contexts(parts.observatory) if name != self.revision.context]
        return others[-1] if new[0].old.name in others and new[0].old.name != others[-1] else ""

    def files(self) -> tuple[FileChange, ...]:
        """What becomes of each file."""
        files = [FileChange(copy.place, copy.source, None, copy.sha256) for copy in self.copies]
        for item in self.revision.changes:
            before = digest(item.old.text.encode("utf-8")) if item.old and item.in_place else None
            files.append(FileChange(item.new.path, item.new.text.encode("utf-8"), before))
        return tuple(files)

    def diff(self, root: Path | None = None) -> str:
        """All of it as a unified diff; a new mapping is compared with the one it derives from."""
        lines = [f"copy {_shown(copy.source, root)} to {_shown(copy.place, root)}\n" for copy in self.copies]
        lines += (line for item in self.revision.changes for line in _diff(item, root))
        return "".join(lines)


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was made.

    Parameters
    ----------
    change
        What was planned.
    committed
        What was written; None in a dry run.
    branch
        Git branch that has it, or None.
    recovered
        A change that was found broken off before this one, or None.
    """

    change: Change
    committed: Committed | None
    branch: str | None = None
    recovered: Recovered | None = None

    @property
    def is_dry(self) -> bool:
        """True if it was only planned."""
        return self.committed is None

    @property
    def is_new_context(self) -> bool:
        """True if there is another context than before."""
        return any(not item.in_place for item in self.change.revision.changes)


class _Plan(NamedTuple):
    """A change, the branch it is to be committed on, and the mappings it was planned with."""

    change: Change
    branch: Branch | None
    basis: frozenset[tuple[str, ...]]


def make(
    layout: Layout,
    plan: Callable[[], Change],
    *,
    title: str = "",
    git: bool = False,
    waiting: Callable[[str], None] | None = None,
) -> Made:
    """Plan a change and make it, on the mappings that there are while nobody else can change them.

    Parameters
    ----------
    layout
        The cache.
    plan
        Reads the cache anew and gives the change. It is called before the cache is locked, so that
        others wait as short as can be, and again if the mappings were changed in between.
    title
        What is going on, told to others that have to wait.
    git
        Commit it on a new branch.
    waiting
        Called once with who holds the lock, if somebody does.

    Raises
    ------
    CalmapError
        If it can't be planned or made; then nothing has changed.
    """
    planned = _early(layout, plan, git=git)
    if planned is not None and planned.change.is_empty:
        return Made(planned.change, Committed(None, planned.change.title, ()))
    with changing(layout, title=title, waiting=waiting) as transaction:
        if planned is None or transaction.recovered is not None or planned.basis != _basis(layout):
            planned = _planned(layout, plan, git=git)
        change, branch, _ = planned
        committed = transaction.commit(change.title, change.files())
        if branch is not None and committed.paths:
            try:
                branch.commit(committed.paths, change.title, change.details)
            except BaseException as problem:
                _take_back(layout, transaction, committed, change, problem)
                raise
        return Made(change, committed, branch.name if branch else None, transaction.recovered)


def _early(layout: Layout, plan: Callable[[], Change], *, git: bool) -> _Plan | None:
    """A change planned while others may make theirs; None if they did, or one was broken off.

    Raises
    ------
    CalmapError
        If it can't be planned, and that is nobody else's doing.
    """
    if interrupted(layout):
        return None
    basis = _basis(layout)
    try:
        planned = _planned(layout, plan, git=git)
    except CalmapError:
        if basis == _basis(layout) and not Ledger(layout.root).journal.path.exists():
            raise
        return None
    return planned if planned.basis == basis else None


def _planned(layout: Layout, plan: Callable[[], Change], *, git: bool) -> _Plan:
    basis = _basis(layout)
    change = plan()
    branch = new_branch(layout.root, change.branch) if git and not change.is_empty else None
    return _Plan(change, branch, basis)


def _basis(layout: Layout) -> frozenset[tuple[str, ...]]:
    """What differs if any mapping was changed, added or removed."""
    return frozenset(_state(path) for path in layout.mapping_files())


def _state(path: Path) -> tuple[str, ...]:
    try:
        found = path.stat()
    except OSError:
        return (str(path),)
    return str(path), str(found.st_ino), str(found.st_size), str(found.st_mtime_ns), str(found.st_ctime_ns)


def _take_back(
    layout: Layout, transaction: Transaction, committed: Committed, change: Change, cause: BaseException
) -> None:
    """Take a change back whose files somebody else, such as a hook of Git, may have written to meanwhile."""
    try:
        leaves = tuple(reversed(Ledger(layout.root).records()[0].makes))
        written = {path.resolve() for path in committed.paths}
        inverse = [item for item in _inverse(change) if item.path.resolve() in written]
        transaction.commit(f"take back: {change.title}", inverse, undoes=committed.number, leaves=leaves)
    except CalmapError as problem:
        if not isinstance(cause, CalmapError):
            raise
        cause.hint = (
            f"the files of the change are still there, as {problem.message}; calmap undo takes them back"
        )


def _inverse(change: Change) -> Iterable[FileChange]:
    """The changes of files that take a change back."""
    for copy in change.copies:
        yield FileChange(copy.place, None, file_digest(copy.place))
    for item in change.revision.changes:
        before = item.old.text.encode("utf-8") if item.old and item.in_place else None
        yield FileChange(item.new.path, before, file_digest(item.new.path))


def _diff(change: MappingChange, root: Path | None) -> Iterable[str]:
    old = change.old.text.splitlines(True) if change.old else []
    before = _shown(change.old.path, root) if change.old else "/dev/null"
    new = change.new.text.splitlines(True)
    for line in unified_diff(old, new, before, _shown(change.new.path, root)):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _shown(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)
