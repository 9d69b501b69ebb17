"""Which HDU of one file belongs to which of another."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from calmap.references.fitsfile import FitsFile
from calmap.references.hdu import hdu_name, hdu_version, kind_of


class Pairing(NamedTuple):
    """Numbers of HDUs: pairs, and those in one file only."""

    pairs: tuple[tuple[int, int], ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]


def paired(old: FitsFile, new: FitsFile) -> Pairing:
    """Pair HDUs of the same kind: the primary ones, then by name and version, then in their order."""
    pairs: list[tuple[int, int]] = []
    left, right = list(range(len(old.hdus))), list(range(len(new.hdus)))
    for key in (_as_primary, _by_name, _by_kind):
        for at in tuple(left):
            wanted = key(old.hdus[at], at)
            match = next((other for other in right if key(new.hdus[other], other) == wanted), None)
            if wanted is not None and match is not None:
                pairs.append((at, match))
                left.remove(at)
                right.remove(match)
    return Pairing(tuple(sorted(pairs)), tuple(left), tuple(right))


_Key = Callable[[Any, int], Hashable]


def _as_primary(hdu: Any, index: int) -> Hashable:
    return _by_kind(hdu, index) if index == 0 else None


def _by_name(hdu: Any, index: int) -> Hashable:
    name = hdu_name(hdu)
    return (name, hdu_version(hdu), _by_kind(hdu, index)) if name else None


def _by_kind(hdu: Any, _: int) -> Hashable:
    """Images with and without data are of one kind."""
    return "table" if kind_of(hdu) == "table" else "image"
