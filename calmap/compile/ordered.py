"""Choosing a row by date, version or number."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import isfinite, nan
from typing import Any, Protocol, TypeAlias, TypeVar

from calmap.compile.outcome import Outcome, failed, missed, refusal
from calmap.compile.tree import RowKey
from calmap.model.dates import DateError, moment, normal_date, parse_standard
from calmap.model.values import UNDEFINED
from calmap.model.versions import VersionError, version_parts

_MAX_REMEMBERED = 100
Header: TypeAlias = Mapping[str, str]


class Keyed(Protocol):
    """A row: its key as written, and what that means."""

    @property
    def key(self) -> RowKey:
        """What it means."""

    @property
    def written(self) -> str:
        """What it says."""


AnyRow = TypeVar("AnyRow", bound=Keyed, covariant=True)


class Ordering(Protocol[AnyRow]):
    """A selector with its rows in order."""

    @property
    def kind(self) -> str:
        """Name of the selector."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Keywords that it looks at."""

    @property
    def rows(self) -> Sequence[AnyRow]:
        """The rows."""


Pick: TypeAlias = tuple[Any, tuple[AnyRow, ...]]


def pick(selector: Ordering[AnyRow], header: Header) -> Pick[AnyRow] | Outcome:
    """The row or rows that a header's value chooses, with a rank to compare with other selectors' rows."""
    picked: Pick[AnyRow] | Outcome = _PICKERS[selector.kind](selector, header)
    return picked


def header_date(parameters: tuple[str, ...], header: Header) -> str | Outcome:
    """Date of a header in normal form, or why there is none."""
    values = tuple([header.get(parameter, UNDEFINED) for parameter in parameters])
    remembered = sum(map(len, values)) <= _MAX_REMEMBERED
    return _remembered(parameters, values) if remembered else _date(parameters, values)


@lru_cache(maxsize=1024)
def _remembered(parameters: tuple[str, ...], values: tuple[str, ...]) -> str | Outcome:
    return _date(parameters, values)


def _date(parameters: tuple[str, ...], values: tuple[str, ...]) -> str | Outcome:
    for parameter, value in zip(parameters, values, strict=True):
        if value.strip() == UNDEFINED:
            return failed(f"the date {parameter} is missing", parameter)
    try:
        return normal_date(" ".join(value.strip() for value in values))
    except DateError as problem:
        return failed(f"{' '.join(parameters)}: {problem}")


@lru_cache(maxsize=4096)
def header_moment(parameters: tuple[str, ...], values: tuple[str, ...]) -> int | Outcome:
    """Microseconds from 1970 to the date of a header, or why there is none."""
    date = _date(parameters, values)
    return date if isinstance(date, Outcome) else moment(date)


def too_early(first: RowKey, date: str) -> Outcome:
    """No row of a UseAfter selector is old enough; the first one's date is given, if there is any."""
    return missed(f"no date at or before {date}{f'; the first is {first}' if first else ''}")


def _use_after(selector: Ordering[AnyRow], header: Header) -> Pick[AnyRow] | Outcome:
    date = header_date(selector.parameters, header)
    if isinstance(date, Outcome):
        return date
    rows = selector.rows
    index = bisect_right(rows, date, key=_key) - 1
    if index < 0:
        return too_early(rows[0].key if rows else None, date)
    return rows[index].key, (rows[index],)


def _key(row: Keyed) -> Any:
    return row.key


def _closest_time(selector: Ordering[AnyRow], header: Header) -> Pick[AnyRow] | Outcome:
    date = header_date(selector.parameters, header)
    if isinstance(date, Outcome):
        return date
    moment = parse_standard(date)
    best: tuple[Any, AnyRow] | None = None
    for row in selector.rows:
        if not isinstance(row.key, datetime):
            return failed(f"the date '{row.written}' of a rule can't be read")
        rank = (-abs(row.key - moment), datetime.max - row.key)
        if best is None or rank > best[0]:
            best = rank, row
    return failed("the ClosestTime selector is empty") if best is None else (best[0], (best[1],))


def _version_after(selector: Ordering[AnyRow], header: Header) -> Pick[AnyRow] | Outcome:
    text = ".".join(header.get(parameter, UNDEFINED) for parameter in selector.parameters)
    try:
        version = version_parts(text)
    except VersionError as problem:
        return failed(f"{', '.join(selector.parameters)}: {problem}")
    index = bisect_right(selector.rows, version, key=_key) - 1
    if index < 0:
        return missed(f"no version at or before {text}")
    return selector.rows[index].key, (selector.rows[index],)


def _select_version(selector: Ordering[AnyRow], header: Header) -> Pick[AnyRow] | Outcome:
    value = _number(selector, header)
    if isinstance(value, Outcome):
        return value
    for row in selector.rows:
        if not row.key < (value, "="):  # type: ignore[operator]
            return row.key, (row,)
    return failed(f"no version relation holds for {value} and there is no default")


def _nearest(selector: Ordering[AnyRow], header: Header) -> Pick[AnyRow] | Outcome:
    value = _number(selector, header)
    if isinstance(value, Outcome):
        return value
    best: tuple[float, AnyRow] | None = None
    for row in selector.rows:
        if not isinstance(row.key, float):
            return failed(f"the key '{row.written}' of a rule is no number")
        distance = abs(row.key - value)
        if best is None or distance < best[0]:
            best = distance, row
    return failed("the GeometricallyNearest selector is empty") if best is None else (-best[0], (best[1],))


def _bracket(selector: Ordering[AnyRow], header: Header) -> Pick[AnyRow] | Outcome:
    value = _number(selector, header)
    if isinstance(value, Outcome):
        return value
    rows = selector.rows
    if not rows:
        return failed("the Bracket selector is empty")
    index = next((i for i, row in enumerate(rows) if row.key >= value), len(rows))  # type: ignore[operator]
    if index == len(rows):
        return value, (rows[-1], rows[-1])
    if index == 0 or rows[index].key == value:
        return value, (rows[index], rows[index])
    return value, (rows[index - 1], rows[index])


def _number(selector: Ordering[Keyed], header: Header) -> float | Outcome:
    parameter = selector.parameters[0] if selector.parameters else ""
    text = header.get(parameter, UNDEFINED)
    try:
        value = float(text)
    except ValueError:
        value = nan
    if isfinite(value):
        return value
    return refusal(parameter, text) if text == UNDEFINED else failed(f"{parameter}={text!r} is no number")


_PICKERS: Mapping[str, Callable[[Any, Header], Any]] = {
    "UseAfter": _use_after,
    "ClosestTime": _closest_time,
    "VersionAfter": _version_after,
    "SelectVersion": _select_version,
    "GeometricallyNearest": _nearest,
    "Bracket": _bracket,
}
MERGEABLE = frozenset({"UseAfter", "ClosestTime", "VersionAfter"})
