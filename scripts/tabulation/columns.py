"""Headers as a table: columns under the names that files use, of the types that files have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from calmap.model.dates import parse_date
from calmap.model.values import NA
from calmap.observatories.definition import Observatory

if TYPE_CHECKING:
    import pyarrow as pa

_SAME = ("N/A", "NOT APPLICABLE", "n/a", "()", "N/A (none)", "-2147483648")
_TRUTH = {"T": ("TRUE", "True", "t"), "F": ("FALSE", "False", "f"), "*": ("ANY", "any")}
_SHARE_RESPELT, _SHARE_ALIAS, _SHARE_TWO, _SHARE_LOWER = 0.15, 0.6, 0.15, 0.1
_SHARE_TYPED, _LEAST_TYPED = 0.7, (0.99, 0.99, 0.9, 0.5)


class _Typed(NamedTuple):
    """A type of column, its name for Arrow, and what makes its values; ValueError where it can't."""

    name: str
    convert: Callable[[str], object]


def _whole(text: str) -> int:
    number = float(text)
    if number != int(number) or abs(number) > 2**31 - 1:
        raise ValueError(text)
    return int(number)


def _truth(text: str) -> bool:
    return {"T": True, "TRUE": True, "F": False, "FALSE": False}[text.strip().upper()]


def _moment(text: str) -> datetime:
    if ":" not in text:
        raise ValueError(text)
    return parse_date(text)


_TYPES = (
    _Typed("int64", _whole),
    _Typed("int32", _whole),
    _Typed("double", float),
    _Typed("float", float),
    _Typed("bool", _truth),
    _Typed("date32", lambda text: parse_date(text).date()),
    _Typed("time64[us]", lambda text: parse_date(f"2000-01-01 {text}").time()),
    _Typed("timestamp[us]", _moment),
)
_TEXTS = ("string", "string", "large_string", "dictionary", "string_view")


def tabulate(
    headers: Sequence[Mapping[str, str]], observatory: Observatory, rng: Random, layout: Random | None = None
) -> pa.Table:
    """A table with a row for each header, its columns named and ordered as a source of its own says.

    Values are spelt in other ways that mean the same, columns have names that
    the telescope's files use, and some hold numbers, truth values or dates; a
    value that such a column can't hold is missing from it. A row of the table,
    and not the header it was made of, is what has to be answered.
    """
    import pyarrow as pa

    layout = layout or rng
    names = sorted({name for header in headers for name in header})
    columns: dict[str, list[str | None]] = {}
    for name in names:
        values = [respelt(header[name], rng) if name in header else None for header in headers]
        places = _places(name, observatory, layout)
        for place in places:
            columns[place] = [None] * len(headers)
        for row, value in enumerate(values):
            columns[rng.choice(places)][row] = value
    order = sorted(columns)
    layout.shuffle(order)
    return pa.table({name: _array(columns[name], rng) for name in order})


def respelt(value: str, rng: Random) -> str:
    """A value in words that mean the same."""
    if rng.random() >= _SHARE_RESPELT:
        return value
    forms = [value.lower(), f" {value}", f"{value}  "]
    if value == NA:
        forms += _SAME
    forms += _TRUTH.get(value, ())
    with suppress(ValueError, OverflowError):
        number = float(value)
        forms += [f"{number:g}", f"{number:e}", f"{number:.3f}", f"+{number}", str(int(number))]
    return rng.choice(forms)


def _places(name: str, observatory: Observatory, rng: Random) -> list[str]:
    """Columns for the values of one keyword; a row has its value in one of them."""
    known = [source.names[0] for source in observatory.sources(name) if len(source.names) == 1]
    known = list(dict.fromkeys([name, *known]))
    places = [rng.choice(known) if rng.random() < _SHARE_ALIAS else name]
    if rng.random() < _SHARE_TWO:
        places = list(dict.fromkeys([*places, rng.choice(known)]))
    return [place.lower() if rng.random() < _SHARE_LOWER else place for place in places]


def _array(values: Sequence[str | None], rng: Random) -> pa.Array:
    import pyarrow as pa

    if rng.random() < _SHARE_TYPED:
        least = rng.choice(_LEAST_TYPED)
        for kind in rng.sample(_TYPES, len(_TYPES)):
            typed = [_converted(value, kind) for value in values]
            there = sum(value is not None for value in values)
            if there and sum(value is not None for value in typed) >= least * there:
                return pa.array(typed, pa.type_for_alias(kind.name))
    kind_of_text = rng.choice(_TEXTS)
    if kind_of_text == "dictionary":
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, pa.type_for_alias(kind_of_text))


def _converted(value: str | None, kind: _Typed) -> Any:
    with suppress(ValueError, OverflowError, KeyError):
        return None if value is None else kind.convert(value)
    return None
