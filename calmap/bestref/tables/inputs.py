"""Tables of headers as a stream of Arrow batches, whatever they are given as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from calmap.bestref.tables.columns import table_of_astropy, table_of_columns, table_of_pandas
from calmap.errors import UsageError

ROWS = 131_072
"""Rows that are looked up at a time."""
_KINDS = "an Arrow table or stream of batches, a polars, pandas or astropy table, or a dictionary of lists"
_TROUBLE = (pa.ArrowException, TypeError, ValueError, NotImplementedError, OverflowError)


def opened(table: Any) -> Any:
    """A `pyarrow.Table` or `pyarrow.RecordBatchReader` of a table of any kind.

    Raises
    ------
    UsageError
        If it is no table.
    """
    if isinstance(table, pa.Table | pa.RecordBatchReader):
        return table
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    try:
        return table_of_columns(table) if isinstance(table, Mapping) else _foreign(table)
    except _TROUBLE as problem:
        kind = type(table).__name__
        raise UsageError(
            f"no table of headers can be made of this {kind}: {problem}", f"give {_KINDS}"
        ) from None


def _foreign(table: Any) -> Any:
    package = type(table).__module__.partition(".")[0]
    if package == "pandas" and hasattr(table, "iloc") and hasattr(table, "columns"):
        return table_of_pandas(table)
    if hasattr(table, "colnames") and hasattr(table, "itercols"):
        return table_of_astropy(table)
    if hasattr(table, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(table)
    if hasattr(table, "__arrow_c_array__"):
        return pa.Table.from_batches([pa.record_batch(table)])
    if hasattr(table, "__dataframe__"):
        from pyarrow.interchange import from_dataframe

        return from_dataframe(table)
    raise TypeError("it is of no known kind")


def pieces(source: Any) -> Iterator[Any]:
    """The rows of a table or a reader, some at a time.

    Parameters
    ----------
    source
        What `opened` gives.

    Yields
    ------
    pyarrow.Table
        Of at most `ROWS` rows.

    Raises
    ------
    UsageError
        If a stream is broken.
    """
    if isinstance(source, pa.Table):
        yield from _sliced(source)
        return
    waiting: list[Any] = []
    rows = 0
    while (batch := _next(source)) is not None:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= ROWS:
            yield from _sliced(pa.Table.from_batches(waiting))
            waiting, rows = [], 0
    if rows:
        yield from _sliced(pa.Table.from_batches(waiting))


def _next(reader: Any) -> Any:
    try:
        return next(reader, None)
    except pa.ArrowException as problem:
        message = f"the stream of batches can't be read to its end: {problem}"
        raise UsageError(message, "make it again") from None


def _sliced(table: Any) -> Iterator[Any]:
    for start in range(0, table.num_rows, ROWS):
        yield table.slice(start, min(ROWS, table.num_rows - start))
