"""Mappings that are named by a path, and the cache that each is in."""

from __future__ import annotations

import os
from pathlib import Path

from calmap.cache.layout import Layout, cache_above
from calmap.errors import CalmapError


def is_path(name: str) -> bool:
    """True if what names a mapping has a folder in it."""
    return "/" in name or "\\" in name


def owns(layout: Layout, path: Path, observatory: str = "") -> bool:
    """True if a path leads to the very file that a cache has under this name, not to one called the same."""
    try:
        own = layout.find_mapping(path.name, observatory)
        return own is not None and own.samefile(path)
    except (OSError, ValueError, CalmapError):
        return False


def cache_around(path: Path) -> Path | None:
    """The nearest cache that has a file among its folders, once links are followed."""
    try:
        return cache_above(Path(os.path.realpath(path)).parent)
    except ValueError:
        return None
