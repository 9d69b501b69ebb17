"""Rows in order and single answers, as compiled rules have them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from calmap.compile.ordered import Header, header_date, header_moment, pick, too_early
from calmap.compile.outcome import Outcome, missed
from calmap.compile.packed import PackedRows, PackedTerminal
from calmap.compile.prepare import row_key
from calmap.compile.tree import Answer, RowKey
from calmap.model.dates import moment_text

if TYPE_CHECKING:
    from calmap.compile.selectors import Rules

_EARLY = missed("no date at or before that of the header")


class Row(NamedTuple):
    """A row that is not a date, and its number among all rows."""

    key: RowKey
    written: str
    number: int


class Picked(NamedTuple):
    """Rows that a selector chose, by number, with their rank."""

    rank: Any
    rows: tuple[int, ...]


class Word:
    """An answer that is not one file."""

    __slots__ = ("_answer", "_files", "written")

    def __init__(self, packed: PackedTerminal) -> None:
        self._answer = Answer(packed.answer)
        self._files = packed.files
        self.written = packed.written

    def outcome(self, place: int) -> Outcome:
        """The answer where it stands."""
        return Outcome(self._answer, self._files, "", False, place)


class Dated:
    """Rows in order of date."""

    __slots__ = ("end", "first", "rules")
    kind = "UseAfter"

    def __init__(self, rules: Rules, first: int, end: int) -> None:
        self.rules, self.first, self.end = rules, first, end

    @property
    def is_empty(self) -> bool:
        """True without rows."""
        return self.first == self.end

    @property
    def dates(self) -> Sequence[int]:
        """The dates of the rows."""
        return self.rules.dates[self.first : self.end]

    def leads_to(self) -> Sequence[int]:
        """The choices of the rows."""
        return self.rules.choices_of(self.first, self.end)

    def look_up(self, header: Header) -> Outcome:
        """As `choose`, but the same words for every date that is too early."""
        rules = self.rules
        try:
            moment = header_moment(rules.date, rules.date_of(header))
        except KeyError:
            moment = rules.moment(header)
        if isinstance(moment, Outcome):
            return moment
        number = bisect_right(rules.dates, moment, self.first, self.end) - 1
        if number < self.first:
            return _EARLY
        return rules.outcomes[number] or rules.row(number, header)

    def choose(self, header: Header) -> Outcome:
        """The answer of the chosen row."""
        outcome = self.look_up(header)
        if outcome is not _EARLY:
            return outcome
        first = None if self.is_empty else moment_text(self.rules.dates[self.first])
        return too_early(first, str(header_date(self.rules.date, header)))

    def pick(self, header: Header) -> Picked | Outcome:
        """The row that a header's date chooses, with its rank."""
        rules = self.rules
        moment = rules.moment(header)
        if isinstance(moment, Outcome):
            return moment
        number = bisect_right(rules.dates, moment, self.first, self.end) - 1
        return Picked(rules.dates[number], (number,)) if number >= self.first else _EARLY


class Other:
    """Rows in order of version or number, or of dates of several kinds."""

    __slots__ = ("first", "kind", "parameters", "rows", "rules")

    def __init__(self, rules: Rules, packed: PackedRows) -> None:
        self.rules, self.kind, self.parameters = rules, packed.kind, packed.parameters
        self.first = packed.first
        self.rows = tuple(
            Row(row_key(self.kind, key), key if isinstance(key, str) else repr(key), packed.first + number)
            for number, key in enumerate(packed.keys)
        )

    @property
    def is_empty(self) -> bool:
        """True without rows."""
        return not self.rows

    def leads_to(self) -> Sequence[int]:
        """The choices of the rows."""
        return self.rules.choices_of(self.first, self.first + len(self.rows))

    def choose(self, header: Header) -> Outcome:
        """The answer of the chosen row."""
        picked = self.pick(header)
        return picked if isinstance(picked, Outcome) else self.rules.rows(picked.rows, header)

    def pick(self, header: Header) -> Picked | Outcome:
        """The rows that a header's value chooses, with their rank."""
        picked = pick(self, header)
        if isinstance(picked, Outcome):
            return picked
        return Picked(picked[0], tuple(row.number for row in picked[1]))
