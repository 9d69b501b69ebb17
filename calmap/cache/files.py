"""Mapping files by path."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from calmap.errors import CacheError, NotInCacheError
from calmap.model.names import mapping_kind


def path_files(paths: Iterable[str], cwd: Path) -> tuple[Path, ...]:
    """The files that paths name, each once; a folder stands for all mappings below it.

    Raises
    ------
    NotInCacheError
        If there is no such file, or no mapping in a folder.
    CacheError
        If a folder can't be read.
    """
    found: dict[Path, None] = {}
    for text in paths:
        path = cwd / text
        if path.is_dir():
            files = mapping_files(path)
            if not files:
                hint = "mappings are named .pmap, .imap or .rmap"
                raise NotInCacheError(f"there is no mapping below {text}", hint=hint)
            found.update((shown(file, cwd), None) for file in files)
        elif path.exists():
            found[shown(path, cwd)] = None
        else:
            raise NotInCacheError(f"there is no file or folder {text}")
    return tuple(found)


def mapping_files(folder: Path) -> tuple[Path, ...]:
    """Mappings anywhere below a folder, except in hidden folders; linked folders are followed once.

    Raises
    ------
    CacheError
        If a folder can't be read.
    """

    def refuse(problem: OSError) -> None:
        raise CacheError(f"{problem.filename} can't be read: {problem.strerror}") from problem

    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        rules = sorted(name for name in names if mapping_kind(name) and not name.startswith("."))
        found += (Path(place, name) for name in rules)
    return tuple(found)


def shown(path: Path, cwd: Path) -> Path:
    """A path as it is shown: relative to the current folder where it is below it."""
    full = Path(os.path.normpath(cwd / path))
    return full.relative_to(cwd) if full.is_relative_to(cwd) else full
