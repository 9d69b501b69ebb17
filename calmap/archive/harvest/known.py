"""Rows that were read before, found again by the names of their files."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from calmap.archive.harvest.groups import DamagedError, group_of
from calmap.archive.harvest.index import Index, Numbers, in_order, index_of
from calmap.archive.harvest.names import hashes
from calmap.archive.harvest.reading import Named, Stamp
from calmap.archive.harvest.table import SIZE, TIME, name_key, names_in

MOST_ROWS = 200_000
"""Rows that are taken over at once."""

_GROUPS_KEPT = 4


class Known(NamedTuple):
    """What is known of some files.

    Parameters
    ----------
    files
        The files, with the stamp of those that are known.
    spans
        First row and number of rows of each in the table.
    table
        Rows of the files that are known.
    """

    files: tuple[Named, ...]
    spans: tuple[tuple[int, int], ...]
    table: pa.Table

    def part(self, start: int, end: int) -> Known:
        """What is known of some of the files, which follow each other."""
        spans = self.spans[start:end]
        used = [span for span in spans if span[1]]
        first = used[0][0] if used else 0
        last = sum(used[-1]) if used else 0
        moved = tuple((row - first, count) for row, count in spans)
        return Known(self.files[start:end], moved, self.table.slice(first, last - first))


class KnownRows:
    """Rows of finished tables of harvests.

    Parameters
    ----------
    paths
        The tables; where a file is in more than one, the first counts. One that is
        damaged is passed over, also when that is only seen later.
    schema
        The columns wanted; each table must have them.
    """

    def __init__(self, paths: Sequence[Path], schema: pa.Schema) -> None:
        self._paths = tuple(paths)
        self._schema = schema
        self._groups: list[tuple[Path, int]] = []
        self._firsts: list[int] = []
        self._kept: OrderedDict[int, pa.Table] = OrderedDict()
        self._index = self._indexed()

    def find(self, names: Sequence[str]) -> Known:
        """What is known of some files."""
        while True:
            try:
                return self._find(names)
            except DamagedError as problem:
                self._forget(problem.path)

    def _find(self, names: Sequence[str]) -> Known:
        keys = [name_key(name) for name in names]
        starts, counts = self._places(keys)
        chosen = np.flatnonzero((counts > 0) & (np.cumsum(counts) <= MOST_ROWS))
        table = self._rows(_ranges(starts[chosen], counts[chosen]))
        firsts = np.cumsum(counts[chosen]) - counts[chosen]
        heads = table.take(pa.array(firsts)) if len(chosen) else table
        stamps: list[Stamp | None] = [None] * len(names)
        spans = [(0, 0)] * len(names)
        columns = (names_in(heads), heads[SIZE].to_pylist(), heads[TIME].to_pylist())
        for place, first, name, size, mtime_ns in zip(
            chosen.tolist(), firsts.tolist(), *columns, strict=True
        ):
            if name == keys[place]:
                stamps[place] = Stamp(size, mtime_ns)
                spans[place] = (first, int(counts[place]))
        return Known(tuple(map(Named, names, stamps)), tuple(spans), table)

    def _places(self, keys: Sequence[bytes]) -> tuple[Numbers, Numbers]:
        """First row and number of rows by name; 0 rows where a name is not known."""
        index, wanted = self._index, hashes(keys)
        if not len(index.hashes):
            return np.zeros_like(wanted), np.zeros_like(wanted)
        places = np.minimum(np.searchsorted(index.hashes, wanted), len(index.hashes) - 1)
        return index.starts[places], np.where(index.hashes[places] == wanted, index.counts[places], 0)

    def _rows(self, numbers: Numbers) -> pa.Table:
        """Rows by number, in the order asked for."""
        order = np.argsort(numbers, kind="stable")
        wanted = numbers[order]
        tables = [self._schema.empty_table()]
        for group, first, here in self._by_group(wanted):
            tables.append(self._group(group).take(pa.array(here - first)))
        table = pa.concat_tables(tables)
        if np.array_equal(wanted, numbers):
            return table
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return table.combine_chunks().take(pa.array(back))

    def _by_group(self, wanted: Numbers) -> Iterator[tuple[int, int, Numbers]]:
        while len(wanted):
            group = bisect_right(self._firsts, int(wanted[0])) - 1
            end = len(wanted)
            if group + 1 < len(self._firsts):
                end = int(np.searchsorted(wanted, self._firsts[group + 1]))
            yield group, self._firsts[group], wanted[:end]
            wanted = wanted[end:]

    def _group(self, group: int) -> pa.Table:
        """A row group; the last few are kept."""
        if group not in self._kept:
            path, number = self._groups[group]
            self._kept[group] = group_of(path, number, self._schema)
            if len(self._kept) > _GROUPS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(group)
        return self._kept[group]

    def _forget(self, path: Path) -> None:
        self._paths = tuple(known for known in self._paths if known != path)
        self._index = self._indexed()

    def _indexed(self) -> Index:
        """Look through all tables, and pass over those that can't be read."""
        self._groups, self._firsts = [], []
        self._kept.clear()
        row = 0
        parts: list[Index] = []
        for path in self._paths:
            try:
                lengths, index = index_of(path)
            except DamagedError:
                continue
            self._groups += [(path, number) for number in range(len(lengths))]
            self._firsts += [row + int(first) for first in np.cumsum(lengths) - lengths]
            parts.append(index._replace(starts=index.starts + row))
            row += int(lengths.sum())
        return in_order(parts)


def _ranges(starts: Numbers, counts: Numbers) -> Numbers:
    """``starts[0] … starts[0] + counts[0] - 1``, and so on."""
    if not len(starts):
        return np.empty(0, np.int64)
    before = np.cumsum(counts) - counts
    numbers: Numbers = np.arange(counts.sum()) + np.repeat(starts - before, counts)
    return numbers
