"""Where in a table of a harvest the rows of each file are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from calmap.archive.harvest.groups import NAMES, count_of_groups, group_of
from calmap.archive.harvest.names import hashes
from calmap.archive.harvest.table import SIZE, names_in

Numbers = npt.NDArray[np.int64]


class Index(NamedTuple):
    """Where rows of files are, in the order of hashes of names."""

    hashes: Numbers
    starts: Numbers
    counts: Numbers


def index_of(path: Path) -> tuple[Numbers, Index]:
    """Numbers of rows of the groups of a table, and where the rows of each file are."""
    lengths: list[int] = []
    every = [np.empty(0, np.int64)]
    settled = [np.empty(0, bool)]
    for number in range(count_of_groups(path)):
        table = group_of(path, number, NAMES)
        lengths.append(table.num_rows)
        every.append(hashes(names_in(table)))
        settled.append(table[SIZE].is_valid().to_numpy())
    rows = np.concatenate(every)
    changes = np.ones(len(rows), dtype=bool)
    changes[1:] = rows[1:] != rows[:-1]
    starts = np.flatnonzero(changes)
    counts = np.diff(starts, append=len(rows))
    kept = np.concatenate(settled)[starts]
    return np.array(lengths, np.int64), Index(rows[starts][kept], starts[kept], counts[kept])


def in_order(parts: Sequence[Index]) -> Index:
    """One index of several; of equal names the first comes first."""
    none = np.empty(0, np.int64)
    found = Index(*(np.concatenate((none, *each)) for each in zip(*parts, strict=True))) if parts else None
    if found is None:
        return Index(none, none, none)
    order = np.argsort(found.hashes, kind="stable")
    return Index(*(each[order] for each in found))
