"""A planned change of a cache, and making it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from calmap.cache.layout import Layout
from calmap.cache.store import digest, file_digest
from calmap.cache.transaction import Committed, FileChange, changing
from calmap.delivery.branch import new_branch
from calmap.delivery.revision import MappingChange, Revision
from calmap.errors import CalmapError


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that goes into the cache.

    Parameters
    ----------
    source, place
        Where it is and where it is to be.
    """

    source: Path
    place: Path


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

    def files(self) -> tuple[FileChange, ...]:
        """What becomes of each file."""
        files = [FileChange(copy.place, copy.source, None) for copy in self.copies]
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
    """

    change: Change
    committed: Committed | None
    branch: str | None = None

    @property
    def is_dry(self) -> bool:
        """True if it was only planned."""
        return self.committed is None

    @property
    def is_new_context(self) -> bool:
        """True if there is another context than before."""
        return any(not item.in_place for item in self.change.revision.changes)


def make(
    layout: Layout,
    plan: Callable[[], Change],
    *,
    title: str = "",
    git: bool = False,
    waiting: Callable[[str], None] | None = None,
) -> Made:
    """Plan a change while nobody else can make one, and make it.

    Parameters
    ----------
    layout
        The cache.
    plan
        Called once the cache is locked.
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
    with changing(layout, title=title, waiting=waiting) as transaction:
        change = plan()
        if change.is_empty:
            return Made(change, Committed(None, change.title, ()))
        branch = new_branch(layout.root, change.branch) if git else None
        files = change.files()
        committed = transaction.commit(change.title, files)
        if branch is not None and committed.paths:
            try:
                branch.commit(committed.paths, change.title, change.details)
            except CalmapError:
                transaction.carry(
                    f"take back: {change.title}", tuple(_inverse(change)), undoes=committed.number
                )
                raise
        return Made(change, committed, branch.name if branch else None)


def _inverse(change: Change) -> Iterable[FileChange]:
    """The changes of files that take a change back."""
    for copy in change.copies:
        yield FileChange(copy.place, None, file_digest(copy.place))
    for item in change.revision.changes:
        before = item.old.text.encode("utf-8") if item.old and item.in_place else None
        yield FileChange(item.new.path, before, digest(item.new.text.encode("utf-8")))


def _diff(change: MappingChange, root: Path | None) -> Iterable[str]:
    old = change.old.text.splitlines(True) if change.old else []
    before = _shown(change.old.path, root) if change.old else "/dev/null"
    new = change.new.text.splitlines(True)
    for line in unified_diff(old, new, before, _shown(change.new.path, root)):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _shown(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)
