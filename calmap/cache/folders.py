"""What is in a folder of a cache, found in one pass without looking at every file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from calmap.model.names import mapping_kind


def mapping_names(folder: Path, suffix: str = "") -> Iterator[str]:
    """Names of the mappings in a folder, in no order, with an extension if one is given.

    Raises
    ------
    OSError
        If the folder can't be read.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not name.endswith(suffix) or name.startswith(".") or mapping_kind(name) is None:
                continue
            if _is(entry, folder=False):
                yield name


def folder_names(folder: Path) -> tuple[str, ...]:
    """Names of the folders in a folder, in alphabetical order; hidden ones don't count.

    Raises
    ------
    OSError
        If the folder can't be read.
    """
    with os.scandir(folder) as entries:
        return tuple(
            sorted(entry.name for entry in entries if entry.name[0] != "." and _is(entry, folder=True))
        )


def has_mappings(folder: Path) -> bool:
    """True if a folder has any mapping.

    Raises
    ------
    OSError
        If the folder can't be read.
    """
    return next(mapping_names(folder), None) is not None


def looks_like_cache(root: Path) -> bool:
    """True if a folder has mappings where a cache has them."""
    folder = root / "mappings"
    try:
        if not folder.is_dir():
            return False
        return has_mappings(folder) or any(has_mappings(folder / name) for name in folder_names(folder))
    except OSError:
        return False


def _is(entry: os.DirEntry[str], *, folder: bool) -> bool:
    """Whether it is a folder, or else a file; a link that leads nowhere is neither."""
    try:
        return entry.is_dir() if folder else entry.is_file()
    except OSError:
        return False
