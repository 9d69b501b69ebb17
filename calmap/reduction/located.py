"""Files that are called by one name and found by another, wherever the current folder is."""

from __future__ import annotations

import os
import sys
from dataclasses import fields, replace
from pathlib import Path

from calmap.cache.layout import Layout
from reduce.references import Overrides, Resolver

if sys.platform == "win32":
    from pathlib import WindowsPath as _OwnPath
else:
    from pathlib import PosixPath as _OwnPath


class Located(_OwnPath):
    """A path that is shown as it is, and starts from a folder of its own where the system is asked for it.

    When it is sent, only the name is. See `located`, which makes it.
    """

    folder: str

    def __fspath__(self) -> str:
        return f"{self.folder}{os.sep}{self}"

    def __truediv__(self, other: str | os.PathLike[str]) -> Path:  # type: ignore[override]
        return located(Path(str(self)) / other, Path(self.folder))

    @property
    def parent(self) -> Path:  # type: ignore[override]
        """See `pathlib.PurePath.parent`."""
        return located(Path(str(self)).parent, Path(self.folder))

    def with_name(self, name: str) -> Path:  # type: ignore[override]
        """See `pathlib.PurePath.with_name`."""
        return located(Path(str(self)).with_name(name), Path(self.folder))

    def with_suffix(self, suffix: str) -> Path:  # type: ignore[override]
        """See `pathlib.PurePath.with_suffix`."""
        return located(Path(str(self)).with_suffix(suffix), Path(self.folder))

    def absolute(self) -> Path:  # type: ignore[override]
        """See `pathlib.Path.absolute`."""
        return Path(os.fspath(self))

    def __reduce__(self) -> tuple[type[Path], tuple[str]]:
        return Path, (str(self),)


def located(path: Path, folder: Path) -> Path:
    """A path that is found from a folder, whatever the current one is, but called as before."""
    if path.is_absolute():
        return path
    found = Located(str(path))
    found.folder = str(folder)
    return found


def located_overrides(resolver: Resolver, folder: Path) -> Resolver:
    """A resolver whose files that somebody named are found from a folder."""
    if not isinstance(resolver, Overrides):
        return resolver
    files = {reftype: path and located(path, folder) for reftype, path in resolver.files.items()}
    others = resolver.others and located_overrides(resolver.others, folder)
    return replace(resolver, files=files, others=others)


def located_layout(layout: Layout, folder: Path) -> Layout:
    """A cache whose folders are found from a folder."""
    places = {one.name: getattr(layout, one.name) for one in fields(layout) if one.init}
    return replace(
        layout, **{name: folder / place for name, place in places.items() if isinstance(place, Path)}
    )
