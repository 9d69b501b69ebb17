"""Checking mapping files with what is around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from calmap.cache.store import digest, write_atomically
from calmap.cache.surroundings import surroundings
from calmap.cache.targets import Target
from calmap.checks import Fixed, Surroundings, apply_fixes, check_mapping
from calmap.diagnostics import Diagnostic
from calmap.model.mapping import load_mapping, read_bytes


class Inspector:
    """Checks any number of files; what is around them is read once."""

    def __init__(self) -> None:
        self._around: dict[tuple[object, ...], Surroundings] = {}

    def check(self, target: Target) -> tuple[Diagnostic, ...]:
        """Everything that is to be said of a file.

        Raises
        ------
        CacheError
            If the file can't be read.
        """
        around = self._surroundings(target)
        mapping = around.mapping(target.path.name)
        if mapping is None or mapping.path != target.path:
            mapping = load_mapping(target.path)
        return check_mapping(mapping, around)

    def mended(self, target: Target, wanted: Callable[[Diagnostic], bool]) -> tuple[bytes, Fixed]:
        """The bytes of a file, and what its safe fixes make of it; nothing is written.

        Raises
        ------
        CacheError
            If the file can't be read.
        """
        data = read_bytes(target.path)
        return data, apply_fixes(target.path, data, self._surroundings(target), wanted=wanted)

    def mend(self, target: Target, wanted: Callable[[Diagnostic], bool]) -> Fixed:
        """Apply the safe fixes of a file and write it, if any were.

        Raises
        ------
        FileChangedError
            If the file was changed by somebody else meanwhile.
        CacheError
            If the file can't be read or written.
        """
        data, fixed = self.mended(target, wanted)
        if fixed.applied:
            write_atomically(target.path, fixed.text.encode("utf-8"), digest(data))
        return fixed

    def _surroundings(self, target: Target) -> Surroundings:
        folder: Path | None = None if target.layout else target.path.parent
        key = (target.layout, folder, target.telescope)
        if key not in self._around:
            self._around[key] = surroundings(target.path, target.layout, target.telescope)
        return self._around[key]
