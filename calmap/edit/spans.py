"""Spans of validity: the arithmetic, without any text of rules.

Spans are half-open, as the time spans of daf_butler are (its `Timespan`, and certify and decertify of its
calibration collections): the first moment belongs to one, the end does not, so that spans which meet have no
moment in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from calmap.errors import RefusedError, UsageError
from calmap.model.names import is_na, is_omit

GAP = "N/A"
"""What a rule says where no file is valid any more."""

Row: TypeAlias = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A time from a beginning up to an end.

    Parameters
    ----------
    begin
        The first moment; None for all of the past.
    end
        The first moment after it; None for all of the future.

    Raises
    ------
    UsageError
        If it does not end after its beginning.
    """

    begin: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.begin is not None and self.end is not None and self.end <= self.begin:
            raise UsageError(
                f"a span from {self.begin} until {self.end} has no moment in it", "its end must be later"
            )

    def __contains__(self, moment: datetime) -> bool:
        return self._first <= moment and (self.end is None or moment < self.end)

    def __str__(self) -> str:
        words = [f"from {self.begin}"] if self.begin is not None else []
        words += [f"until {self.end}"] if self.end is not None else ["on"] if words else ["at all times"]
        return " ".join(words)

    def overlaps(self, other: Span) -> bool:
        """True if some moment is in both."""
        return _before(self._first, other.end) and _before(other._first, self.end)

    def touches(self, other: Span) -> bool:
        """True if the two, taken together, are one span."""
        return (
            self.overlaps(other)
            or (None is not self.end == other.begin)
            or (None is not other.end == self.begin)
        )

    def joined(self, other: Span) -> Span:
        """The two taken together, which must touch."""
        ends = (self.end, other.end)
        first = None if None in (self.begin, other.begin) else min(self._first, other._first)
        return Span(first, None if None in ends else max(end for end in ends if end is not None))

    def common(self, other: Span) -> Span | None:
        """The moments that are in both, or None."""
        if not self.overlaps(other):
            return None
        begin = None if self.begin is other.begin is None else max(self._first, other._first)
        ends = [end for end in (self.end, other.end) if end is not None]
        return Span(begin, min(ends, default=None))

    def without(self, other: Span) -> tuple[Span, ...]:
        """What is left of it without another one: no span, one or two."""
        if not self.overlaps(other):
            return (self,)
        left = (Span(self.begin, other.begin),) if other.begin and self._first < other.begin else ()
        right = (Span(other.end, self.end),) if other.end and _before(other.end, self.end) else ()
        return (*left, *right)

    @property
    def _first(self) -> datetime:
        return self.begin if self.begin is not None else datetime.min


class Period(NamedTuple):
    """A span and what a rule says in it: a file, or that none applies."""

    text: str
    span: Span

    @property
    def is_gap(self) -> bool:
        """True if no file is valid in it."""
        return is_na(self.text) or is_omit(self.text)


class OverlapError(RefusedError):
    """A span in which another file is valid.

    Parameters
    ----------
    file, span
        What was to be certified.
    period
        The first other file that is valid in some of it.
    """

    def __init__(self, file: str, span: Span, period: Period) -> None:
        super().__init__(
            f"{file} can't be certified {span}: {period.text} is certified {period.span}",
            f"choose another span, or decertify {period.text} {period.span.common(span)} first",
        )
        self.file, self.span, self.period = file, span, period


def periods(dated: Iterable[Row]) -> tuple[Period, ...]:
    """What the rows of a `UseAfter` table say; each holds until the next one, the last for ever.

    Parameters
    ----------
    dated
        Dates, each once, and what stands at them.
    """
    ordered = sorted(dated)
    ends = (*(moment for moment, _ in ordered[1:]), None)
    return tuple(Period(text, Span(begin, end)) for (begin, text), end in zip(ordered, ends, strict=False))


def rows(known: Sequence[Period]) -> tuple[Row, ...]:
    """The inverse of `periods`: N/A stands where a period ends and no other one begins.

    Raises
    ------
    UsageError
        If a period has no beginning: no `UseAfter` table says that.
    """
    return tuple(_rows(known))


def certified(known: Sequence[Period], file: str, span: Span) -> tuple[Period, ...]:
    """Periods in which a file is valid in a span too, and all else is as it was.

    Raises
    ------
    OverlapError
        If another file is valid in some of the span.
    """
    for period in known:
        if not period.is_gap and period.text != file and period.span.overlaps(span):
            raise OverlapError(file, span, period)
    others: list[Period] = []
    for period in known:
        if period.text == file and period.span.touches(span):
            span = span.joined(period.span)
        else:
            others.append(period)
    left = [Period(other.text, part) for other in others for part in other.span.without(span)]
    return tuple(sorted([*left, Period(file, span)], key=_beginning))


def decertified(known: Sequence[Period], file: str, span: Span) -> tuple[Period, ...]:
    """Periods in which a file is not valid in a span any more, and outside of it all is as it was.

    A period of the file goes, gets shorter or becomes two; without a moment in the span it stays. Gaps that
    would be the first of all then go too, if all of them is in the span: they only said that the file ends.
    """
    left = [
        Period(period.text, part)
        for period in known
        for part in (period.span.without(span) if period.text == file else (period.span,))
    ]
    while left and left[0].is_gap and not known[0].is_gap and not left[0].span.without(span):
        del left[0]
    return tuple(left)


def spans_of(known: Iterable[Period], file: str) -> tuple[Span, ...]:
    """When a file is valid; periods that follow each other without a gap are one span."""
    found: list[Span] = []
    for period in known:
        if period.text != file:
            continue
        if found and found[-1].touches(period.span):
            found[-1] = found[-1].joined(period.span)
        else:
            found.append(period.span)
    return tuple(found)


def _rows(known: Sequence[Period]) -> Iterator[Row]:
    last, end = "", known[0].span.begin if known else None
    for text, span in known:
        if span.begin is None:
            raise UsageError(f"{text} can't be valid without a beginning", "name one")
        follows = end == span.begin
        if end is not None and not follows and not is_na(last):
            last = GAP
            yield end, last
        if follows or not (is_na(text) and is_na(last)):
            last = text
            yield span.begin, last
        end = span.end
    if end is not None and known and not is_na(last):
        yield end, GAP


def _beginning(period: Period) -> datetime:
    return period.span.begin or datetime.min


def _before(moment: datetime, end: datetime | None) -> bool:
    return end is None or moment < end
