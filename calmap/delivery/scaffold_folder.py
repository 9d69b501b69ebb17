"""A folder filled with new files, all of them or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from calmap.cache.interrupts import deferred
from calmap.cache.store import hidden_name, sync_folder, write_new, writing
from calmap.errors import CacheError, RefusedError

_SHOWN = 5


class NewFile(NamedTuple):
    """A file that is to be made.

    Parameters
    ----------
    path
        Where, from the folder that is filled.
    content
        Its bytes.
    """

    path: PurePosixPath
    content: bytes


def fill(folder: Path, files: Sequence[NewFile]) -> None:
    """Make files in a folder, which is made if it is not there; nothing is overwritten.

    Parameters
    ----------
    folder
        The folder.
    files
        What is to be in it.

    Raises
    ------
    RefusedError
        If one of the files is there already.
    CacheError
        If a file can't be written; then none is.
    """
    refuse_present(folder, files)
    new = not os.path.lexists(folder)
    stage = (folder.parent if new else folder) / hidden_name(folder.name or "calmap")
    try:
        with writing(folder):
            _write(stage, files)
            with deferred():
                if new:
                    stage.rename(folder)
                else:
                    _place(stage, folder, files)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def refuse_present(folder: Path, files: Sequence[NewFile]) -> None:
    """Refuse a folder that has one of the files, or can't have them.

    Raises
    ------
    RefusedError
        With the names of those it has.
    CacheError
        If there is no such folder to make it in.
    """
    with writing(folder, "read"):
        if os.path.lexists(folder) and not folder.is_dir():
            raise RefusedError(f"{folder} is there already, and is no folder", "choose another name")
        if not folder.parent.is_dir():
            raise CacheError(f"there is no folder {folder.parent}", "make it first, or choose another place")
        present = [str(file.path) for file in files if os.path.lexists(folder / file.path)]
    if present:
        names = ", ".join(present[:_SHOWN])
        more = f" and {len(present) - _SHOWN} more" if len(present) > _SHOWN else ""
        raise RefusedError(
            f"{folder} has {names}{more} already", "nothing was written; choose another folder"
        )


def _write(stage: Path, files: Sequence[NewFile]) -> None:
    stage.mkdir()
    for file in files:
        path = stage / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, (file.content,), None)


def _place(stage: Path, folder: Path, files: Sequence[NewFile]) -> None:
    """Give each file its name; the mappings come last, as they make a folder a cache."""
    made: list[Path] = []
    folders: list[Path] = []
    try:
        for file in sorted(files, key=lambda file: (file.path.parts[0] == "mappings", file.path)):
            path = folder / file.path
            for above in reversed(path.parents):
                if not above.exists():
                    above.mkdir()
                    folders.append(above)
            _name(stage / file.path, path)
            made.append(path)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        for above in reversed(folders):
            with suppress(OSError):
                above.rmdir()
        raise
    with suppress(OSError):
        sync_folder(folder)


def _name(staged: Path, path: Path) -> None:
    """Move a file to its place, unless there is something."""
    try:
        path.hardlink_to(staged)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise
        staged.rename(path)
