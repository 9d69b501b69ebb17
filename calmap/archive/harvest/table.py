"""The table of a harvest: its columns, and files that hold it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from calmap.archive.harvest.reading import Column, Stamp

DATASET, FILE, SIZE, TIME = "dataset", "harvest_file", "harvest_size", "harvest_mtime_ns"
ROWS = 50_000
"""Rows of a group of a Parquet file."""

_MARK = b"calmap.harvest"
_VERSION = 1
"""To be raised when headers are read in another way than before."""


class Output(Protocol):
    """A file that rows are written to."""

    def write(self, table: pa.Table) -> None:
        """Take more rows."""


def harvest_schema(keywords: Sequence[str]) -> pa.Schema:
    """Columns of a table with some keywords."""
    texts = (DATASET, *keywords)
    fields = [pa.field(name, pa.string()) for name in texts]
    fields += [pa.field(FILE, pa.binary()), pa.field(SIZE, pa.int64()), pa.field(TIME, pa.int64())]
    return pa.schema(fields, {_MARK: json.dumps({"version": _VERSION}).encode("ascii")})


def harvested_keywords(path: Path) -> tuple[str, ...] | None:
    """Keywords that a table of a harvest has, or None if a file is no such table, or damaged.

    Raises
    ------
    OSError
        If it can't be read.
    """
    try:
        schema = pq.read_schema(path)
        marked = json.loads((schema.metadata or {})[_MARK])
    except (pa.ArrowException, KeyError, ValueError):
        return None
    keywords = tuple(schema.names[1:-3])
    wanted = harvest_schema(keywords)
    known = isinstance(marked, dict) and marked.get("version") == _VERSION
    return keywords if known and schema.remove_metadata() == wanted.remove_metadata() else None


def table_of(
    schema: pa.Schema,
    files: Sequence[tuple[str, Stamp | None, int]],
    datasets: Sequence[str],
    columns: Sequence[Column],
) -> pa.Table:
    """Rows that were read.

    Parameters
    ----------
    schema
        From `harvest_schema`.
    files
        Name, stamp and number of rows of each file, in the order of the rows.
    datasets, columns
        Names of the datasets, and values for each keyword.
    """
    names: list[bytes | None] = []
    sizes: list[int | None] = []
    times: list[int | None] = []
    row = 0
    for name, stamp, rows in files:
        for dataset in datasets[row : row + rows]:
            names.append(None if dataset == name and _is_plain(name) else name_key(name))
        sizes += [stamp and stamp.size] * rows
        times += [stamp and stamp.mtime_ns] * rows
        row += rows
    arrays = [_texts(datasets), *map(_texts, columns)]
    arrays += [pa.array(names, pa.binary()), pa.array(sizes, pa.int64()), pa.array(times, pa.int64())]
    return pa.Table.from_arrays(arrays, schema=schema)


def name_key(name: str) -> bytes:
    """The bytes of a file's name."""
    return os.fsencode(name)


def names_in(table: pa.Table) -> list[bytes]:
    """The bytes of the names of the files that rows come from."""
    named = pc.coalesce(table[FILE], table[DATASET].cast(pa.binary()), pa.scalar(b""))
    names: list[bytes] = named.to_pylist()
    return names


class ParquetOutput:
    """A Parquet file; the same rows give the same bytes, in whatever portions they come.

    Parameters
    ----------
    file
        Where to write.
    schema
        The columns.
    """

    __slots__ = ("_count", "_schema", "_waiting", "_writer")

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        self._schema = schema
        self._writer: Any = pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True)
        self._waiting: list[pa.Table] = []
        self._count = 0

    def write(self, table: pa.Table) -> None:
        """Take more rows."""
        self._waiting.append(table)
        self._count += table.num_rows
        while self._count >= ROWS:
            self._write_group()

    def close(self) -> None:
        """Write what is left, and the end."""
        if self._count:
            self._write_group()
        self._writer.close()

    def give_up(self) -> None:
        """End without caring for what the file holds."""
        with suppress(Exception):
            self._writer.close()
        self._writer.is_open = False

    def _write_group(self) -> None:
        waiting = pa.concat_tables(self._waiting)
        group = waiting.slice(0, ROWS).combine_chunks()
        self._writer.write_table(group, row_group_size=ROWS)
        rest = waiting.slice(ROWS)
        self._waiting = [rest] if rest.num_rows else []
        self._count = rest.num_rows


class CsvOutput:
    """A CSV file; a missing value is an empty field, an empty text is ``""``."""

    __slots__ = ("_names", "_writer")

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        self._names = schema.names[:-3]
        fields = pa.schema([schema.field(name) for name in self._names])
        self._writer: Any = pyarrow.csv.CSVWriter(file, fields)

    def write(self, table: pa.Table) -> None:
        """Take more rows."""
        self._writer.write_table(table.select(self._names))

    def close(self) -> None:
        """Write the end."""
        self._writer.close()

    def give_up(self) -> None:
        """End without caring for what the file holds."""
        with suppress(Exception):
            self._writer.close()


@contextmanager
def writing_table(file: IO[bytes], schema: pa.Schema, suffix: str = ".parquet") -> Iterator[Output]:
    """A table to write rows to; the file is complete only if nothing was raised."""
    output = CsvOutput(file, schema) if suffix == ".csv" else ParquetOutput(file, schema)
    try:
        yield output
        output.close()
    except BaseException:
        output.give_up()
        raise


def _texts(values: Sequence[str | None]) -> pa.Array:
    """Text for a column; what is no UTF-8, as names of files may be, with backslashes in its place."""
    try:
        return pa.array(values, pa.string())
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return pa.array([value and _plain(value) for value in values], pa.string())


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_plain(text: str) -> bool:
    return text.isascii() or _plain(text) == text
