"""Keywords of headers, whatever the era: found under any of their names, read as what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from reduce.errors import DataError, ParameterError
from reduce.references import Value

Header: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = Literal["text", "whole", "real", "date"]

_WORDS: Final = {"text": "text", "whole": "a whole number", "real": "a number", "date": "a date"}
_COMPACT: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d):?(\d\d)(\.\d{1,6})?\d*)?(?:\.0*)?", re.ASCII
)
_DATE: Final = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?\d*)?)?(?: UT|Z)?", re.ASCII
)
_MJD_EPOCH: Final = datetime(1858, 11, 17)
_JD_OF_MJD_EPOCH: Final = Decimal("2400000.5")
_FIRST_JD: Final = 1_000_000
"""A smaller number of days is a Modified Julian Date: as a Julian Date it would be long before any record."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place where a keyword's value may be.

    Parameters
    ----------
    names
        One keyword, or several whose texts belong together, such as a date and a time.
    format
        How it is written, if not plainly.
    values
        What the values that count stand for; all count and stand for themselves if empty.
    """

    names: tuple[str, ...]
    format: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " and ".join(self.names)


@dataclass(frozen=True, slots=True)
class Keyword:
    """What is known of one keyword.

    Parameters
    ----------
    name, kind, description
        Its name in new files, what its value is, and its meaning, which becomes the card's comment.
    sources
        Where to look for it, in order.
    values
        What a text may be; empty for anything.
    pattern
        What a text has to look like; empty for anything.
    least, most
        The range of a number, both ends allowed.
    unit
        Unit of a number.
    """

    name: str
    kind: Kind
    description: str
    sources: tuple[Source, ...]
    values: tuple[str, ...] = ()
    pattern: str = ""
    least: float | None = None
    most: float | None = None
    unit: str = ""

    @property
    def accepted(self) -> tuple[str, ...]:
        """Where a header may have it, in order, for messages."""
        names = [set(source.names) for source in self.sources]
        whole = [source for source in self.sources if not any(set(source.names) < other for other in names)]
        return tuple(dict.fromkeys(str(source) for source in whole))

    @property
    def comment(self) -> str:
        """Comment of its card."""
        return f"[{self.unit}] {self.description}" if self.unit else self.description


@cache
def keywords() -> Mapping[str, Keyword]:
    """Every keyword by its name in new files."""
    import yaml

    text = (files("reduce") / "schemas" / "keywords.yaml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return MappingProxyType({name: _keyword(name, entry) for name, entry in entries.items()})


def known(name: str) -> Keyword:
    """A keyword by its name in new files.

    Raises
    ------
    ParameterError
        If there is none.
    """
    try:
        return keywords()[name]
    except KeyError:
        raise ParameterError(f"there is no keyword {name} in the schemas") from None


def find(header: Header, name: str) -> Value | None:
    """The value of a keyword under any of its names, or None without.

    Dates come as ``YYYY-MM-DD HH:MM:SS`` with a fraction if there is one. Nothing is ever filled in.

    Raises
    ------
    DataError
        If there is a value and it is not what it should be.
    """
    wanted = known(name)
    for source in wanted.sources:
        value = _sourced(header, source)
        if value is not None:
            return _typed(wanted, source, value)
    return None


def keyword(header: Header, name: str) -> Value:
    """The value of a keyword under any of its names.

    Raises
    ------
    DataError
        If the header has it under none of them, or it is not what it should be.
    """
    value = find(header, name)
    if value is None:
        wanted = known(name)
        names = wanted.accepted
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
        raise DataError(f"the header has no {name} ({wanted.description.lower()})", f"set {listed}")
    return value


def text(header: Header, name: str) -> str:
    """The value of a keyword, as text; see `keyword`."""
    return str(keyword(header, name))


def whole(header: Header, name: str) -> int:
    """The value of a keyword that is a whole number; see `keyword`."""
    return int(keyword(header, name))


def real(header: Header, name: str) -> float:
    """The value of a keyword that is a number; see `keyword`."""
    return float(keyword(header, name))


def date(header: Header, name: str = "DATE-BEG") -> datetime:
    """A date in UTC, by default the start of the exposure; see `keyword`."""
    return datetime.fromisoformat(text(header, name))


def standard(header: Header) -> dict[str, Value]:
    """All keywords that a header has under one of their names, under the names of new files.

    Raises
    ------
    DataError
        If a value is not what it should be.
    """
    found = {name: find(header, name) for name in keywords()}
    return {name: value for name, value in found.items() if value is not None}


def _keyword(name: str, entry: dict[str, Any]) -> Keyword:
    options = dict(entry)
    sources = tuple(_source(place) for place in options.pop("accept", [name]))
    return Keyword(
        name=name,
        kind=options.pop("type"),
        sources=sources,
        values=tuple(options.pop("values", ())),
        **options,
    )


def _source(place: str | dict[str, Any]) -> Source:
    entry: dict[str, Any] = {"keyword": place} if isinstance(place, str) else place
    return Source(tuple(entry["keyword"].split(" + ")), entry.get("format", ""), entry.get("values", {}))


def _sourced(header: Header, source: Source) -> Value | None:
    parts = [_value(header, name) for name in source.names]
    if any(part is None for part in parts):
        return None
    value = parts[0] if len(parts) == 1 else " ".join(str(part) for part in parts)
    if source.values:
        return source.values.get(str(value).upper())
    if source.format == "date-and-time" and not re.match(r".{10}[T ]", str(value)):
        return None
    return value


def _value(header: Header, name: str) -> Value | None:
    value = header.get(name)
    if isinstance(value, str):
        value = value.strip()
    if isinstance(value, (str, int, float)) and value not in ("", "UNDEFINED"):
        return value
    return None


def _typed(wanted: Keyword, source: Source, value: Value) -> Value:
    try:
        return _CONVERTERS[wanted.kind](value, source.format)
    except (ValueError, ArithmeticError):
        raise DataError(f"{source} is {value!r}, which is not {_WORDS[wanted.kind]}") from None


def _text(value: Value, _: str) -> str:
    return str(value)


def _whole(value: Value, _: str) -> int:
    number = Decimal(str(value))
    if isinstance(value, bool) or number != number.to_integral_value():
        raise ValueError
    return int(number)


def _real(value: Value, form: str) -> float:
    number = float(value)
    if isinstance(value, bool) or number - number != 0:
        raise ValueError
    return number / 1e6 if form == "microseconds" else number


def _date(value: Value, form: str) -> str:
    if form == "jd-or-mjd":
        return _from_days(Decimal(str(value)))
    pattern = _COMPACT if form == "yyyymmddhhmmss" else _DATE
    match = pattern.fullmatch(str(value))
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second, fraction = match.groups()
    text = f"{year}-{month}-{day} {hour or '00'}:{minute or '00'}:{second or '00'}"
    return str(datetime.fromisoformat(text)) + (fraction or "").rstrip("0").rstrip(".")


def _from_days(days: Decimal) -> str:
    """Date of a Julian Date, or of a Modified one, to the millisecond: a real number resolves no more."""
    modified = days if days < _FIRST_JD else days - _JD_OF_MJD_EPOCH
    return str(_MJD_EPOCH + timedelta(milliseconds=round(modified * 86_400_000))).removesuffix("000")


_CONVERTERS: Final[Mapping[str, Callable[[Value, str], Value]]] = MappingProxyType(
    {"text": _text, "whole": _whole, "real": _real, "date": _date}
)
