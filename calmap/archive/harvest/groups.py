"""Tables of harvests read group by group, with checksums verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from calmap.archive.harvest.names import NameSet
from calmap.archive.harvest.table import DATASET, FILE, SIZE, names_in
from calmap.errors import CacheError

NAMES = pa.schema([(DATASET, pa.string()), (FILE, pa.binary()), (SIZE, pa.int64())])
"""Columns that tell which file a row is from, and whether that is sure."""


class DamagedError(CacheError):
    """A table of a harvest that can't be read.

    Parameters
    ----------
    path
        The table.
    reason
        What is wrong with it.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} can't be read: {reason}", "--fresh makes it anew")
        self.path = path


def count_of_groups(path: Path) -> int:
    """Number of row groups of a table.

    Raises
    ------
    DamagedError
        If it can't be read.
    """
    with _reading(path) as file:
        return int(file.num_row_groups)


def group_of(path: Path, number: int, schema: pa.Schema) -> pa.Table:
    """Some columns of a row group.

    Raises
    ------
    DamagedError
        If it can't be read.
    """
    with _reading(path) as file:
        table = file.read_row_group(number, columns=schema.names).select(schema.names)
        return table.replace_schema_metadata(schema.metadata).cast(schema)


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError, KeyError) as problem:
        raise DamagedError(path, str(problem)) from problem


def other_rows(path: Path, schema: pa.Schema, named: NameSet) -> Iterator[pa.Table]:
    """Rows of a table whose files are not among those named.

    Raises
    ------
    DamagedError
        If the table can't be read.
    """
    for number in range(count_of_groups(path)):
        table = group_of(path, number, schema)
        yield table.filter(pa.array(~named.contains(names_in(table))))


def count_others(path: Path, named: NameSet) -> tuple[int, int]:
    """Number of rows of a table whose files are not among those named, and of all.

    Raises
    ------
    DamagedError
        If the table can't be read.
    """
    others = every = 0
    for number in range(count_of_groups(path)):
        names = names_in(group_of(path, number, NAMES))
        others += int((~named.contains(names)).sum())
        every += len(names)
    return others, every
