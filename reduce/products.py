"""Where products go and what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reduce.errors import OutputError
from reduce.files.atomic import give_name
from reduce.files.layouts import Layout
from reduce.recipe import Level

LOG = ".log"
"""Ending of the log beside a product."""
_LEVEL = re.compile(r"_LVL[0-3](?=_|$)", re.IGNORECASE)
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
    logged
        Whether a log goes beside each product.
    drafts
        Another folder of the same file system, where products are written first; each gets its place with
        `publish`. None to write them to their place.
    """

    folder: Path
    overwrite: bool = False
    layout: Layout = "standard"
    report: bool = False
    logged: bool = True
    drafts: Path | None = None
    _sources: dict[Path, Path] = field(default_factory=dict)
    _kept: dict[tuple[int, int], Path] = field(default_factory=dict)

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
        name, count = _LEVEL.subn(f"_LVL{int(level)}", stem)
        if not count:
            name = f"{stem}_LVL{int(level)}"
        return self.folder / f"{name}{'_' + kind if kind else ''}.fits"

    def draft(self, path: Path) -> Path:
        """Where a product is written first."""
        return path if self.drafts is None else self.drafts / path.name

    def publish(self, path: Path, drafts: Path) -> None:
        """Bring a product, and what goes beside it, from where they were written first to their place.

        Raises
        ------
        OutputError
            If one of them exists there and may not be replaced, or can't be brought there.
        """
        self._require_not_kept(path)
        for each in self._written(path):
            give_name(drafts / each.name, each, overwrite=self.overwrite)

    def page(self, path: Path) -> Path:
        """Where the page about a product is written."""
        return path.with_suffix(".html")

    def keep(self, paths: Iterable[Path]) -> None:
        """Never replace some files, such as inputs and references, not even if that is allowed."""
        for path in paths:
            if (identity := _identity(path)) is not None:
                self._kept.setdefault(identity, path)

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
            If the file, its log or its page exists and may not be replaced, or is a file that is kept; if
            the file is the source, or the product of another source.
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
        for each in self._written(path):
            self._require_free(each)
            if not self.overwrite and self.drafts is not None and self.draft(each).exists():
                raise _exists(each)

    def _written(self, path: Path) -> Iterator[Path]:
        """A product and what goes beside it."""
        yield path
        if self.logged:
            yield path.with_suffix(LOG)
        if self.report:
            yield self.page(path)

    def _require_free(self, path: Path) -> None:
        if path.suffix == LOG and path.is_dir():
            raise OutputError(f"{path} is a folder, and the log would have this name")
        self._require_not_kept(path)
        if _identity(path) is not None and not self.overwrite:
            raise _exists(path)

    def _require_not_kept(self, path: Path) -> None:
        if _identity(path) in self._kept:
            raise OutputError(
                f"{path} would be replaced, and it is an input or a reference of this reduction",
                "name another folder with --out",
            )


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path} exists", "name another folder with --out, or replace it with --overwrite")


def _identity(path: Path) -> tuple[int, int] | None:
    """What a file has in common with itself under other names; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_fits(name: str) -> bool:
    """True if a file is FITS by its name."""
    return name.lower().endswith(_SUFFIXES)


def stem_of(name: str) -> str:
    """A file name without the ending of FITS files."""
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
