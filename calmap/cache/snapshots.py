"""The states of a cache that can be compared: its folder now, and revisions of its Git repository."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from calmap.cache.folders import mapping_names
from calmap.cache.git import blob_name
from calmap.cache.layout import Layout, context_age
from calmap.cache.references import is_file
from calmap.cache.revisions import RevisionFiles, RevisionSnapshot
from calmap.compare.contexts import closure
from calmap.errors import CacheError, NotInCacheError
from calmap.model.names import is_safe, mapping_name
from calmap.model.text import read_bytes


@dataclass(frozen=True, slots=True)
class FolderSnapshot:
    """The mappings in folders, by name, of which earlier folders come first.

    Parameters
    ----------
    folders
        Where they are looked for.
    """

    folders: tuple[Path, ...]
    _kept: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def path(self, name: str) -> Path | None:
        """Where a mapping is, or None if it is in none of the folders."""
        if not is_safe(name):
            return None
        return next((folder / name for folder in self.folders if is_file(folder / name)), None)

    def identity(self, name: str) -> Hashable | None:
        """What Git would call the content of a mapping, or None."""
        return None if self.path(name) is None else blob_name(self.read(name))

    def read(self, name: str) -> bytes:
        """Bytes of a mapping.

        Raises
        ------
        NotInCacheError
            If it is not there.
        CacheError
            If it can't be read.
        """
        if name not in self._kept:
            path = self.path(name)
            if path is None:
                raise NotInCacheError(f"mapping {name} is not in {self.folders[0]}")
            self._kept[name] = read_bytes(path)
        return self._kept[name]

    def shown(self, name: str) -> str:
        """Path of a mapping."""
        return str(self.path(name) or name)

    def names(self) -> tuple[str, ...]:
        """Names of all mappings."""
        found = {name for folder in self.folders if folder.is_dir() for name in mapping_names(folder)}
        return tuple(sorted(found))


@dataclass(frozen=True)
class FolderState:
    """A cache, or a folder with mappings, as it is now.

    Parameters
    ----------
    layout
        Its folders.
    label
        What it is called.
    """

    layout: Layout
    label: str = "the working tree"

    def snapshot(self, observatory: str) -> FolderSnapshot:
        """The mappings of a telescope."""
        mappings = self.layout.mappings
        return FolderSnapshot((mappings / observatory, mappings) if is_safe(observatory) else (mappings,))

    def contexts(self) -> dict[str, str]:
        """The newest context by telescope."""
        found = {name: self.layout.contexts(name) for name in self.layout.observatories()}
        return {name: contexts[-1] for name, contexts in found.items() if contexts}

    @contextmanager
    def laid_out(self, _name: str, _observatory: str) -> Iterator[Layout]:
        """The cache to select with."""
        yield self.layout


@dataclass(frozen=True)
class RevisionState:
    """A cache as it was at a revision.

    Parameters
    ----------
    files
        The mappings of the revision.
    mappings
        Path of their folder from the root of the repository.
    layout
        The cache as it is now, for what is not a mapping.
    """

    files: RevisionFiles
    mappings: str
    layout: Layout

    @property
    def label(self) -> str:
        """What the user called the revision."""
        return self.files.label

    @cached_property
    def _snapshots(self) -> dict[str, RevisionSnapshot]:
        return {}

    def snapshot(self, observatory: str) -> RevisionSnapshot:
        """The mappings of a telescope."""
        if observatory not in self._snapshots:
            own = f"{self.mappings}/{observatory}".lstrip("/")
            self._snapshots[observatory] = self.files.within(own, self.mappings)
        return self._snapshots[observatory]

    def contexts(self) -> dict[str, str]:
        """The newest context by telescope."""
        found: dict[str, list[str]] = {}
        for path in self.files.paths:
            folder, _, name = path.rpartition("/")
            parts = mapping_name(name)
            telescope = parts.observatory if parts else ""
            beside = folder == self.mappings and telescope
            inside = folder.rpartition("/")[0] == self.mappings and folder != self.mappings
            if name.endswith(".pmap") and (beside or inside):
                owner = telescope if beside else folder.rpartition("/")[2]
                found.setdefault(owner, []).append(name)
        return {owner: max(names, key=context_age) for owner, names in sorted(found.items())}

    @contextmanager
    def laid_out(self, name: str, observatory: str) -> Iterator[Layout]:
        """The cache to select with: the mapping and all below it in a folder that is removed afterwards."""
        snapshot = self.snapshot(observatory)
        with TemporaryDirectory(prefix="calmap-") as folder:
            place = Path(folder, observatory)
            names = tuple(closure(snapshot, name))
            snapshot.fetch(names)
            try:
                place.mkdir(exist_ok=True)
                for below in names:
                    (place / below).write_bytes(snapshot.read(below))
            except OSError as problem:
                raise CacheError(f"{place} can't be written: {problem.strerror or problem}") from problem
            yield replace(self.layout, mapping_root=Path(folder), config_root=self.layout.config)


State: TypeAlias = FolderState | RevisionState
