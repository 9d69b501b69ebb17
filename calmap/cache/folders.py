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


def _is(entry: os.DirEntry[str], *, folder: bool) -> bool:
    """Whether it is a folder, or else a file; a link that leads nowhere is neither."""
    try:
        return entry.is_dir() if folder else entry.is_file()
    except OSError:
        return False
