"""Reading Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from calmap.archive.tables.locations import opened
from calmap.archive.tables.shape import Shape

_UNIQUE = 4
"""Bytes that a text takes, at least, where most have a value of their own."""


def shape(place: str) -> Shape:
    """Columns and row groups of a file."""
    with opened(place) as file:
        metadata = pq.ParquetFile(file).metadata
        sizes = tuple(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
        return Shape(tuple(metadata.schema.to_arrow_schema().names), sizes)


def read(
    place: str, columns: Sequence[str], start: int, stop: int | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of some columns of some row groups; texts that repeat themselves come as codes."""
    with opened(place) as handle:
        known = pq.ParquetFile(handle)
        repeated = _repeated(known.metadata)
        texts = [name for name in columns if pa.types.is_string(known.schema_arrow.field(name).type)]
        handle.seek(0)
        file = pq.ParquetFile(
            handle, read_dictionary=[name for name in texts if name in repeated], pre_buffer=True
        )
        groups = range(start, file.num_row_groups if stop is None else stop)
        yield from file.iter_batches(rows, list(groups), list(columns))


def _repeated(metadata: pq.FileMetaData) -> set[str]:
    """Columns that take so little room that their values must repeat themselves."""
    if not metadata.num_row_groups:
        return set()
    group = metadata.row_group(0)
    chunks = (group.column(number) for number in range(group.num_columns))
    return {
        chunk.path_in_schema for chunk in chunks if chunk.total_uncompressed_size < _UNIQUE * chunk.num_values
    }
