"""Names of very many files, remembered in sixteen bytes each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


def hashes(names: Sequence[bytes]) -> Hashes:
    """Numbers that tell names apart, nearly always; other ones in every process."""
    return np.fromiter(map(hash, names), dtype=np.int64, count=len(names))


class _Keys(NamedTuple):
    """Two numbers for each name, in the order of the first."""

    first: Hashes
    second: Hashes

    def holds(self, other: _Keys) -> Truths:
        if not len(self.first):
            return np.zeros(len(other.first), dtype=bool)
        places = np.minimum(np.searchsorted(self.first, other.first), len(self.first) - 1)
        found: Truths = (self.first[places] == other.first) & (self.second[places] == other.second)
        return found

    def with_others(self, other: _Keys) -> _Keys:
        return _ordered(
            np.concatenate((self.first, other.first)), np.concatenate((self.second, other.second))
        )


class NameSet:
    """Names that have come up.

    Of each name 128 bits are kept, so that the chance that any two of ten million
    names are mixed up is below 10⁻²³. They are in sorted arrays, each at least twice
    as long as the next.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[_Keys] = []

    def add(self, names: Sequence[bytes]) -> list[bool]:
        """Take in names; true for each that had not come up before."""
        distinct = list(dict.fromkeys(names))
        keys = _keys(distinct)
        new = ~self._contains(keys)
        self._take(_ordered(keys.first[new], keys.second[new]))
        fresh = {name for name, is_new in zip(distinct, new.tolist(), strict=True) if is_new}
        answers = []
        for name in names:
            answers.append(name in fresh)
            fresh.discard(name)
        return answers

    def contains(self, names: Sequence[bytes]) -> Truths:
        """True for each name that has come up."""
        return self._contains(_keys(names))

    def _contains(self, keys: _Keys) -> Truths:
        found = np.zeros(len(keys.first), dtype=bool)
        for part in self._parts:
            found |= part.holds(keys)
        return found

    def _take(self, keys: _Keys) -> None:
        if len(keys.first):
            self._parts.append(keys)
        while len(self._parts) > 1 and len(self._parts[-2].first) < 2 * len(self._parts[-1].first):
            last = self._parts.pop()
            self._parts[-1] = self._parts[-1].with_others(last)


def _keys(names: Sequence[bytes]) -> _Keys:
    return _Keys(hashes(names), hashes([name + b"\0" for name in names]))


def _ordered(first: Hashes, second: Hashes) -> _Keys:
    order = np.argsort(first, kind="stable")
    return _Keys(first[order], second[order])
