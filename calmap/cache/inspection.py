"""Checking mapping files with what is around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from calmap.cache.store import digest, write_atomically
from calmap.cache.surroundings import surroundings
from calmap.cache.targets import Target
from calmap.checks import Fixed, Surroundings, apply_fixes, check_mapping
from calmap.diagnostics import Diagnostic
from calmap.errors import CalmapError
from calmap.model.mapping import load_mapping
from calmap.model.text import read_bytes

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be looked at or written, and why."""

    path: Path
    problem: CalmapError


def attempts(targets: Iterable[Target], act: Callable[[Target], Result]) -> Iterator[Result | Failure]:
    """What is to be had of each file, or why there is nothing; one bad file does not stop the others.

    Parameters
    ----------
    targets
        The files.
    act
        What is done with each, such as the `check` of an `Inspector`.
    """
    for target in targets:
        try:
            result = act(target)
        except CalmapError as problem:
            yield Failure(target.path, problem)
        else:
            yield result


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
