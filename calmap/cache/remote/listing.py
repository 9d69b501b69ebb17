"""The list of checksums of a cache elsewhere, as it is and as it is kept here."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from calmap.cache.remote.manifest import FILE_NAME, MAX_BYTES, Manifest, parse_manifest
from calmap.cache.remote.origin import Origin
from calmap.cache.remote.partial import arriving, settle
from calmap.cache.remote.patience import Patience
from calmap.cache.remote.trouble import AbsentError
from calmap.cache.store import writing
from calmap.errors import CacheError

STATE: Final = ".origin"
_FRESH: Final = 60.0
_NEW, _KEPT = "new", "kept"


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The list of checksums of a cache.

    Parameters
    ----------
    origin
        The cache.
    root
        The folder here.
    patience
        How often it is asked for.
    """

    origin: Origin
    root: Path
    patience: Patience
    _lists: dict[str, tuple[float, Manifest | None]] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> Path:
        """Where the list is kept here."""
        return self.root / STATE / FILE_NAME

    @property
    def is_writable(self) -> bool:
        """Whether files can be put here."""
        there = next(path for path in self.path.parents if path.exists())
        return os.access(there, os.W_OK)

    @property
    def is_known(self) -> bool:
        """Whether anything was learned of the cache earlier."""
        folder = self.path.parent
        return folder.is_dir() and any(folder.glob("[!.]*"))

    def manifest(self, *, fresh: bool = False) -> Manifest | None:
        """The list, or None if the cache has none.

        Parameters
        ----------
        fresh
            Whether to ask for it, unless that was done a moment ago; else one
            that was kept will do.

        Raises
        ------
        CacheError
            If it can't be fetched or used, or the cache had one and has none any more.
        """
        if fresh and time.monotonic() - self._lists.get(_NEW, (-_FRESH, None))[0] >= _FRESH:
            self._lists[_NEW] = (time.monotonic(), self._asked())
        for age in (_NEW, _KEPT):
            if age in self._lists:
                return self._lists[age][1]
        kept = self._kept()
        if kept is None:
            return self.manifest(fresh=True)
        self._lists[_KEPT] = (0.0, kept)
        return kept

    def has_newer(self) -> bool:
        """Whether the list that was kept, and not asked for since, is no longer that of the cache.

        Raises
        ------
        CacheError
            If that can't be found out.
        """
        before = self.manifest()
        return before is not None and _NEW not in self._lists and self.manifest(fresh=True) != before

    def _kept(self) -> Manifest | None:
        with writing(self.path, "read"):
            try:
                data = self.path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return parse_manifest(data, str(self.path))

    def _asked(self) -> Manifest | None:
        """The list as it is now; kept here too."""
        try:
            with self._scratch() as part:
                self.patience.tried(lambda: self.origin.copy(FILE_NAME, part, limit=MAX_BYTES))
                with writing(part, "read"):
                    data = part.read_bytes()
                found = parse_manifest(data, self.origin.shown(FILE_NAME))
                if part.parent == self.path.parent:
                    settle(part, self.path)
                return found
        except AbsentError:
            if self.path.exists():
                message = f"{self.origin} has lost its list of checksums, {FILE_NAME}"
                raise CacheError(message, f"if that is meant, remove {self.path}") from None
            return None

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Where to put the list at first; in a mirror that others keep it is not kept."""
        if self.is_writable:
            with arriving(self.path) as part:
                yield part
        else:
            with TemporaryDirectory(prefix="calmap-") as folder:
                yield Path(folder, FILE_NAME)
