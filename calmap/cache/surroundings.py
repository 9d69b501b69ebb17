"""What a mapping can be compared with: the cache that it is in, or belongs to."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from calmap.cache.layout import Layout
from calmap.cache.references import is_file
from calmap.model.mapping import Mapping, load_mapping
from calmap.model.names import is_safe

if TYPE_CHECKING:
    from calmap.checks.surroundings import Surroundings
    from calmap.observatories.definition import Observatory

_KEPT = 256


class CacheSurroundings:
    """The other files of a cache and the definition of one of its telescopes.

    Parameters
    ----------
    layout
        The cache.
    telescope
        Name of the telescope; empty if it is not known.

    Raises
    ------
    ObservatoryError
        If the definition of the telescope is wrong.
    CacheError
        If the cache does not say rightly how its reference files are arranged.
    """

    def __init__(self, layout: Layout, telescope: str) -> None:
        self._layout = layout
        self._telescope = telescope
        self._read = lru_cache(maxsize=_KEPT)(self._load)
        self._references = layout.reference_folder(telescope) if telescope else None
        self._observatory = definition(
            telescope, layout.definitions(telescope) if telescope else layout.config
        )

    @property
    def observatory(self) -> Observatory | None:
        """Definition of the telescope, or None if there is none."""
        return self._observatory

    @property
    def knows_mappings(self) -> bool:
        """True: a mapping that is not in the cache is missing."""
        return True

    @property
    def knows_references(self) -> bool:
        """True if the cache keeps reference files of the telescope here; some caches hold rules only."""
        is_here = not self._layout.origin
        return is_here and self._references is not None and self._references.folder.is_dir()

    def mapping(self, name: str) -> Mapping | None:
        """A mapping of the cache, or None if it is not there.

        Raises
        ------
        CacheError
            If it can't be read.
        """
        return self._read(name)

    def reference(self, name: str, instrument: str) -> Path | None:
        """A reference file of the cache, or None if it is not there.

        Raises
        ------
        CacheError
            If a folder on the way can't be entered.
        """
        if self._references is None or not is_safe(name) or not is_safe(instrument):
            return None
        path = self._references.place(name, instrument)
        return path if is_file(path) else None

    def _load(self, name: str) -> Mapping | None:
        if not is_safe(name):
            return None
        path = self._layout.find_mapping(name, self._telescope)
        return load_mapping(path) if path else None


class LooseSurroundings:
    """For mappings outside any cache: others in the same folder, and never a complaint that one is missing.

    Parameters
    ----------
    folder
        The folder they are in.
    telescope
        Name of the telescope; empty if it is not known.
    """

    knows_mappings = False
    knows_references = False

    def __init__(self, folder: Path, telescope: str) -> None:
        self._folder = folder
        self._read = lru_cache(maxsize=_KEPT)(self._load)
        self._observatory = definition(telescope)

    @property
    def observatory(self) -> Observatory | None:
        """Definition of the telescope that calmap brings along, or None if there is none."""
        return self._observatory

    def mapping(self, name: str) -> Mapping | None:
        """Another mapping in the folder, or None if it is not there.

        Raises
        ------
        CacheError
            If it can't be read.
        """
        return self._read(name)

    def reference(self, name: str, instrument: str) -> Path | None:
        """None: nothing is known of reference files."""
        return None

    def _load(self, name: str) -> Mapping | None:
        path = self._folder / name
        return load_mapping(path) if is_safe(name) and is_file(path) else None


def surroundings(path: Path, layout: Layout | None, telescope: str) -> Surroundings:
    """What is around a mapping file that is in a cache or, without a layout, in none.

    Raises
    ------
    ObservatoryError, CacheError
        As `CacheSurroundings`.
    """
    return CacheSurroundings(layout, telescope) if layout else LooseSurroundings(path.parent, telescope)


def definition(telescope: str, config: Path | None = None) -> Observatory | None:
    """Definition of a telescope, or None if neither the cache nor calmap has one.

    Raises
    ------
    ObservatoryError
        If there is a definition and it is wrong.
    """
    from calmap.observatories.library import FILE_NAME, bundled_observatories, load_observatory

    local = config is not None and is_safe(telescope) and (config / telescope / FILE_NAME).exists()
    if not local and telescope not in bundled_observatories():
        return None
    return load_observatory(telescope, config)
