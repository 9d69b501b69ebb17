"""Look-ups in the rules of one instrument, for all rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from calmap.bestref.rulebook import Rulebook
from calmap.bestref.tables.answers import Answers
from calmap.bestref.tables.batch import Batch
from calmap.bestref.tables.dating import DateReader, Dates
from calmap.bestref.tables.encoding import Codes, distinct, packed
from calmap.bestref.tables.lexicon import Growing, Keyword
from calmap.bestref.tables.reftype import TypeTable
from calmap.bestref.tables.timetable import Calendar
from calmap.compile.timeline import dependence
from calmap.observatories.definition import Observatory

_VARIED = 8
"""A column with more values than rows divided by this is kept out of the common configurations."""
_PLAIN = 256


class Configurations:
    """Distinct values of some keywords together, numbered, and what each means for types."""

    __slots__ = ("_combinations", "_known", "_values", "keywords")

    def __init__(self, keywords: tuple[Keyword, ...]) -> None:
        self.keywords = keywords
        self._known: dict[bytes, int] = {}
        self._values: dict[int, Growing] = {}
        self._combinations: dict[int, Growing] = {}

    def __len__(self) -> int:
        return len(self._known)

    def number(self, batch: Batch, types: Sequence[TypeTable]) -> Codes:
        """For each row of a batch the number of its configuration; each is made known to the types."""
        indices = tuple(dict.fromkeys(index for keyword in self.keywords for index in keyword.columns))
        columns = [batch.column(index) for index in indices]
        ids, chosen = distinct(
            [column.codes for column in columns], [len(column.texts) for column in columns], batch.rows
        )
        part = batch.take(chosen)
        codes = [keyword.codes(part) for keyword in self.keywords]
        first = len(self._known)
        known = self._known
        numbers = np.array(
            [known.setdefault(name, len(known)) for name in packed(codes, len(chosen))], np.int64
        )
        fresh = np.empty(len(known) - first, np.int64)
        new = numbers >= first
        fresh[numbers[new] - first] = np.flatnonzero(new)
        self._tell(types, dict(zip(self.keywords, codes, strict=True)), fresh)
        return numbers[ids]

    def combinations(self, table: TypeTable) -> Codes:
        """For each configuration the number of a type's combination."""
        return self._combinations[id(table)].values

    def _tell(self, types: Sequence[TypeTable], codes: Mapping[Keyword, Codes], fresh: Codes) -> None:
        for keyword in self.keywords:
            self._values.setdefault(id(keyword), Growing()).extend(codes[keyword][fresh])
        for table in types:
            told = self._combinations.setdefault(id(table), Growing())
            count = len(self._known) - told.size
            if count:
                values = [self._values[id(keyword)].values[told.size :] for keyword in table.keywords]
                told.extend(table.combinations(values, count))


class InstrumentTable:
    """The rules of an instrument, for tables that have certain columns.

    Parameters
    ----------
    observatory, book
        The telescope and the rules.
    wanted
        Types to look for, or None for all.
    names
        The table's columns.
    answers
        Gives the numbers of the answers of a type.
    """

    __slots__ = ("_calendars", "_configurations", "_dates", "_keywords", "fixed", "types")

    def __init__(
        self,
        observatory: Observatory,
        book: Rulebook,
        wanted: tuple[str, ...] | None,
        names: Sequence[str],
        answers: Mapping[str, Answers],
    ) -> None:
        required = book.required(wanted)
        self._keywords = {key: Keyword(observatory, key, names) for key in required}
        self._dates: dict[tuple[str, ...], DateReader] = {}
        self._calendars: dict[tuple[str, ...], Calendar] = {}
        self._configurations: dict[tuple[str, ...], Configurations] = {}
        self.types: dict[str, TypeTable] = {}
        self.fixed: dict[str, int] = {}
        for reftype in book.reftypes if wanted is None else wanted:
            rules = book.rules_of(reftype)
            if rules.reference is None:
                self.fixed[reftype] = answers[reftype].number(rules.fixed)
                continue
            date, keys = dependence(rules.reference)
            if date and date not in self._dates:
                keywords = tuple(self._keywords[key] for key in date)
                self._dates[date] = DateReader(observatory, keywords, names)
                self._calendars[date] = Calendar()
            self.types[reftype] = TypeTable(
                rules.reference,
                tuple(self._keywords[key] for key in keys if key in self._keywords),
                self._dates.get(date),
                answers[reftype],
            )

    def __len__(self) -> int:
        """How much is remembered."""
        held = (self._configurations, self.types, self._dates, self._keywords)
        return sum(len(part) for parts in held for part in parts.values())

    def look_up(self, batch: Batch) -> dict[str, Codes]:
        """Numbers of the answers of each type, for each row of a batch."""
        found = {reftype: np.full(batch.rows, number, np.int32) for reftype, number in self.fixed.items()}
        grouped = list(self._grouped(batch))
        numbered = []
        for configurations, reftypes in grouped:
            types = [self.types[reftype] for reftype in reftypes]
            numbers = configurations.number(batch, types)
            counts = np.bincount(numbers, minlength=len(configurations))
            present = np.flatnonzero(counts)
            for table in types:
                if table.dates is not None:
                    table.prepare(configurations.combinations(table)[present], counts[present])
            numbered.append(numbers)
        used = {id(table.dates) for table in self.types.values()}
        dates = {key: reader.read(batch) for key, reader in self._dates.items() if id(reader) in used}
        refused = {key: np.flatnonzero(date.refused >= 0) for key, date in dates.items()}
        spans = {key: self._spans(key, date) for key, date in dates.items()}
        for (configurations, reftypes), numbers in zip(grouped, numbered, strict=True):
            for reftype in reftypes:
                table = self.types[reftype]
                combinations = configurations.combinations(table)
                if table.dates is None:
                    found[reftype] = table.constant(combinations)[numbers]
                    continue
                key = table.dates.parameters
                calendar = self._calendars[key]
                found[reftype] = dated(
                    table, calendar, combinations, numbers, dates[key], spans[key], refused[key]
                )
        return found

    def _spans(self, key: tuple[str, ...], dates: Dates) -> Codes:
        calendar = self._calendars[key]
        reader = self._dates[key]
        calendar.settle(table.table for table in self.types.values() if table.dates is reader)
        return calendar.spans(dates.moments)

    def _grouped(self, batch: Batch) -> Iterator[tuple[Configurations, list[str]]]:
        """Types that are looked up by common configurations, and those that have their own."""
        limit = max(batch.rows // _VARIED, _PLAIN)
        varied = {
            index
            for keyword in {key for table in self.types.values() for key in table.keywords}
            for index in keyword.columns
            if len(batch.column(index).texts) > limit
        }
        groups: dict[tuple[str, ...], list[str]] = {}
        common: dict[str, None] = {}
        shared = []
        for reftype, table in self.types.items():
            names = tuple(keyword.parkey for keyword in table.keywords)
            if any(index in varied for keyword in table.keywords for index in keyword.columns):
                groups.setdefault(names, []).append(reftype)
            else:
                common.update(dict.fromkeys(names))
                shared.append(reftype)
        if shared:
            groups.setdefault(tuple(common), []).extend(shared)
        for names, reftypes in groups.items():
            if names not in self._configurations:
                self._configurations[names] = Configurations(tuple(self._keywords[name] for name in names))
            yield self._configurations[names], reftypes


def dated(
    table: TypeTable,
    calendar: Calendar,
    combinations: Codes,
    numbers: Codes,
    dates: Dates,
    spans: Codes,
    refused: Codes,
) -> Codes:
    """Numbers of the answers of a type that looks at the date.

    Parameters
    ----------
    table, calendar
        The type's rules, and the moments at which answers turn.
    combinations
        For each configuration the number of the type's combination.
    numbers
        For each row the number of its configuration, shape (rows,).
    dates, spans
        For each row its date, and the span of the calendar that is in.
    refused
        The rows whose date can't be read.
    """
    lines = table.lines(combinations)
    places = lines.take(numbers)
    places += calendar.spans_of(table.table).take(spans)
    alone = refused
    if lines.min(initial=0) < 0:
        alone = np.union1d(refused, np.flatnonzero(places < 0))
        np.maximum(places, 0, out=places)
    found = table.table.look_up(places)
    if len(alone):
        found = found.astype(np.int32)
        found[alone] = table.singly(combinations[numbers[alone]], dates.take(alone))
    return found
