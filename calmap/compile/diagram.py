"""Decision diagrams: a function of several parameters with few values each, kept small by sharing parts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Generic, TypeAlias, TypeVar

Leaf = TypeVar("Leaf", bound=Hashable)
Box: TypeAlias = "tuple[frozenset[int] | None, ...]"
"""For each parameter the numbers of some of its values, or None for all of them."""


class TooLargeError(ValueError):
    """A diagram would have more parts than can be made in a moment."""


@dataclass(frozen=True, slots=True, eq=False)
class Split(Generic[Leaf]):
    """A parameter, and what follows for each group of its values."""

    dimension: int
    branches: tuple[tuple[frozenset[int], Split[Leaf] | Leaf], ...]


@dataclass(slots=True)
class Diagrams(Generic[Leaf]):
    """Makes diagrams over parameters with some numbers of values; equal parts are made once.

    Parameters
    ----------
    sizes
        For each parameter how many values it has.
    limit
        How many parts there may be.
    """

    sizes: tuple[int, ...]
    limit: int
    _made: dict[Hashable, Split[Leaf]] = field(default_factory=dict)

    @property
    def parts(self) -> int:
        """How many parts have been made."""
        return len(self._made)

    def split(self, dimension: int, branch: Callable[[int], Split[Leaf] | Leaf]) -> Split[Leaf] | Leaf:
        """A part in which the values of a parameter that lead to the same are together.

        Raises
        ------
        TooLargeError
            If there are too many parts.
        """
        groups: dict[Split[Leaf] | Leaf, set[int]] = {}
        for value in range(self.sizes[dimension]):
            groups.setdefault(branch(value), set()).add(value)
        if len(groups) == 1:
            return next(iter(groups))
        key = dimension, tuple((frozenset(values), child) for child, values in groups.items())
        if key not in self._made:
            if len(self._made) >= self.limit:
                raise TooLargeError(f"more than {self.limit:,} cases")
            self._made[key] = Split(dimension, tuple((values, child) for values, child in key[1]))
        return self._made[key]


def count(node: Split[Leaf] | Leaf, sizes: tuple[int, ...], wanted: Callable[[Leaf], bool]) -> int:
    """How many combinations of values lead to wanted leaves."""
    known: dict[Split[Leaf] | Leaf, Fraction] = {}

    def share(part: Split[Leaf] | Leaf) -> Fraction:
        if part not in known:
            if isinstance(part, Split):
                shares = (len(values) * share(child) for values, child in part.branches)
                known[part] = sum(shares, Fraction()) / sizes[part.dimension]
            else:
                known[part] = Fraction(int(wanted(part)))
        return known[part]

    return int(share(node) * prod(sizes))


def count_boxes(node: Split[Leaf] | Leaf, wanted: Callable[[Leaf], bool]) -> int:
    """How many boxes `boxes` gives."""
    return _paths(node, wanted, {})


def boxes(
    node: Split[Leaf] | Leaf, dimensions: int, wanted: Callable[[Leaf], bool]
) -> Iterator[tuple[Box, Leaf]]:
    """Boxes without overlap that together are all combinations with wanted leaves."""
    known: dict[Split[Leaf] | Leaf, int] = {}

    def below(part: Split[Leaf] | Leaf, box: Box) -> Iterator[tuple[Box, Leaf]]:
        if not _paths(part, wanted, known):
            return
        if not isinstance(part, Split):
            yield box, part
            return
        at = part.dimension
        for values, child in part.branches:
            yield from below(child, (*box[:at], values, *box[at + 1 :]))

    yield from below(node, (None,) * dimensions)


def _paths(
    part: Split[Leaf] | Leaf, wanted: Callable[[Leaf], bool], known: dict[Split[Leaf] | Leaf, int]
) -> int:
    if part not in known:
        if isinstance(part, Split):
            known[part] = sum(_paths(child, wanted, known) for _, child in part.branches)
        else:
            known[part] = int(wanted(part))
    return known[part]


def merged(found: list[Box], sizes: tuple[int, ...]) -> list[Box]:
    """Boxes joined where they differ in one parameter only."""
    before = 0
    while before != len(found):
        before = len(found)
        for at in reversed(range(len(sizes))):
            groups: dict[Box, set[int]] = {}
            for box in found:
                rest = (*box[:at], frozenset[int](), *box[at + 1 :])
                whole = box[at]
                groups.setdefault(rest, set()).update(range(sizes[at]) if whole is None else whole)
            found = [
                (*box[:at], None if len(values) == sizes[at] else frozenset(values), *box[at + 1 :])
                for box, values in groups.items()
            ]
    return found
