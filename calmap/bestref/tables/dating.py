"""When the exposures of a table were taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calmap.bestref.tables.batch import Batch
from calmap.bestref.tables.encoding import Codes, distinct
from calmap.bestref.tables.lexicon import Keyword
from calmap.bestref.tables.times import DATE, MOMENT, NOTHING, TIME, Times, read_times
from calmap.compile.ordered import header_date
from calmap.model.dates import moment
from calmap.observatories.definition import KeywordSource, Observatory

_READABLE = (None, "date-and-time", "yyyymmddhhmmss")
"""Formats that leave a date in a usual form what it is."""
_GOOD = -1


class Dates(NamedTuple):
    """Dates of some rows.

    Parameters
    ----------
    moments
        Microseconds since 1970, int64, shape (rows,).
    refused
        For a date that is missing or can't be read the number of what the table
        says, else -1; int32, shape (rows,).
    """

    moments: NDArray[np.int64]
    refused: NDArray[np.int32]

    def take(self, rows: Codes) -> Dates:
        """The same for some rows."""
        return Dates(self.moments[rows], self.refused[rows])


class _Stage(NamedTuple):
    """A place to look for a date: columns whose values are joined."""

    columns: tuple[int, ...]
    source: KeywordSource


class DateReader:
    """Reads the dates of a table.

    Dates in a usual form are read all at once; any other goes, once for each value,
    through the functions that read the date of a single header.

    Parameters
    ----------
    observatory
        The telescope.
    keywords
        The one or two keywords that are the date.
    names
        The table's columns.
    """

    __slots__ = ("_known", "_numbers", "_stages", "keywords", "parameters", "refused")

    def __init__(self, observatory: Observatory, keywords: tuple[Keyword, ...], names: Sequence[str]) -> None:
        self.keywords = keywords
        self.parameters = tuple(keyword.parkey for keyword in keywords)
        self.refused: list[dict[str, str]] = []
        self._known: dict[tuple[int, ...], tuple[int, int]] = {}
        self._stages = tuple(
            tuple(_stages(observatory.sources(keyword.parkey), names)) for keyword in keywords
        )

    def __len__(self) -> int:
        return len(self._known)

    def read(self, batch: Batch) -> Dates:
        """Dates of the rows of a batch."""
        parts = [self._part(batch, number) for number in range(len(self.keywords))]
        good = parts[0].kind != NOTHING
        for part in parts[1:]:
            good &= part.kind != NOTHING
        moments = parts[0].value if len(parts) == 1 else parts[0].value + parts[1].value
        refused = np.full(batch.rows, _GOOD, np.int32)
        if not good.all():
            rows = np.flatnonzero(~good)
            moments[rows], refused[rows] = self._slowly(batch.alone(rows))
        return Dates(moments, refused)

    def _part(self, batch: Batch, number: int) -> Times:
        """What can be read at once of one keyword; NOTHING where it can't."""
        whole = len(self.keywords) == 1
        wanted = (DATE, MOMENT) if whole else ((DATE,), (TIME,))[number]
        found = Times(np.zeros(batch.rows, np.uint8), np.zeros(batch.rows, np.int64))
        rows = np.arange(batch.rows)
        for stage in self._stages[number]:
            part = batch if len(rows) == batch.rows else batch.alone(rows)
            times = [read_times(part.array(column)) for column in stage.columns]
            absent = np.logical_or.reduce([time.kind == NOTHING for time in times])
            good, value = _said(stage, times, wanted)
            if stage.source.format == "date-and-time":
                absent |= times[0].kind == DATE
                good &= ~absent
            found.kind[rows[good]] = DATE
            found.value[rows[good]] = value[good]
            rows = rows[absent]
            if not len(rows):
                break
        return found

    def _slowly(self, batch: Batch) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        codes = [keyword.codes(batch) for keyword in self.keywords]
        ids, chosen = distinct(codes, [len(keyword.lexicon) for keyword in self.keywords], batch.rows)
        said = zip(*(code[chosen].tolist() for code in codes), strict=True)
        read = np.array([self._read(numbers) for numbers in said], np.int64).reshape(-1, 2)
        return read[ids, 0], read[ids, 1].astype(np.int32)

    def _read(self, numbers: tuple[int, ...]) -> tuple[int, int]:
        found = self._known.get(numbers)
        if found is None:
            pairs = zip(self.keywords, numbers, strict=True)
            header = {keyword.parkey: keyword.lexicon.texts[number] for keyword, number in pairs}
            date = header_date(self.parameters, header)
            if isinstance(date, str):
                found = moment(date), _GOOD
            else:
                found = 0, len(self.refused)
                self.refused.append(header)
            self._known[numbers] = found
        return found


def _stages(sources: tuple[KeywordSource, ...], names: Sequence[str]) -> Iterator[_Stage]:
    """Places to look, up to one where the table has two columns of the same name."""
    upper = [name.upper() for name in names]
    for source in sources:
        counts = [upper.count(name) for name in source.names]
        if 0 in counts:
            continue
        if max(counts) > 1:
            return
        yield _Stage(tuple(upper.index(name) for name in source.names), source)


def _said(
    stage: _Stage, times: list[Times], wanted: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Rows whose date a place gives in a form that is read at once, and the dates."""
    nothing: Codes = np.zeros(len(times[0].kind), np.bool_)
    if stage.source.values is not None or stage.source.format not in _READABLE or len(times) > 2:
        return nothing, times[0].value
    if len(times) == 2:
        joined = (times[0].kind == DATE) & (times[1].kind == TIME)
        return (joined if MOMENT in wanted else nothing), times[0].value + times[1].value
    if stage.source.format is not None and MOMENT not in wanted:
        return nothing, times[0].value
    good = times[0].kind == wanted[0]
    for kind in wanted[1:]:
        good |= times[0].kind == kind
    return good, times[0].value
