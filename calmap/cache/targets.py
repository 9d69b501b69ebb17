"""The mapping files that paths and names of contexts stand for, each with its cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.files import path_files, shown
from calmap.cache.layout import Layout
from calmap.cache.surroundings import CacheSurroundings
from calmap.checks import closure
from calmap.errors import NotInCacheError
from calmap.model.names import is_safe, mapping_kind, mapping_name


@dataclass(frozen=True, slots=True)
class Target:
    """A mapping file to look at and the cache that it belongs to, if any."""

    path: Path
    layout: Layout | None = None

    @property
    def telescope(self) -> str:
        """Name of the telescope, by the file's name or else its folder; empty if neither tells."""
        if parts := mapping_name(self.path.name):
            return parts.observatory
        folder = Path(os.path.normpath(self.path.absolute())).parent
        inside = self.layout is not None and folder.parent.name == "mappings"
        return folder.name if inside and is_safe(folder.name) else ""


def path_targets(
    paths: Iterable[str], cwd: Path, layout: Callable[[], Layout], *, fixed: bool
) -> Iterator[Target]:
    """Files of paths, folders with all below them, and names of mappings in a cache with all that they name.

    Parameters
    ----------
    paths
        As the user wrote them.
    cwd
        The folder that relative paths start from.
    layout
        Gives the cache in which names are looked up.
    fixed
        If true, that cache is also the one files belong to, wherever they are.

    Raises
    ------
    NotInCacheError
        If there is no such file, folder or name.
    CacheError
        If a folder can't be read.
    """
    for text in paths:
        if Path(text).name == text and mapping_kind(text) and not (cwd / text).exists():
            yield from context_targets(text, layout())
            continue
        for file in path_files([text], cwd):
            yield Target(file, layout() if fixed else enclosing_cache(file, cwd))


def context_targets(name: str, layout: Layout) -> Iterator[Target]:
    """A mapping of a cache and every one below it that is there.

    Raises
    ------
    NotInCacheError
        If the mapping itself is not there.
    CacheError
        If the cache is one file.
    """
    layout.require_files()
    layout.mapping_path(name)
    parts = mapping_name(name)
    surroundings = CacheSurroundings(layout, parts.observatory if parts else "")
    return (Target(mapping.path, layout) for mapping in closure([name], surroundings))


def enclosing_cache(file: Path, cwd: Path) -> Layout | None:
    """The cache that a mapping file is in: it has the file in ``mappings`` or a folder of that."""
    for folder in Path(os.path.normpath(cwd / file)).parents[:2]:
        if folder.name == "mappings":
            return Layout(shown(folder.parent, cwd))
    return None


def newest_contexts(layout: Layout) -> tuple[str, ...]:
    """The newest context of every telescope of a cache.

    Raises
    ------
    NotInCacheError
        If there is none.
    """
    found = [contexts[-1] for name in layout.observatories() if (contexts := layout.contexts(name))]
    if not found:
        raise NotInCacheError(f"no .pmap in {layout.mappings}", hint="name files or folders to check")
    return tuple(found)
