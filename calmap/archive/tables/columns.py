"""Columns as headers have their values, whatever type a table gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calmap.bestref.tables.encoding import plain
from calmap.bestref.tables.results import dictionary_column
from calmap.errors import HeaderError


def require_distinct(place: str, names: Sequence[str]) -> None:
    """Refuse a table in which a name stands for two columns.

    Raises
    ------
    HeaderError
        With the name.
    """
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise HeaderError(f"{place} has two columns named '{name}'", "rename one of them")
        seen.add(name)


def header_values(batch: pa.RecordBatch, every_name: Sequence[str]) -> pa.RecordBatch:
    """The columns whose cells can be values of a header, each of a type whose text is the value.

    Dates and times become text in the form that headers have; NaN is no value. Lists
    and structures are left out.

    Parameters
    ----------
    batch
        Rows of a table.
    every_name
        Names of all columns of the table: a date beside a column for the time of
        day is written without one.
    """
    known = {name.upper() for name in every_name}
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        upper = name.upper()
        bare = "DATE" in upper and upper.replace("DATE", "TIME") in known
        values = _values(plain(column), bare_date=bare)
        if values is not None:
            columns[name] = values
    if not columns:
        return batch.select([])
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _values(column: pa.Array, *, bare_date: bool) -> pa.Array | None:
    kind = column.type
    if pa.types.is_dictionary(kind):
        if column.dictionary.null_count:
            # Arrow can't put several of these together.
            return _values(column.dictionary_decode(), bare_date=bare_date)
        values = _values(column.dictionary, bare_date=bare_date)
        if values is None or values is column.dictionary:
            return values if values is None else column
        return pa.DictionaryArray.from_arrays(column.indices, values)
    if pa.types.is_nested(kind):
        return None
    if pa.types.is_timestamp(kind):
        return _moments(column, bare_date=bare_date)
    if pa.types.is_date(kind):
        return pc.cast(pc.cast(column, pa.date32()), pa.string())
    if pa.types.is_time(kind):
        return _without_zeros(pc.cast(pc.cast(column, pa.time64("us"), safe=False), pa.string()))
    if pa.types.is_floating(kind):
        return pa.array(column.to_numpy(zero_copy_only=False), from_pandas=True)
    if pa.types.is_decimal(kind):
        return pc.cast(column, pa.string())
    if _is_bytes(kind):
        return _decoded(column)
    return column


def text_values(column: pa.Array) -> pa.Array:
    """Values as text; bytes are decoded, and truth values read True and False."""
    values: Any = _values(column, bare_date=False)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_boolean(values.type):
        return pc.if_else(values, "True", "False")
    return pc.cast(values, pa.string())


def encoded(column: pa.Array) -> tuple[Any, list[Any]]:
    """Values of a column as codes, -1 for none, and what the codes stand for."""
    if not len(column):
        return np.empty(0, np.int32), []
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    indices = column.indices
    raw = np.frombuffer(indices.buffers()[1], indices.type.to_pandas_dtype())
    codes = raw[indices.offset :][: len(indices)].astype(np.int32, copy=False)
    if indices.null_count:
        # What a null has for an index means nothing.
        codes = (codes + 1) * indices.is_valid().to_numpy(zero_copy_only=False) - 1
    return codes, column.dictionary.to_pylist()


def decoded(codes: Any, texts: Sequence[str], width: Any = np.int32) -> pa.DictionaryArray:
    """A column of codes, null where they are below 0.

    Parameters
    ----------
    codes
        Indices of texts.
    texts
        What they stand for.
    width
        Type of the indices.
    """
    indices = np.maximum(codes, 0).astype(width)
    return dictionary_column(indices, codes < 0, pa.array(texts, pa.string()))


def constant(value: str | None, rows: int) -> pa.DictionaryArray:
    """A column with one value everywhere."""
    return decoded(np.full(rows, -1 if value is None else 0), [value or ""])


def _moments(column: pa.Array, *, bare_date: bool) -> pa.Array:
    """Timestamps, in UTC if they have a zone, to the microsecond."""
    moments = pc.cast(column, pa.timestamp("us"), safe=False)
    if bare_date:
        return pc.cast(pc.cast(moments, pa.date32(), safe=False), pa.string())
    return _without_zeros(pc.cast(moments, pa.string()))


def _without_zeros(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, r"\.0+$", "")


def _is_bytes(kind: pa.DataType) -> bool:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(check(kind) for check in checks)


def _decoded(column: pa.Array) -> pa.Array:
    """Bytes as text, without the blanks and NULs that fill them up."""
    raw = column.to_pylist()
    texts = [None if cell is None else cell.decode("latin-1").rstrip(" \0") for cell in raw]
    return pa.array([text or None for text in texts], pa.string())
