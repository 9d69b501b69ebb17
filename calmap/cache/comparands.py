"""What a user names to be compared: mappings, and states of a whole cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from calmap.cache.layout import Layout
from calmap.cache.references import is_file
from calmap.cache.revisions import Repository
from calmap.cache.snapshots import FolderState, RevisionState, State
from calmap.cache.surroundings import CacheSurroundings
from calmap.checks import closure
from calmap.errors import CacheError, CalmapError, NotInCacheError, UsageError
from calmap.model.names import mapping_kind, mapping_name

_NAMES = "a mapping is named .pmap, .imap or .rmap"
_HINT = "name a file, a mapping of the cache, REVISION:MAPPING or a revision of the cache's repository"


class Comparand(NamedTuple):
    """A mapping in a state of a cache, or that state as a whole if no mapping is named."""

    state: State
    name: str | None = None
    observatory: str = ""

    @property
    def label(self) -> str:
        """What it is called."""
        if isinstance(self.state, RevisionState) and self.name:
            return f"{self.state.label}:{self.name}"
        return self.name or self.state.label


@dataclass(frozen=True, slots=True)
class Comparands:
    """Finds out what is meant.

    Parameters
    ----------
    cwd
        The folder that relative paths start from.
    layout
        Gives the cache in which names and revisions are looked up.
    observatory
        The telescope, if the user named one.
    """

    cwd: Path
    layout: Callable[[], Layout]
    observatory: str = ""

    def pair(self, arguments: Sequence[str]) -> tuple[Comparand, Comparand]:
        """The two to compare: those named, or a revision and the cache as it is now.

        Raises
        ------
        UsageError
            If an argument is nothing known.
        NotInCacheError, CacheError
            If something named is not there.
        """
        if len(arguments) < 2:
            return self._revisions(arguments[0]) if arguments else (Comparand(self._head()), self._present())
        old, new = (self.one(argument) for argument in arguments)
        if old.name is None and new.name is not None:
            old = self._at(old.state, new.name, new.observatory)
        elif new.name is None and old.name is not None:
            new = self._at(new.state, old.name, old.observatory)
        return old, new

    def one(self, text: str) -> Comparand:
        """What one argument means: a file, a mapping of the cache, REV:NAME, or a revision, in this order."""
        path = Path(os.path.normpath(self.cwd / Path(text).expanduser()))
        found = is_file(path)
        if found and mapping_kind(path.name):
            return self._file(path, text)
        if mapping_kind(text) and Path(text).name == text and ":" not in text:
            layout = self.layout()
            layout.mapping_path(text, self.observatory)
            if layout.origin:
                list(closure([text], CacheSurroundings(layout, self._telescope(text))))
            return Comparand(FolderState(layout), text, self._telescope(text))
        revision, colon, name = text.partition(":")
        if colon and revision:
            return self._at_revision(revision, name)
        if mapping_kind(text):
            raise NotInCacheError(f"there is no file {text}", _HINT)
        try:
            return Comparand(self._state(text))
        except CalmapError:
            if found:
                raise UsageError(f"'{text}' is no mapping", _NAMES) from None
            raise

    def _revisions(self, text: str) -> tuple[Comparand, Comparand]:
        for dots in ("...", ".."):
            old, separator, new = text.partition(dots)
            if separator and "/" not in (old[-1:], new[:1]) and not is_file(self.cwd / text):
                states = self._state(old or "HEAD"), self._state(new or "HEAD")
                return Comparand(self._parted(*states) if dots == "..." else states[0]), Comparand(states[1])
        found = self.one(text)
        if found.name is not None:
            raise UsageError(f"what is {text} to be compared with?", f"calmap diff HEAD {text}")
        return found, self._present()

    def _present(self) -> Comparand:
        return Comparand(FolderState(self.layout()))

    def _head(self) -> RevisionState:
        """The last commit, which the user did not name."""
        layout = self.layout()
        return self._at_commit(Repository.around(layout.mappings), "HEAD", layout)

    def _parted(self, old: RevisionState, new: RevisionState) -> RevisionState:
        """The state at which the history of one left that of the other."""
        repository = old.files.repository
        base = repository.merge_base(old.files.commit, new.files.commit)
        label = f"the merge base with {old.label}"
        return RevisionState(repository.mappings(base, label), old.mappings, old.layout)

    def _file(self, path: Path, text: str) -> Comparand:
        folder = path.parent
        if folder.parent.name == "mappings":
            state = FolderState(Layout(folder.parent.parent), text)
            return Comparand(state, path.name, folder.name)
        if folder.name == "mappings":
            return Comparand(FolderState(Layout(folder.parent), text), path.name, self._telescope(path.name))
        layout = Layout(folder, folder, config_root=self._config())
        return Comparand(FolderState(layout, text), path.name, self._telescope(path.name))

    def _config(self) -> Path | None:
        """Configuration for a file that is in no cache: that of the cache in use, if there is one."""
        try:
            return self.layout().config
        except CalmapError:
            return None

    def _at_revision(self, revision: str, name: str) -> Comparand:
        if mapping_kind(name) is None:
            raise UsageError(f"'{name}' of {revision} is no mapping", _NAMES)
        if "/" not in name:
            return self._at(self._state(revision), name, self._telescope(name))
        repository = Repository.around(self.cwd)
        files = repository.mappings(self._commit(repository, revision), revision)
        within = PurePosixPath(repository.path_within(self.cwd))
        places = (os.path.normpath(name), os.path.normpath(within / name))
        path = next((place for place in places if place in files.paths), None)
        if path is None:
            raise NotInCacheError(
                f"there is no {name} in {revision}", "paths start from the repository's root"
            )
        folder = PurePosixPath(path).parent
        inside = folder.parent.name == "mappings"
        mappings = "" if (top := folder.parent if inside else folder) == PurePosixPath() else str(top)
        layout = Layout(repository.root / PurePosixPath(mappings).parent, repository.root / mappings)
        telescope = folder.name if inside else self._telescope(folder.name)
        return Comparand(RevisionState(files, mappings, layout), PurePosixPath(path).name, telescope)

    def _at(self, state: State, name: str, observatory: str) -> Comparand:
        """A mapping in a state."""
        if state.snapshot(observatory).identity(name) is None:
            raise NotInCacheError(f"mapping {name} is not in {state.label}")
        return Comparand(state, name, observatory)

    def _state(self, revision: str) -> RevisionState:
        """The cache at a revision."""
        layout = self.layout()
        try:
            repository = Repository.around(layout.mappings)
        except CacheError as problem:
            raise CacheError(f"{revision} is no file, and {problem.message}", problem.hint) from None
        return self._at_commit(repository, revision, layout)

    def _at_commit(self, repository: Repository, revision: str, layout: Layout) -> RevisionState:
        files = repository.mappings(self._commit(repository, revision), revision)
        return RevisionState(files, repository.path_within(layout.mappings), layout)

    def _commit(self, repository: Repository, revision: str) -> str:
        commit = repository.commit(revision)
        if commit is None:
            if revision == "HEAD":
                raise UsageError(f"the repository {repository.root} has no commit yet", "make one first")
            message = f"'{revision}' is neither a file nor a revision of {repository.root}"
            raise UsageError(message, repository.shallow_hint or _HINT)
        return commit

    def _telescope(self, name: str) -> str:
        parts = mapping_name(name)
        return self.observatory or (parts.observatory if parts else "")
