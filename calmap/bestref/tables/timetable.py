"""Answers from moment to moment, of many timelines at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmap.bestref.tables.answers import Answers, narrow
from calmap.bestref.tables.encoding import Codes
from calmap.compile.timeline import Timeline

_MAX_DENSE = 2**23


class Timetable:
    """The timelines of one reference type, one line each.

    A line has an answer for every span between two moments at which any of the
    timelines turns; where that would be too much to keep, it has its own turns only.
    """

    __slots__ = ("_answers", "_changed", "_lines", "_numbers", "_starts", "_table", "_timelines", "moments")

    def __init__(self, answers: Answers) -> None:
        self.moments: NDArray[np.int64] = np.empty(0, np.int64)
        self._answers = answers
        self._timelines: list[Timeline] = []
        self._numbers: dict[int, int] = {}
        self._lines: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []
        self._table: Codes = np.empty(0, np.int32)
        self._starts: NDArray[np.int64] | None = None
        self._changed = False

    def add(self, timeline: Timeline) -> int:
        """The line of a timeline."""
        found = self._numbers.get(id(timeline))
        if found is None:
            found = self._numbers[id(timeline)] = len(self._lines)
            self._timelines.append(timeline)
            number = self._answers.number
            moments = np.asarray(timeline.moments, np.int64)
            self._lines.append(
                (moments, np.array([number(outcome) for outcome in timeline.outcomes], np.int32))
            )
            self._changed = True
        return found

    @property
    def width(self) -> int:
        """Spans in a line."""
        return len(self.moments) + 1

    def settle(self) -> bool:
        """Take in what was added; tells whether there are new moments."""
        if not self._changed:
            return False
        self._changed = False
        before = len(self.moments)
        self.moments = union(moments for moments, _ in self._lines)
        if len(self._lines) * self.width <= _MAX_DENSE:
            self._starts = None
            self._table = np.concatenate([self._whole(*line) for line in self._lines])
        else:
            self._starts = np.concatenate(
                [number * self.width + self._turns(line[0]) for number, line in enumerate(self._lines)]
            )
            self._table = np.concatenate([answers for _, answers in self._lines])
        self._table = narrow(self._table, self._answers)
        return len(self.moments) != before

    def look_up(self, places: Codes) -> Codes:
        """Numbers of answers.

        Parameters
        ----------
        places
            For each row its line times `width` plus the span its date is in, shape (rows,).
        """
        if self._starts is not None:
            places = np.searchsorted(self._starts, places, side="right") - 1
        if not len(self._table):
            return np.zeros(len(places), np.int32)
        return self._table.take(places)

    def _whole(self, moments: NDArray[np.int64], answers: NDArray[np.int32]) -> NDArray[np.int32]:
        spans = np.zeros(self.width, np.int64)
        np.add.at(spans, np.searchsorted(self.moments, moments) + 1, 1)
        return answers[np.cumsum(spans)]

    def _turns(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([[0], np.searchsorted(self.moments, moments) + 1])


class Calendar:
    """All moments at which any of several timetables turns."""

    __slots__ = ("_spans", "moments")

    def __init__(self) -> None:
        self.moments: NDArray[np.int64] = np.empty(0, np.int64)
        self._spans: dict[int, NDArray[np.int32]] = {}

    def settle(self, tables: Iterable[Timetable]) -> None:
        """Take in what the timetables have."""
        tables = list(tables)
        turned = [table for table in tables if table.settle()]
        if turned:
            self.moments = union(table.moments for table in tables)
            self._spans = {}

    def spans(self, dates: NDArray[np.int64]) -> Codes:
        """For each date the span of the calendar it is in."""
        return np.searchsorted(self.moments, dates, side="right")

    def spans_of(self, table: Timetable) -> NDArray[np.int32]:
        """For each span of the calendar that of a timetable."""
        found = self._spans.get(id(table))
        if found is None:
            marks = np.searchsorted(table.moments, self.moments, side="right")
            found = self._spans[id(table)] = np.concatenate([[0], marks]).astype(np.int32)
        return found


def union(moments: Iterable[Any]) -> NDArray[np.int64]:
    """Moments of all, ascending."""
    seen: dict[int, Any] = {id(some): some for some in moments}
    return np.unique(np.concatenate([np.empty(0, np.int64), *seen.values()]))
