"""Look-ups in the rules of one reference type, for all rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from calmap.bestref.tables.answers import Answers
from calmap.bestref.tables.dating import DateReader, Dates
from calmap.bestref.tables.encoding import Codes, distinct, packed
from calmap.bestref.tables.lexicon import Growing, Keyword
from calmap.bestref.tables.times import moment_texts
from calmap.bestref.tables.timetable import Timetable
from calmap.compile.reference import CompiledReference
from calmap.compile.timeline import Timelines

_Row: TypeAlias = tuple[int, int, int]
"""Numbers of a combination, of microseconds, and of a date that can't be read or -1."""
_OPEN = -1
_FEW = 2
"""Rows with the same values for which the timeline isn't worth the work."""
_AT_ONCE = 16_384


class TypeTable:
    """What one reference mapping answers, remembered by the values it was asked for.

    Parameters
    ----------
    reference
        The rules.
    keywords
        What the answers depend on, beside the date.
    dates
        Reads the date, or None if there is none or it counts like any other keyword.
    answers
        Numbers of the answers.
    """

    __slots__ = (
        *("dates", "keywords", "reference", "table"),
        *("_answers", "_known", "_lines", "_names", "_refused", "_seen", "_timelines"),
    )

    def __init__(
        self,
        reference: CompiledReference,
        keywords: tuple[Keyword, ...],
        dates: DateReader | None,
        answers: Answers,
    ) -> None:
        self.reference = reference
        self.keywords = keywords
        self.dates = dates
        self.table = Timetable(answers)
        self._answers = answers
        self._timelines = Timelines(reference)
        self._known: dict[bytes, int] = {}
        self._names: list[bytes] = []
        self._lines = Growing()
        self._seen = Growing()
        self._refused: dict[_Row, int] = {}

    def __len__(self) -> int:
        return len(self._names) + len(self._refused)

    def combinations(self, codes: Sequence[Codes], rows: int) -> Codes:
        """Numbers of combinations of values, new ones where they are new.

        Parameters
        ----------
        codes
            For each keyword numbers in its lexicon, shape (rows,).
        rows
            How many there are.
        """
        ids, chosen = distinct(codes, [len(keyword.lexicon) for keyword in self.keywords], rows)
        names = packed([code[chosen] for code in codes], len(chosen))
        first = len(self._names)
        numbers = [self._number(name) for name in names]
        new = len(self._names) - first
        if self.dates is None:
            headers = self._headers(range(first, first + new))
            self._lines.extend(np.array([self._answer(header) for header in headers], np.int32))
        else:
            self._lines.extend(np.full(new, _OPEN, np.int32))
            self._seen.extend(np.zeros(new, np.int32))
        return np.array(numbers, np.int32)[ids]

    def constant(self, combinations: Codes) -> Codes:
        """Answers of combinations where there is no date."""
        return self._lines.values[combinations]

    def prepare(self, combinations: Codes, counts: Codes) -> None:
        """See that combinations that occur often enough have a timeline.

        Parameters
        ----------
        combinations, counts
            Numbers of combinations, and in how many rows each occurs.
        """
        waiting = self._lines.values[combinations] == _OPEN
        if not waiting.any():
            return
        seen = self._seen.values
        np.add.at(seen, combinations[waiting], counts[waiting].astype(np.int32))
        several = np.unique(combinations[waiting])
        several = several[seen[several] > _FEW]
        add, timeline = self.table.add, self._timelines.of
        lines = [add(timeline(header)) for header in self._headers(several.tolist())]
        self._lines.values[several] = lines

    def lines(self, combinations: Codes) -> Codes:
        """For combinations where their timelines begin in the table, or a negative number."""
        lines = self._lines.values[combinations].astype(np.int64)
        return np.where(lines == _OPEN, -self.table.width - 1, lines * self.table.width)

    def singly(self, combinations: Codes, dates: Dates) -> Codes:
        """Answers of rows one by one.

        Parameters
        ----------
        combinations, dates
            For each row the number of its combination, and its date.
        """
        columns = (combinations.tolist(), dates.moments.tolist(), dates.refused.tolist())
        rows: list[_Row] = list(zip(*columns, strict=True))
        parts = [self._some(rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE)]
        return np.array([number for part in parts for number in part], np.int32)

    def _some(self, rows: list[_Row]) -> list[int]:
        """Answers of rows; those for a date that can't be read are remembered."""
        known = {row: self._refused[row] for row in rows if row in self._refused}
        new = list(dict.fromkeys(row for row in rows if row not in known))
        headers = self._headers([combination for combination, _, _ in new])
        for row, header, date in zip(new, headers, self._dates(new), strict=True):
            header.update(date)
            known[row] = self._answer(header)
            if row[2] >= 0:
                self._refused[row] = known[row]
        return [known[row] for row in rows]

    def _dates(self, rows: Sequence[_Row]) -> Iterator[Mapping[str, str]]:
        """Values of the keywords that are the date."""
        reader = self.dates
        if reader is None:
            return
        parameters, texts = reader.parameters, moment_texts([at for _, at, _ in rows])
        for text, (_, _, refused) in zip(texts, rows, strict=True):
            if refused >= 0:
                yield reader.refused[refused]
            elif len(parameters) == 1:
                yield {parameters[0]: text}
            else:
                yield {parameters[0]: text[:10], parameters[1]: text[11:]}

    def _number(self, name: bytes) -> int:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = len(self._names)
            self._names.append(name)
        return found

    def _answer(self, header: Mapping[str, str]) -> int:
        return self._answers.number(self.reference.choose(header))

    def _headers(self, combinations: Sequence[int]) -> list[dict[str, str]]:
        """Values of the keywords beside the date."""
        if not self.keywords:
            return [{} for _ in combinations]
        names = b"".join([self._names[number] for number in combinations])
        numbers = np.frombuffer(names, np.int32).reshape(-1, len(self.keywords))
        columns = []
        for index, keyword in enumerate(self.keywords):
            texts = keyword.lexicon.texts
            columns.append([texts[number] for number in numbers[:, index].tolist()])
        keys = [keyword.parkey for keyword in self.keywords]
        return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]
