"""Named conversions of header values to the dates that rules are written with.

Every converter takes the text of a header value and returns the text that
stands for it, or None if the value is of another kind, so that the next place
in order of precedence is looked at. A value of the right kind that can't be
read is returned as it is: the date check of the rule then tells about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeAlias

Converter: TypeAlias = Callable[[str], "str | None"]

_MJD_EPOCH: Final = datetime(1858, 11, 17)
_JD_OF_MJD_EPOCH: Final = Decimal("2400000.5")
_LAST_MJD: Final = Decimal(2973484)
_MILLISECONDS: Final = 86_400_000
_MAX_DIGITS: Final = 80
_COMPACT: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d):?(\d\d)(\.\d{1,6})?\d*)?(?:\.0*)?\Z", re.ASCII
)


def mjd(text: str) -> str:
    """Date of a Modified Julian Date (days since 1858-11-17 00:00), to the millisecond.

    The arithmetic is exact on the decimal digits given; a double-precision
    Julian Date resolves about 0.04 ms, so finer digits would be noise.
    """
    return _from_days(text, Decimal(0))


def jd(text: str) -> str:
    """Date of a Julian Date, which is a Modified Julian Date plus 2400000.5 (IAU 1997, resolution B1)."""
    return _from_days(text, _JD_OF_MJD_EPOCH)


def jd_or_mjd(text: str) -> str:
    """Date of a Julian Date, or of a Modified one: below a million it can't be anything else in use."""
    value = _decimal(text)
    return mjd(text) if value is not None and value < 1_000_000 else jd(text)


def compact(text: str) -> str:
    """Date written as ``YYYYMMDDhhmmss``, with or without separators, fraction and time of day."""
    match = _COMPACT.match(text.strip())
    if match is None:
        return text
    year, month, day, hour, minute, second, fraction = match.groups()
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}"
    return f"{year}-{month}-{day} {clock}{(fraction or '').rstrip('0').rstrip('.')}"


def date_and_time(text: str) -> str | None:
    """A date that has its time of day with it; a bare date is of another kind."""
    stripped = text.strip()
    return text if len(stripped) > 10 and stripped[10] in "T " else None


CONVERTERS: Final[Mapping[str, Converter]] = MappingProxyType(
    {
        "mjd": mjd,
        "jd": jd,
        "jd-or-mjd": jd_or_mjd,
        "yyyymmddhhmmss": compact,
        "date-and-time": date_and_time,
    }
)


def _decimal(text: str) -> Decimal | None:
    if len(text) > _MAX_DIGITS:
        return None
    try:
        value = Decimal(text.strip().replace("D", "E").replace("d", "e"))
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


def _from_days(text: str, epoch: Decimal) -> str:
    value = _decimal(text)
    if value is None or not epoch <= value < epoch + _LAST_MJD:
        return text
    milliseconds = round((value - epoch) * _MILLISECONDS)
    return str(_MJD_EPOCH + timedelta(milliseconds=milliseconds)).removesuffix("000")
