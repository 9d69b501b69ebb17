"""Dates and times of day in a column, read all at once where they are written in a usual form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DAY = 86_400_000_000
_SECOND = 1_000_000
NOTHING, UNREAD, DATE, TIME, MOMENT = range(5)
_DATE, _TIME, _FINEST = 10, 8, 6
_LENGTHS = (*range(_TIME, _TIME + 2 + _FINEST), 19, *range(21, 27))
_FIRST, _LAST = -62_135_596_800 * _SECOND, 253_402_300_800 * _SECOND
_DIGIT, _DASH, _COLON, _DOT = ord("0"), ord("-"), ord(":"), ord(".")
_SEPARATORS = (ord(" "), ord("T"))


class Times(NamedTuple):
    """What a column says about time.

    Parameters
    ----------
    kind
        For each row NOTHING, DATE, TIME (of the day), MOMENT (both), or UNREAD for
        anything else; uint8, shape (rows,).
    value
        Microseconds since 1970, or since midnight; int64, shape (rows,).
    """

    kind: NDArray[np.uint8]
    value: NDArray[np.int64]

    def take(self, rows: NDArray[Any]) -> Times:
        """The same for some rows."""
        return Times(self.kind[rows], self.value[rows])


def read_times(array: Any) -> Times:
    """Dates and times of a column.

    Read are ``YYYY-MM-DD``, ``hh:mm:ss`` and both with a blank or a ``T`` between,
    with up to six digits after the second, and Arrow's own dates and times;
    exactly those that `calmap.model.dates` would read, with the same meaning.

    Parameters
    ----------
    array
        A `pyarrow.Array` of any type, as `calmap.bestref.tables.encoding.plain` gives it.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        missing = len(array.dictionary)
        indices = array.indices.cast(pa.int64()).fill_null(missing).to_numpy()
        found = read_times(array.dictionary)
        return Times(np.append(found.kind, np.uint8(NOTHING)), np.append(found.value, 0)).take(indices)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        times = _texts(array)
    elif (
        pa.types.is_date(kind) or pa.types.is_time(kind) or (pa.types.is_timestamp(kind) and kind.tz is None)
    ):
        times = _native(array)
    else:
        times = _unread(len(array))
    if array.null_count:
        times.kind[array.is_null().to_numpy(zero_copy_only=False)] = NOTHING
    return times


def moment_texts(moments: Sequence[int]) -> list[str]:
    """Dates in normal form of microseconds since 1970."""
    if not moments:
        return []
    dates = np.array(moments, np.int64).astype("M8[us]")
    whole = np.datetime_as_string(dates.astype("M8[s]")).tolist()
    parts = (dates.astype(np.int64) % _SECOND).tolist()
    return [
        f"{text[:_DATE]} {text[_DATE + 1 :]}" + (f".{part:06d}" if part else "")
        for text, part in zip(whole, parts, strict=True)
    ]


def _unread(rows: int) -> Times:
    return Times(np.full(rows, UNREAD, np.uint8), np.zeros(rows, np.int64))


def _native(array: Any) -> Times:
    unit = getattr(array.type, "unit", "")
    if pa.types.is_date(array.type):
        scale, kind = (DAY, DATE) if pa.types.is_date32(array.type) else (1000, DATE)
    else:
        scale = {"s": _SECOND, "ms": 1000, "us": 1, "ns": 1}[unit]
        kind = TIME if pa.types.is_time(array.type) else MOMENT
    width = pa.int32() if array.type.bit_width == 32 else pa.int64()
    ticks = array.view(width).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    if unit == "ns":
        ticks //= 1000
    times = _unread(len(array))
    known = (ticks >= _FIRST // scale) & (ticks < _LAST // scale)
    np.multiply(ticks, scale, out=times.value, where=known)
    times.kind[known] = kind
    if kind == DATE:
        np.floor_divide(times.value, DAY, out=times.value)
        np.multiply(times.value, DAY, out=times.value)
    return times


def _texts(array: Any) -> Times:
    offset = np.int64 if pa.types.is_large_string(array.type) else np.int32
    _, places, data = array.buffers()
    rows = len(array)
    times = _unread(rows)
    if rows == 0 or data is None:
        return times
    ends = np.frombuffer(places, offset)[array.offset : array.offset + rows + 1]
    lengths = np.diff(ends)
    characters = np.frombuffer(data, np.uint8)
    for length in _LENGTHS:
        chosen = np.flatnonzero(lengths == length)
        if not len(chosen):
            continue
        starts = ends[:-1][chosen].astype(np.int64)
        if starts[-1] - starts[0] == length * (len(chosen) - 1):
            block = characters[starts[0] : starts[0] + length * len(chosen)].reshape(-1, length).T
        else:
            block = characters[starts + np.arange(length)[:, None]]
        found = _read(np.ascontiguousarray(block))
        times.kind[chosen], times.value[chosen] = found
    return times


def _read(block: NDArray[np.uint8]) -> Times:
    """Texts of one length, a row of the block for each character."""
    length = len(block)
    digits = block - np.uint8(_DIGIT)
    times = _unread(block.shape[1])
    if length == _DATE:
        _put(times, DATE, *_date(block, digits))
    if length < 19:
        if length != _TIME + 1:
            _put(times, TIME, *_clock(block, digits))
        return times
    good, days = _date(block, digits)
    clock, since = _clock(block[_DATE + 1 :], digits[_DATE + 1 :])
    good &= clock
    good &= (block[_DATE] == _SEPARATORS[0]) | (block[_DATE] == _SEPARATORS[1])
    _put(times, MOMENT, good, days + since)
    return times


def _put(times: Times, kind: int, good: NDArray[np.bool_], value: NDArray[np.int64]) -> None:
    times.kind[good] = kind
    np.copyto(times.value, value, where=good)


def _date(block: NDArray[np.uint8], digits: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    good = (block[4] == _DASH) & (block[7] == _DASH)
    good &= _all_digits(digits, (0, 1, 2, 3, 5, 6, 8, 9))
    year = _number(digits, (0, 1, 2, 3))
    month = _number(digits, (5, 6))
    day = _number(digits, (8, 9))
    good &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    starts = _months()
    number = np.where(good, (year - 1) * 12 + month - 1, 0)
    first = starts[number]
    good &= day <= starts[number + 1] - first
    return good, (first + day - 1) * DAY


def _clock(
    block: NDArray[np.uint8], digits: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    good = (block[2] == _COLON) & (block[5] == _COLON)
    good &= _all_digits(digits, (0, 1, 3, 4, 6, 7))
    hour, minute, second = (_number(digits, (at, at + 1)) for at in (0, 3, 6))
    good &= (hour < 24) & (minute < 60) & (second < 60)
    value = ((hour * 60 + minute) * 60 + second).astype(np.int64) * _SECOND
    if len(block) > _TIME:
        places = range(_TIME + 1, len(block))
        good &= (block[_TIME] == _DOT) & _all_digits(digits, tuple(places))
        value += _number(digits, tuple(places)) * 10 ** (_FINEST - len(places))
    return good, value


def _all_digits(digits: NDArray[np.uint8], places: tuple[int, ...]) -> NDArray[np.bool_]:
    highest = digits[places[0]].copy()
    for place in places[1:]:
        np.maximum(highest, digits[place], out=highest)
    good: NDArray[np.bool_] = highest < 10
    return good


def _number(digits: NDArray[np.uint8], places: tuple[int, ...]) -> NDArray[np.int32]:
    value: NDArray[np.int32] = digits[places[0]].astype(np.int32)
    for place in places[1:]:
        value *= 10
        value += digits[place]
    return value


@lru_cache(maxsize=1)
def _months() -> NDArray[np.int64]:
    """Days from 1970 to the first of each month since the year 1, and of one month more."""
    months = np.arange("0001-01", "10000-02", dtype="M8[M]")
    days: NDArray[np.int64] = months.astype("M8[D]").astype(np.int64)
    return days
