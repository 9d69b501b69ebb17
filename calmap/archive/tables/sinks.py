"""Formats in which tables are written."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from calmap.archive.tables.fits_writing import fits_pieces
from calmap.archive.tables.spool import Spool

GROUP_ROWS = 1 << 17
"""Rows that are written at a time."""


class Sink(Protocol):
    """Writes batches of rows to a file in some format."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what comes last."""

    def discard(self) -> None:
        """Let go of the file, whatever state it is in."""


class _Parquet:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.file = path.open("wb")
        # Of columns with a dictionary, statistics would cost half of the time and tell nothing.
        plain = [field.name for field in schema if not pa.types.is_dictionary(field.type)]
        self.writer = pq.ParquetWriter(
            self.file, schema, compression="zstd", version="2.6", write_statistics=plain
        )

    def write(self, batch: pa.RecordBatch) -> None:
        self.writer.write_batch(batch, row_group_size=GROUP_ROWS)

    def close(self) -> None:
        self.writer.close()
        self.file.close()

    def discard(self) -> None:
        for opened in (self.writer, self.file):
            with suppress(OSError, ValueError):
                opened.close()


class _Csv:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.file = path.open("wb")
        self.schema = pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])
        self.file.write(self.heading(schema).encode())
        options = pacsv.WriteOptions(include_header=False)
        self.writer = pacsv.CSVWriter(self.file, self.schema, write_options=options)

    def heading(self, schema: pa.Schema) -> str:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(schema.names)
        return line.getvalue()

    def write(self, batch: pa.RecordBatch) -> None:
        self.writer.write_batch(batch.cast(self.schema))

    def close(self) -> None:
        self.writer.close()
        self.file.close()

    def discard(self) -> None:
        for opened in (self.writer, self.file):
            with suppress(OSError, ValueError):
                opened.close()


class _Ecsv(_Csv):
    def heading(self, schema: pa.Schema) -> str:
        from astropy.table import Table

        kinds = ["int64" if pa.types.is_integer(field.type) else "str" for field in schema]
        text = io.StringIO()
        Table(names=schema.names, dtype=kinds).write(text, format="ascii.ecsv", delimiter=",")
        return text.getvalue()


class _Fits:
    """Keeps the rows beside the file until all are known."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.spool = Spool(path.with_name(f"{path.name}.rows"), schema)

    def write(self, batch: pa.RecordBatch) -> None:
        self.spool.add(batch)

    def close(self) -> None:
        try:
            self.convert()
        finally:
            self.discard()

    def convert(self) -> None:
        with self.path.open("wb") as file:
            file.writelines(fits_pieces(self.spool))

    def discard(self) -> None:
        with suppress(OSError):
            self.spool.close()
        self.spool.path.unlink(missing_ok=True)


class _Arrow(_Fits):
    def convert(self) -> None:
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with (
            self.path.open("wb") as file,
            pa.ipc.new_file(file, self.spool.schema, options=options) as writer,
        ):
            for batch in self.spool.batches():
                writer.write_batch(batch)


SINKS: Mapping[str, Callable[[Path, pa.Schema], Sink]] = MappingProxyType(
    {
        ".parquet": _Parquet,
        ".pq": _Parquet,
        ".ecsv": _Ecsv,
        ".csv": _Csv,
        ".fits": _Fits,
        ".fit": _Fits,
        ".arrow": _Arrow,
        ".feather": _Arrow,
    }
)
"""How to write, by extension."""


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
