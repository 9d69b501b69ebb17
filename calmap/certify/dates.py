"""Checks of dates and of PEDIGREE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from calmap.certify.finding import Fault, quoted
from calmap.diagnostics import Severity
from calmap.model.dates import DateError, parse_date

_SLASHED: Final = re.compile(r"(\d\d)\s*/\s*(\d\d)\s*/\s*(\d{4})", re.ASCII)
_DASHED: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,6})?)?", re.ASCII)
_MONTH_FIRST: Final = re.compile(
    r"[A-Za-z]{3,10}\s+\d{1,2},?\s+\d{4}(?:\s+\d{1,2}:\d\d:\d\d\s*(?:[AaPp][Mm])?)?", re.ASCII
)


def any_date(text: str) -> Fault | None:
    """A date in any form that rules may have, or as DD/MM/YYYY."""
    try:
        if _SLASHED.fullmatch(text.strip()):
            slashed(text)
        else:
            parse_date(text.strip())
    except ValueError:
        return Fault(f"is {quoted(text)}, which is no date", "a date such as 2024-09-24T00:00:00 is expected")
    return None


def month_first(text: str) -> Fault | None:
    """A date such as ``Mar 21 2001`` or ``Mar 21 2001 12:00:00``."""
    try:
        if not _MONTH_FIRST.fullmatch(text.strip()):
            raise DateError(text)
        parse_date(text.strip())
    except ValueError:
        return Fault(f"is {quoted(text)}, which is no date such as 'Mar 21 2001 12:00:00'")
    return None


def day_first(text: str) -> Fault | None:
    """A date such as ``21/03/2001``."""
    try:
        slashed(text)
    except ValueError:
        return Fault(f"is {quoted(text)}, which is no date such as '21/03/2001'")
    return None


def iso(text: str) -> Fault | None:
    """A date such as ``2018-12-22T00:00:00``; other forms are worth a warning."""
    expected = "the form is YYYY-MM-DDThh:mm:ss, such as 2018-12-22T00:00:00"
    try:
        parse_date(text.strip())
    except ValueError:
        return Fault(f"is {quoted(text)}, which is no date", expected)
    if not _ISO.fullmatch(text.strip()):
        return Fault(f"is {quoted(text)}, a date in another form than expected", expected, Severity.WARNING)
    return None


def slashed(text: str) -> datetime:
    """Date of ``DD/MM/YYYY``.

    Raises
    ------
    ValueError
        If it is none.
    """
    match = _SLASHED.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return datetime(int(match[3]), int(match[2]), int(match[1]))


def dashed(text: str) -> datetime:
    """Date of ``YYYY-MM-DD``.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not _DASHED.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def either(text: str) -> datetime:
    """Date of ``YYYY-MM-DD`` or ``DD/MM/YYYY``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    return dashed(text) if "-" in text else slashed(text)


@dataclass(frozen=True, slots=True)
class Pedigree:
    """Where a reference comes from, and for some origins from when to when it was measured.

    Parameters
    ----------
    dated
        Origins that may have two dates.
    date, form
        How a date is read, and what that looks like.
    """

    dated: tuple[str, ...]
    date: Callable[[str], datetime]
    form: str

    def __call__(self, text: str) -> Fault | None:
        """What is wrong with a value."""
        words = text.split()
        origin = words[0].upper() if words else ""
        if origin not in ORIGINS:
            return Fault(f"is {quoted(text)}, which begins with none of {', '.join(ORIGINS)}")
        if len(words) == 1:
            undated = f"is {quoted(text)} without dates"
            return Fault(undated, self._hint(origin)) if origin == "INFLIGHT" else None
        hint = f"one word, or {' or '.join(self.dated)} with two dates"
        if len(words) != 3:
            return Fault(f"is {quoted(text)}, expected one word or three", hint)
        if origin not in self.dated:
            return Fault(f"is {quoted(text)}, but {origin} has no dates", hint)
        return self._dates(text, origin, words[1], words[2])

    def _dates(self, text: str, origin: str, start: str, stop: str) -> Fault | None:
        dates = []
        for word in (start, stop):
            try:
                dates.append(self.date(word))
            except ValueError:
                return Fault(f"is {quoted(text)}, but '{word}' is no date", self._hint(origin))
        if dates[0] > dates[1]:
            return Fault(f"is {quoted(text)}, which ends before it starts", "the earlier date comes first")
        return None

    def _hint(self, origin: str) -> str:
        return f"write {origin} and two dates of the form {self.form}"


ORIGINS: Final = ("INFLIGHT", "GROUND", "MODEL", "DUMMY", "SIMULATION")

DATE_CHECKS: Final[Mapping[str, Callable[[str], Fault | None]]] = MappingProxyType(
    {
        "anydate": any_date,
        "useafter": any_date,
        "sybdate": month_first,
        "slashdate": day_first,
        "jwstdate": iso,
        "pedigree": Pedigree(ORIGINS, either, "YYYY-MM-DD or DD/MM/YYYY"),
        "jwstpedigree": Pedigree(("INFLIGHT", "MODEL"), dashed, "YYYY-MM-DD"),
    }
)
"""Checks of the text of a value, by name."""
