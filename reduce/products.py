"""Where products go and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from reduce.errors import OutputError
from reduce.files.layouts import Layout
from reduce.recipe import Level

LOG = ".log"
"""Ending of the log beside a product."""
_LEVEL = re.compile(r"_LVL[0-3]_", re.IGNORECASE)
_SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")


@dataclass(frozen=True, slots=True)
class Output:
    """Where products are written.

    Parameters
    ----------
    folder
        The folder, made when it is needed.
    overwrite
        Whether files that exist are replaced.
    layout
        ``standard`` has the image in SCI, ``liger`` in DATA.
    report
        Whether a page with pictures goes beside each product.
    """

    folder: Path
    overwrite: bool = False
    layout: Layout = "standard"
    report: bool = False
    _sources: dict[Path, Path] = field(default_factory=dict)

    def path(self, source: Path, level: Level, kind: str = "") -> Path:
        """Where the product of a file is written.

        Parameters
        ----------
        source
            The file it is made from, or the first of them.
        level
            Of the product.
        kind
            What it is, if not the exposure itself, such as ``sky``.
        """
        stem = stem_of(source.name)
        name, count = _LEVEL.subn(f"_LVL{int(level)}_", stem)
        if not count:
            name = f"{stem}_LVL{int(level)}"
        return self.folder / f"{name}{'_' + kind if kind else ''}.fits"

    def page(self, path: Path) -> Path:
        """Where the page about a product is written."""
        return path.with_suffix(".html")

    def require_free(self, path: Path, source: Path | None = None) -> None:
        """Refuse early what would be refused when it is written, or would replace what must not be lost.

        Parameters
        ----------
        path
            The product.
        source
            The file it is made from.

        Raises
        ------
        OutputError
            If the file exists and may not be replaced, is the source, or is the product of another source.
        """
        if source is not None:
            other = self._sources.setdefault(path, source)
            if other != source:
                raise OutputError(
                    f"{source} and {other} would both become {path}",
                    "reduce them into different folders with --out",
                )
            if path.exists() and path.samefile(source):
                raise OutputError(
                    f"{path} would replace the file that it is made from", "name another folder with --out"
                )
        if path.with_suffix(LOG).is_dir():
            raise OutputError(f"{path.with_suffix(LOG)} is a folder, and the log would have this name")
        for each in (path, self.page(path)) if self.report else (path,):
            if each.exists() and not self.overwrite:
                raise OutputError(
                    f"{each} exists", "name another folder with --out, or replace it with --overwrite"
                )


def is_fits(name: str) -> bool:
    """True if a file is FITS by its name."""
    return name.lower().endswith(_SUFFIXES)


def stem_of(name: str) -> str:
    """A file name without the ending of FITS files."""
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
