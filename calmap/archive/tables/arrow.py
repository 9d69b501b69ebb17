"""Reading Arrow files, which is what Feather files are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from calmap.archive.tables.locations import is_url, opened
from calmap.archive.tables.shape import Shape


def shape(place: str) -> Shape:
    """Columns of a file, whose rows are read in one go."""
    with _source(place) as source:
        reader = pa.ipc.open_file(source)
        return Shape(tuple(reader.schema.names), None)


def read(
    place: str, columns: Sequence[str], start: int, stop: int | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of some columns."""
    del start, stop
    with _source(place) as source:
        reader = pa.ipc.open_file(source)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number).select(list(columns))
            for offset in range(0, batch.num_rows, rows):
                yield batch.slice(offset, rows)


def _source(place: str) -> pa.NativeFile:
    return pa.PythonFile(opened(place), mode="r") if is_url(place) else pa.memory_map(place)
