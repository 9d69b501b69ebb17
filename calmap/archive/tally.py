"""Numbers of rows, counted in parts that add up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

MOST_EXAMPLES = 5
_SMALL = 4096


class Case(NamedTuple):
    """What rows have in common that are counted together.

    Parameters
    ----------
    instrument, reftype
        In lower case.
    answers
        Status and files; or what two contexts answer, the older first.
    """

    instrument: str
    reftype: str
    answers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of some rows; the sum of two is the tally of the rows of both.

    Parameters
    ----------
    rows
        How many rows there are.
    bad
        How many of them have a header that names no known instrument.
    examples
        The first of these.
    affected
        How many rows have at least one case, where not all have.
    instruments
        How many rows each instrument has.
    counts
        How many rows there are of each case.
    """

    rows: int = 0
    bad: int = 0
    examples: tuple[str, ...] = ()
    affected: int = 0
    instruments: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[Case, int] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.rows + other.rows,
            self.bad + other.bad,
            (self.examples + other.examples)[:MOST_EXAMPLES],
            self.affected + other.affected,
            _added(self.instruments, other.instruments),
            _added(self.counts, other.counts),
        )

    def by_type(self) -> Mapping[tuple[str, str], Mapping[tuple[str, str], int]]:
        """Counts of answers by instrument and type, both in alphabetical order."""
        found: dict[tuple[str, str], dict[tuple[str, str], int]] = {}
        for case in sorted(self.counts):
            found.setdefault(case[:2], {})[case.answers] = self.counts[case]
        return found


def counted(*codes: Any) -> Iterator[tuple[tuple[int, ...], int]]:
    """How often combinations of codes occur; those with a code below 0 are left out."""
    columns = list(codes)
    if any(column.min(initial=0) < 0 for column in columns):
        kept = np.logical_and.reduce([column >= 0 for column in columns])
        columns = [column[kept] for column in columns]
    if not columns[0].size:
        return
    sizes = [int(column.max()) + 1 for column in columns]
    mixed = np.zeros(len(columns[0]), np.int64)
    for column, size in zip(columns, sizes, strict=True):
        mixed *= size
        mixed += column
    values, numbers = _occurring(mixed, math.prod(sizes))
    for code, number in zip(
        np.stack(np.unravel_index(values, sizes), 1).tolist(), numbers.tolist(), strict=True
    ):
        yield tuple(code), number


def _occurring(codes: Any, size: int) -> tuple[Any, Any]:
    """Codes that occur, ascending, and how often."""
    if size > max(len(codes), _SMALL):
        return np.unique(codes, return_counts=True)
    numbers = np.bincount(codes)
    values = np.flatnonzero(numbers)
    return values, numbers[values]


def _added(one: Mapping[Any, int], other: Mapping[Any, int]) -> Mapping[Any, int]:
    if not one or not other:
        return one or other
    total = dict(one)
    for key, number in other.items():
        total[key] = total.get(key, 0) + number
    return total
