"""Names of files in the folders of a cache that hold wherever these folders are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from calmap.cache.layout import Layout
from calmap.cache.store import is_path, writing
from calmap.errors import CacheError

LEDGER = ".calmap"
_OUTSIDE = "a change is made only to files below {}"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a cache in which files may be changed.

    A place is the name of such a folder and the way from there, such as
    ``mappings/hst/hst_0001.pmap``, whatever folder is used for ``mappings``.

    Parameters
    ----------
    root
        The folder of the cache.
    folders
        Where the folders really are, by name.
    chosen
        Those that are not in the cache itself.
    """

    root: Path
    folders: Mapping[str, Path]
    chosen: Mapping[str, str]

    @classmethod
    def of(cls, layout: Layout) -> Places:
        """The folders of a cache, links followed."""
        given = {"mappings": layout.mappings, "references": layout.references, "config": layout.config}
        folders = {name: Path(os.path.realpath(folder)) for name, folder in given.items()}
        own = {name: Path(os.path.realpath(layout.root / name)) for name in folders}
        chosen = {name: str(folder) for name, folder in folders.items() if folder != own[name]}
        return cls(layout.root, folders, chosen)

    def place(self, path: Path) -> str:
        """The place of a file, links followed; the file need not be there.

        Raises
        ------
        CacheError
            If it is in none of the folders.
        """
        real = Path(os.path.realpath(path))
        inside = [
            name
            for name, folder in self.folders.items()
            if folder in real.parents and LEDGER not in real.relative_to(folder).parts
        ]
        if not inside:
            known = ", ".join(dict.fromkeys(map(str, self.folders.values())))
            raise CacheError(f"{path} is outside the cache {self.root}", _OUTSIDE.format(known))
        name = max(inside, key=lambda name: len(self.folders[name].parts))
        return PurePosixPath(name, *real.relative_to(self.folders[name]).parts).as_posix()

    def path(self, place: str) -> Path:
        """Where a place is now.

        Raises
        ------
        CacheError
            If it is none, or a link leads away from it since.
        """
        name, *parts = PurePosixPath(place).parts or ("",)
        if not is_path(place) or name not in self.folders or not parts or {"..", LEDGER} & set(parts):
            raise CacheError(f"{place!r} is no place in a cache", _OUTSIDE.format("its folders"))
        path = self.folders[name].joinpath(*parts)
        with writing(path, "read"):
            is_link = os.path.realpath(path.parent) != str(path.parent) or path.is_symlink()
        if is_link:
            raise CacheError(f"{path} is a link now", "put the folders back as they were, then try again")
        return path

    def missing_folders(self, path: Path) -> tuple[Path, ...]:
        """Folders to be made before a file can be, the outermost first.

        Raises
        ------
        CacheError
            If the folders can't be looked into.
        """
        found = []
        for folder in path.parents:
            with writing(folder, "read"):
                is_there = folder.exists()
            if is_there or all(folder != top and top not in folder.parents for top in self.folders.values()):
                break
            found.append(folder)
        return tuple(reversed(found))

    def folder_place(self, folder: Path) -> str:
        """The place of one of the folders, or of one in them."""
        tops = [name for name, top in self.folders.items() if folder == top or top in folder.parents]
        name = max(tops, key=lambda name: len(self.folders[name].parts))
        return PurePosixPath(name, *folder.relative_to(self.folders[name]).parts).as_posix()

    def folder(self, place: str) -> Path:
        """Where a place that is a folder is now.

        Raises
        ------
        CacheError
            As `path`.
        """
        return self.folders[place] if place in self.folders else self.path(place)
