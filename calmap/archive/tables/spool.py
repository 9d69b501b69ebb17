"""Answers kept on the disk until all are known, for formats that say beforehand what comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from calmap.archive.tables.columns import decoded, encoded


class Lexicon:
    """Texts of a column with a number for each, those of one array in alphabetical order."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def codes(self, column: pa.Array) -> Any:
        """Numbers of the texts of an array; -1 for null."""
        if column.null_count == len(column):
            return np.full(len(column), -1, np.int32)
        codes, values = encoded(column)
        used = np.flatnonzero(np.bincount(codes + 1)[1:])
        for text in sorted(values[code] for code in used):
            self.numbers.setdefault(text, len(self.numbers))
        return np.array([*(self.numbers.get(value, 0) for value in values), -1], dtype=np.int32)[codes]

    def column(self, codes: Any, width: Any = np.int32) -> pa.DictionaryArray:
        """A column of numbers."""
        return decoded(codes, list(self.numbers), width)


def canonical(table: pa.Table) -> pa.RecordBatch:
    """The same rows as one batch, its dictionaries in alphabetical order and without what is not used."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        if pa.types.is_dictionary(field.type):
            lexicon = Lexicon()
            array = lexicon.column(lexicon.codes(array), field.type.index_type.to_pandas_dtype())
        else:
            # Bits beyond the end of a slice would get into Arrow files.
            array = array.take(pa.array(np.arange(len(array))))
        columns.append(array)
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


class Spool:
    """Batches in a file, with dictionaries that hold for all of them.

    Parameters
    ----------
    path
        The file, made anew.
    schema
        Of the batches.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.schema = schema
        self.rows = 0
        self.lexicons: Mapping[str, Lexicon] = {
            field.name: Lexicon() for field in schema if pa.types.is_dictionary(field.type)
        }
        self._kept = pa.schema(
            [pa.field(field.name, pa.int32()) if field.name in self.lexicons else field for field in schema]
        )
        self._file = path.open("wb")
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_stream(self._file, self._kept, options=options)

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch."""
        columns = [
            pa.array(self.lexicons[name].codes(column)) if name in self.lexicons else column
            for name, column in zip(self.schema.names, batch.columns, strict=True)
        ]
        self.rows += batch.num_rows
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._kept))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All batches, each with the dictionaries of the whole."""
        self.close()
        with pa.memory_map(str(self.path)) as source:
            for batch in pa.ipc.open_stream(source):
                columns: list[Any] = [
                    self.lexicons[name].column(column.to_numpy()) if name in self.lexicons else column
                    for name, column in zip(self.schema.names, batch.columns, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def close(self) -> None:
        """End the file."""
        if not self._file.closed:
            try:
                self._writer.close()
            finally:
                self._file.close()
