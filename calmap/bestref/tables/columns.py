"""Arrow columns of tables that are not Arrow's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from calmap.errors import UsageError

_TROUBLE = (pa.ArrowException, OverflowError, TypeError, ValueError)


def table_of_columns(columns: Mapping[str, Any]) -> Any:
    """A `pyarrow.Table` of sequences by name.

    Raises
    ------
    UsageError
        If they differ in length, or one is no sequence.
    """
    arrays = {str(name): column_of(values, str(name)) for name, values in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UsageError(f"the columns of a table differ in length: {said}", "give one value for each row")
    return pa.table(arrays)


def table_of_pandas(frame: Any) -> Any:
    """A `pyarrow.Table` of a pandas `DataFrame`, without its index; NaN, NaT and NA are no values."""
    return pa.Table.from_arrays(
        [_pandas_column(frame.iloc[:, index]) for index in range(frame.shape[1])],
        names=[str(name) for name in frame.columns],
    )


def table_of_astropy(table: Any) -> Any:
    """A `pyarrow.Table` of an astropy `Table`; masked values are no values, bytes are text."""
    columns = {str(name): _astropy_column(table[name]) for name in table.colnames}
    return pa.table(columns)


def column_of(values: Any, name: str) -> Any:
    """An Arrow column of a sequence, whose values all keep what `str` says of them.

    Raises
    ------
    UsageError
        If it is no sequence.
    """
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values)
    if hasattr(values, "__arrow_c_array__"):
        return pa.array(values)
    if isinstance(values, np.ndarray):
        return _array_column(values)
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        hint = f"give a list of values, one for each row, such as {name!r}: [{values!r}]"
        raise UsageError(f"column {name!r} is no sequence of values", hint)
    return _list_column(values if isinstance(values, Sequence) else list(values))


def _list_column(values: Sequence[Any]) -> Any:
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) <= 1:
        try:
            return pa.array(values, from_pandas=False)
        except _TROUBLE:
            pass
    return _written(values)


def _written(values: Iterable[Any]) -> Any:
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _array_column(values: Any) -> Any:
    """Of a numpy array; what Arrow has no type for is as numpy writes it."""
    masked = isinstance(values, np.ma.MaskedArray)
    data = np.asarray(values)
    kind = data.dtype
    if data.ndim == 1 and (kind.kind in "biuM" or kind in (np.float16, np.float32, np.float64)):
        if kind.kind == "M" and np.datetime_data(kind)[0] not in ("D", "s", "ms", "us", "ns"):
            data = data.astype("M8[s]")
        gaps = np.ma.getmaskarray(values) if masked else None
        return pa.array(data.astype(data.dtype.newbyteorder("=")), mask=gaps, from_pandas=False)
    plain = data.ndim == 1 and kind.kind not in "fc"
    listed = data.tolist() if plain else [str(value) for value in data]
    if masked:
        mask = np.ma.getmaskarray(values).reshape(len(data), -1)
        gone: Any = mask.all(axis=1).tolist()
        listed = [None if no else value for value, no in zip(listed, gone, strict=True)]
    return _list_column(listed)


def _pandas_column(series: Any) -> Any:
    if series.dtype != object:
        try:
            return pa.Array.from_pandas(series)
        except _TROUBLE:
            pass
    return _list_column([None if gone else value for value, gone in zip(series, series.isna(), strict=True)])


def _astropy_column(column: Any) -> Any:
    values = getattr(column, "data", None)
    if not isinstance(values, np.ndarray):
        return _written(None if np.all(getattr(value, "mask", False)) else value for value in column)
    if values.dtype.kind != "S" or values.ndim > 1:
        return _array_column(values)
    gone = np.ma.getmaskarray(values).tolist()
    texts = zip(np.asarray(values).tolist(), gone, strict=True)
    return pa.array([None if no else _decoded(value) for value, no in texts], pa.string())


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
