"""Reading Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from calmap.archive.tables.locations import opened
from calmap.archive.tables.shape import Shape


def shape(place: str) -> Shape:
    """Columns and row groups of a file."""
    with opened(place) as file:
        metadata = pq.ParquetFile(file).metadata
        sizes = tuple(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
        return Shape(tuple(metadata.schema.to_arrow_schema().names), sizes)


def read(
    place: str, columns: Sequence[str], start: int, stop: int | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of some columns of some row groups; text comes as codes with a dictionary."""
    with opened(place) as handle:
        schema = pq.ParquetFile(handle).schema_arrow
        handle.seek(0)
        texts = [name for name in columns if pa.types.is_string(schema.field(name).type)]
        file = pq.ParquetFile(handle, read_dictionary=texts, pre_buffer=True)
        groups = range(start, file.num_row_groups if stop is None else stop)
        yield from file.iter_batches(rows, list(groups), list(columns))
