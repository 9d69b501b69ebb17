"""Columns of a table by the number of each value: a value is looked at once however often it occurs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from calmap.errors import UsageError
from calmap.model.dates import EPOCH

Codes: TypeAlias = NDArray[Any]
_SPARSE = 4096
_MAX_PACKED = 2**62
_DENSE = 2**16
_TROUBLE = (ValueError, OverflowError, TypeError, pa.ArrowException)


class Column(NamedTuple):
    """A column by number.

    Parameters
    ----------
    codes
        For each row the number of its value, int32, shape (rows,).
    texts
        The values as text, by number; None is no value. Two numbers may have the same text.
    """

    codes: Codes
    texts: list[str | None]


def encode(array: Any, name: str) -> Column:
    """A column of an Arrow table by number.

    Parameters
    ----------
    array
        A `pyarrow.Array` of any type, as `plain` gives it.
    name
        What the column is called, for messages.

    Raises
    ------
    UsageError
        If a value is none that Python knows, such as a text that is not UTF-8 or a date after the year 9999.
    """
    if pa.types.is_null(array.type):
        return Column(np.zeros(len(array), np.int32), [None])
    if pa.types.is_dictionary(array.type):
        return Column(_numbers(array.indices, len(array.dictionary)), [*_texts(array.dictionary, name), None])
    if pa.types.is_floating(array.type):
        return _encode_floats(array, name)
    try:
        found = array.dictionary_encode()
    except pa.ArrowException:
        found = pa.array(_texts(array, name), pa.large_string()).dictionary_encode()
    return Column(_numbers(found.indices, len(found.dictionary)), [*_texts(found.dictionary, name), None])


def plain(array: Any) -> Any:
    """The same values in a layout that everything here can read; small dictionaries are kept."""
    if isinstance(array, pa.RunEndEncodedArray):
        indices = pa.array(np.asarray(_run_indices(array)), pa.int32())
        return plain(array.values.take(indices))
    if pa.types.is_dictionary(array.type):
        small = len(array.dictionary) <= len(array) + _SPARSE
        return array if small else plain(array.dictionary_decode())
    if array.type in (pa.string_view(), pa.binary_view()):
        return array.cast(pa.large_string() if array.type == pa.string_view() else pa.large_binary())
    return array


def distinct(codes: Sequence[Codes], sizes: Sequence[int], rows: int) -> tuple[Codes, Codes]:
    """Rows that have the same numbers in all columns.

    Parameters
    ----------
    codes
        Columns of numbers, each of shape (rows,).
    sizes
        How many numbers there are in each column.
    rows
        How many rows there are.

    Returns
    -------
    ids, chosen : ndarray
        For each row the number of its combination, and for each combination one row that has it.
    """
    packed: Codes = np.zeros(rows, np.int64)
    width = 1
    for column, size in zip(codes, sizes, strict=True):
        if size <= 1:
            continue
        if width * size > _MAX_PACKED:
            packed, width = _compacted(packed, width)
            packed = packed.astype(np.int64)
        packed *= size
        packed += column
        width *= size
    ids, count = _compacted(packed, width)
    chosen = np.empty(count, np.int64)
    chosen[ids] = np.arange(rows)
    return ids, chosen


def packed(codes: Sequence[Codes], rows: int) -> list[bytes]:
    """The numbers of each row as bytes, to remember it by.

    Parameters
    ----------
    codes
        Columns of numbers, each int32 of shape (rows,).
    rows
        How many rows there are.
    """
    if not codes:
        return [b""] * rows
    table = np.ascontiguousarray(np.column_stack(codes).astype(np.int32, copy=False))
    data, width = table.tobytes(), table.itemsize * len(codes)
    return [data[start : start + width] for start in range(0, len(data), width)]


def _compacted(packed: Codes, width: int) -> tuple[Codes, int]:
    """Numbers without gaps, and how many there are."""
    if width <= _DENSE:
        seen = np.zeros(width, np.bool_)
        seen[packed] = True
        order = np.cumsum(seen, dtype=np.int32) - np.int32(1)
        return order[packed], int(np.count_nonzero(seen))
    found = pa.array(packed).dictionary_encode()
    return found.indices.to_numpy(), len(found.dictionary)


def _numbers(indices: Any, missing: int) -> Codes:
    """Indices of a dictionary as they are, those that are null as one more than the last."""
    if indices.null_count:
        indices = indices.cast(pa.int64()).fill_null(missing)
    codes: Codes = indices.to_numpy(zero_copy_only=False)
    return codes if codes.dtype == np.int32 else codes.astype(np.int32)


def _encode_floats(array: Any, name: str) -> Column:
    """Numbers by their bits: 0 and -0 are written differently."""
    bits = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[array.type.bit_width]
    found = array.view(bits).dictionary_encode()
    values = found.dictionary.view(array.type)
    return Column(_numbers(found.indices, len(values)), [*_texts(values, name), None])


def _run_indices(array: Any) -> Codes:
    ends = np.asarray(array.run_ends)
    return np.searchsorted(ends, np.arange(array.offset, array.offset + len(array)), side="right")


def _texts(values: Any, name: str) -> list[str | None]:
    """Values as Python writes them; numbers of single precision as numpy does, which is shorter."""
    try:
        if pa.types.is_floating(values.type) and values.type.bit_width < 64:
            numbers = values.to_numpy(zero_copy_only=False)
            gaps = values.is_null().to_pylist()
            return [None if gone else str(number) for number, gone in zip(numbers, gaps, strict=True)]
        if pa.types.is_timestamp(values.type) and values.type.unit == "ns":
            return _fine_times(values)
        found = values.to_pylist()
        return [value if value is None or type(value) is str else str(value) for value in found]
    except _TROUBLE as problem:
        raise UsageError(
            f"column {name!r} has a value that can't be read: {problem}", "write it as text"
        ) from None


def _fine_times(values: Any) -> list[str | None]:
    """Times with nanoseconds, whose last three digits Python's own times don't have."""
    zone = values.type.tz
    coarse = pa.timestamp("us", zone)
    found: list[str | None] = []
    for ticks in values.cast(pa.int64()).to_pylist():
        if ticks is None:
            found.append(None)
            continue
        micro, nano = divmod(ticks, 1000)
        time: datetime = pa.scalar(micro, pa.int64()).cast(coarse).as_py()
        whole = str(time)
        if nano:
            date = (EPOCH + timedelta(microseconds=micro)) if zone is None else time
            stem = date.replace(tzinfo=None).isoformat(" ", "microseconds")
            whole = f"{stem}{nano:03d}{whole[len(str(date.replace(tzinfo=None))) :]}"
        found.append(whole)
    return found
