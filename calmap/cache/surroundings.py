"""What a mapping can be compared with: the cache that it is in, or belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calmap.cache.layout import Layout
from calmap.errors import CacheError, ObservatoryError
from calmap.model.mapping import Mapping, load_mapping
from calmap.model.names import is_safe

if TYPE_CHECKING:
    from calmap.observatories.definition import Observatory


class CacheSurroundings:
    """The other files of a cache and the definition of one of its telescopes.

    Parameters
    ----------
    layout
        The cache.
    telescope
        Name of the telescope; empty if it is not known.
    """

    def __init__(self, layout: Layout, telescope: str) -> None:
        self._layout = layout
        self._telescope = telescope
        self._mappings: dict[str, Mapping | None] = {}
        self._references = layout.reference_folder(telescope) if telescope else None
        self._observatory = definition(telescope, layout.config)

    @property
    def observatory(self) -> Observatory | None:
        """Definition of the telescope, or None if there is none."""
        return self._observatory

    def mapping(self, name: str) -> Mapping | None:
        """A mapping of the cache, or None if it is not there; read once."""
        if name not in self._mappings:
            self._mappings[name] = self._load(name)
        return self._mappings[name]

    def reference(self, name: str, instrument: str) -> Path | None:
        """A reference file of the cache, or None if it is not there."""
        if self._references is None or not is_safe(name) or not is_safe(instrument):
            return None
        path = self._references.place(name, instrument)
        return path if path.is_file() else None

    def _load(self, name: str) -> Mapping | None:
        if not is_safe(name):
            return None
        path = self._layout.find_mapping(name, self._telescope)
        return load_mapping(path) if path else None


class NoSurroundings:
    """For a mapping that is in no cache: only the definition of its telescope is known."""

    def __init__(self, telescope: str) -> None:
        self._observatory = definition(telescope)

    @property
    def observatory(self) -> Observatory | None:
        """Definition of the telescope that calmap brings along, or None if there is none."""
        return self._observatory

    def mapping(self, name: str) -> Mapping | None:
        """None, as no other mapping is known."""
        return None

    def reference(self, name: str, instrument: str) -> Path | None:
        """None, as no reference file is known."""
        return None


def definition(telescope: str, config: Path | None = None) -> Observatory | None:
    """Definition of a telescope, or None if there is none.

    Raises
    ------
    ObservatoryError
        If there is a definition and it is wrong.
    """
    from calmap.observatories.library import bundled_observatories, load_observatory

    if not telescope or not is_safe(telescope):
        return None
    known = telescope in bundled_observatories() or (config is not None and (config / telescope).is_dir())
    if not known:
        return None
    try:
        return load_observatory(telescope, config)
    except ObservatoryError:
        if config is not None and (config / telescope / "observatory.yaml").exists():
            raise
        if telescope in bundled_observatories():
            raise
        return None
