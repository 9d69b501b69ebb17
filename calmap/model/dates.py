"""Dates as headers and rules write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

_STANDARD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_T_SEPARATED = re.compile(r"(\d{4}[-/]\d\d[-/]\d\d)T(\d\d(?::\d\d){1,2}(?:\.\d{1,6})?)")
_TIME = re.compile(
    r"(?P<hour>\d+):(?P<minute>\d+)(?::(?P<second>\d+)(?:\.(?P<fraction>\d*))?(?::\d+)?)?"
    r"\s*(?P<half>[AaPp][Mm])?"
)
_NUMERIC = (
    re.compile(r"(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d)"),
    re.compile(r"(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d{4})"),
    re.compile(r"(?P<day>\d\d)/(?P<month>\d\d)/(?P<year>9\d)"),
    re.compile(r"(?P<day>\d\d)/(?P<month>\d\d)/(?P<year>[0-3]\d)"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d):(?P<time>\d{6})"),
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_EXPECTED = "a date such as 2024-09-24 or 2024-09-24 12:30:00"
_MAX_DATE = 64
EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


class DateError(ValueError):
    """A text that is no date in any accepted form."""


def parse_date(text: str) -> datetime:
    """Date and time of a text.

    Accepted are ``YYYY-MM-DD`` and ``YYYY/MM/DD`` with an optional time after a
    blank or a ``T``, ``MM/DD/YYYY``, ``DD/MM/YY``, ``YYYYMMDD:HHMMSS``,
    ``Mon DD YYYY`` and ``DD Mon YYYY``, AM and PM, and a trailing ``UT``.

    Raises
    ------
    DateError
        If the text is none of these, or no day of the calendar.
    """
    try:
        return _parse(text)
    except (ValueError, OverflowError) as problem:
        raise DateError(f"'{text[:_MAX_DATE]}' is not {_EXPECTED}") from problem


@lru_cache(maxsize=4096)
def normal_date(text: str) -> str:
    """A date as ``YYYY-MM-DD HH:MM:SS[.ffffff]``, which sorts as time does.

    Raises
    ------
    DateError
        As `parse_date`.
    """
    if _STANDARD.fullmatch(text):
        parse_standard(text)
        return text
    return parse_date(text).isoformat(" ")


def moment(text: str) -> int:
    """Microseconds from 1970-01-01 to a date in normal form.

    Raises
    ------
    DateError
        If there is no such day or time.
    """
    return (parse_standard(text) - EPOCH) // _MICROSECOND


def moment_text(at: int) -> str:
    """Date in normal form of microseconds from 1970-01-01."""
    return (EPOCH + at * _MICROSECOND).isoformat(" ")


def parse_standard(text: str) -> datetime:
    """Date of a text in normal form.

    Raises
    ------
    DateError
        If there is no such day or time.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError as problem:
        raise DateError(f"'{text}' is no day or time of the calendar: {problem}") from None


def _parse(text: str) -> datetime:
    if len(text) > _MAX_DATE:
        raise ValueError("too long")
    if _STANDARD.fullmatch(text):
        return datetime.fromisoformat(text)
    date = text.strip().removesuffix(" UT")
    if match := _T_SEPARATED.fullmatch(date):
        date = f"{match[1]} {match[2]}"
    if re.search(r"[A-Za-z]{3,}", date):
        return _alphabetical(date)
    day, _, time = date.replace("-", "/").partition(" ")
    for pattern in _NUMERIC:
        if match := pattern.fullmatch(day):
            return _numerical(match.groupdict(), time.strip())
    raise ValueError("no known form")


def _numerical(parts: dict[str, str], time: str) -> datetime:
    year = parts["year"]
    if len(year) == 2:
        year = ("19" if year[0] == "9" else "20") + year
    if digits := parts.get("time"):
        time = f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"
    return datetime(int(year), int(parts["month"]), int(parts["day"]), *_clock(time or "00:00:00"))


def _alphabetical(date: str) -> datetime:
    words = re.sub(r"[-/]", " ", date).split()
    first, second, year = words[:3]
    month, day = (first, second) if first[:1].isalpha() else (second, first)
    number = _MONTHS.index(month[:3].upper()) + 1
    time = " ".join(words[3:]) or "00:00"
    return datetime(int(year), number, int(day.rstrip(",")), *_clock(time))


def _clock(time: str) -> tuple[int, int, int, int]:
    match = _TIME.fullmatch(time)
    if match is None:
        raise ValueError("no time of the day")
    hour = int(match["hour"])
    half = (match["half"] or "").upper()
    if half == "PM" and hour < 12:
        hour += 12
    elif half == "AM" and hour == 12:
        hour = 0
    microsecond = int((match["fraction"] or "").ljust(6, "0")[:6])
    return hour, int(match["minute"]), int(match["second"] or 0), microsecond
