"""What is around a mapping file: other mappings, reference files, the telescope."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from calmap.errors import CacheError
from calmap.model.mapping import Mapping, load_mapping
from calmap.model.names import is_safe

if TYPE_CHECKING:
    from calmap.observatories import Observatory


class Surroundings(Protocol):
    """Answers what a mapping file can't tell by itself."""

    @property
    def observatory(self) -> Observatory | None:
        """Definition of the telescope, if there is one."""

    @property
    def knows_mappings(self) -> bool:
        """Whether a mapping that is not found is missing, rather than somewhere else."""

    @property
    def knows_references(self) -> bool:
        """Whether a reference file that is not found is missing, rather than somewhere else."""

    def mapping(self, name: str) -> Mapping | None:
        """A mapping by its file name, or None if there is none."""

    def reference(self, name: str, instrument: str) -> Path | None:
        """Where a reference file of an instrument is, or None if there is none."""


class NoSurroundings:
    """A file by itself: nothing around it is known, so nothing is missing."""

    observatory: Observatory | None = None
    knows_mappings = False
    knows_references = False

    def mapping(self, name: str) -> Mapping | None:
        """Nothing is known."""
        return None

    def reference(self, name: str, instrument: str) -> Path | None:
        """Nothing is known."""
        return None


class Folder:
    """Loose mapping files in one directory.

    Parameters
    ----------
    path
        The directory.
    observatory
        Definition of the telescope, if there is one.
    """

    knows_mappings = True
    knows_references = False

    def __init__(self, path: Path, observatory: Observatory | None = None) -> None:
        self.path = path
        self.observatory = observatory
        self._read: dict[str, Mapping | None] = {}

    def mapping(self, name: str) -> Mapping | None:
        """A mapping in the directory; each file is read once."""
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Mapping | None:
        if not is_safe(name):
            return None
        try:
            return load_mapping(self.path / name)
        except CacheError:
            return None

    def reference(self, name: str, instrument: str) -> Path | None:
        """Nothing is known of reference files."""
        return None
