"""Answers to a table, to its rows one by one, and of the plain interpreter, in one form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from calmap.bestref import Context
from calmap.bestref.explainer import STATUS
from calmap.bestref.rulebook import Rulebook
from calmap.compile.outcome import Outcome
from calmap.compile.tree import Answer as Kind
from calmap.errors import HeaderError

if TYPE_CHECKING:
    import pyarrow as pa

Answer: TypeAlias = "tuple[str, str | None]"
Answers: TypeAlias = dict[str, Answer]
Row: TypeAlias = Mapping[str, Any]
OMITTED: Answer = ("omitted", None)
BAD_HEADER: Answer = ("bad_header", None)
_SHOWN = 5


class Difference(NamedTuple):
    """A row of which not all say the same about a type."""

    context: str
    row: Row
    reftype: str
    answers: Mapping[str, Answer]

    def __str__(self) -> str:
        said = "; ".join(f"{who}: {' '.join(filter(None, answer))}" for who, answer in self.answers.items())
        return f"{self.context} {self.reftype}: {said}\n  {self.row}"


@dataclass(slots=True)
class Tally:
    """What was compared.

    Parameters
    ----------
    counts
        Answers by status, and the numbers of headers, types and differences.
    rules
        Places of the rules that gave an answer, as mapping and offset.
    shown
        The first differences.
    """

    counts: Counter[str] = field(default_factory=Counter)
    rules: set[tuple[str, int]] = field(default_factory=set)
    shown: list[Difference] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in what another has counted."""
        self.counts += other.counts
        self.rules |= other.rules
        self.shown = [*self.shown, *other.shown][:_SHOWN]

    def note(self, difference: Difference) -> None:
        """Count a difference; the first ones are kept."""
        self.counts["differences"] += 1
        if len(self.shown) < _SHOWN:
            self.shown.append(difference)


class Witness:
    """A context asked row by row: what `bestrefs` says, and what its interpreter says."""

    def __init__(self, context: Context, *, interpreted: bool = True) -> None:
        self.context, self._interpreted = context, interpreted
        self.types = frozenset(context.reftypes())

    def one_by_one(self, row: Row, asked: Collection[str] | None = None) -> Answers | None:
        """Answers for the types asked, omitted types too; None if the header is refused."""
        try:
            instrument = self.context.instrument(row)
            found = self.context.bestrefs(row, asked)
        except HeaderError:
            return None
        types = self.context.rulebook(instrument).reftypes if asked is None else asked
        return {
            name: (found[name].status, ", ".join(found[name].files) or None) if name in found else OMITTED
            for name in types
        }

    def slowly(
        self, row: Row, rules: set[tuple[str, int]], asked: Collection[str] | None = None
    ) -> Answers | None:
        """The same by looking at every rule; places of the rules that answered are added to the set."""
        try:
            book = self.context.rulebook(self.context.instrument(row))
        except HeaderError:
            return None
        values = book.values(row, None)
        said = {}
        for name in book.reftypes if asked is None else asked:
            outcome = self._outcome(book, name, values)
            if outcome.place is not None:
                rules.add((book.rules_of(name).mapping, outcome.place))
            said[name] = _answer(outcome)
        return said

    def _outcome(self, book: Rulebook, reftype: str, values: Mapping[str, str]) -> Outcome:
        rules = book.rules_of(reftype)
        if self._interpreted and rules.reference is not None:
            return rules.reference.interpret(values)
        return rules.choose(values)


def compare(
    witness: Witness, table: pa.Table, answers: pa.Table, asked: Collection[str] | None = None
) -> Tally:
    """Compare the answers to a table with those to its rows.

    Parameters
    ----------
    witness
        Answers row by row.
    table
        Headers.
    answers
        Columns of files and of statuses; no column says the same as an empty one.
    asked
        The types asked for, all if None.
    """
    tally = Tally()
    columns = {name: column_answers(answers, name) for name in answers.column_names if name in witness.types}
    if asked is not None and set(columns) != set(asked):
        raise ValueError(f"asked for {sorted(asked)}, answered {sorted(columns)}")
    name = witness.context.name
    for number, row in enumerate(header_rows(table)):
        fast, slow = witness.one_by_one(row, asked), witness.slowly(row, tally.rules, asked)
        tally.counts["headers"] += 1
        for reftype in columns if asked is not None else dict.fromkeys([*columns, *(fast or ())]):
            said = {
                "table": columns[reftype][number] if reftype in columns else OMITTED,
                "bestrefs": _of(fast, reftype),
                "interpreter": _of(slow, reftype),
            }
            if len(set(said.values())) > 1:
                tally.note(Difference(name, row, reftype, said))
            if slow is None or reftype in slow:
                tally.counts[said["interpreter"][0]] += 1
                tally.counts["types"] += 1
    return tally


def column_answers(answers: pa.Table, reftype: str) -> list[Answer]:
    """Answers of one type; a row without status is one that says nothing."""
    files, status = answers.column(reftype).to_pylist(), answers.column(f"{reftype}_status").to_pylist()
    return [(state or OMITTED[0], file) for state, file in zip(status, files, strict=True)]


def _of(answers: Answers | None, reftype: str) -> Answer:
    return BAD_HEADER if answers is None else answers.get(reftype, OMITTED)


def _answer(outcome: Outcome) -> Answer:
    if outcome.answer is Kind.OMITTED:
        return OMITTED
    return STATUS[outcome.answer], ", ".join(outcome.files) or None


def header_rows(table: pa.Table) -> Iterator[Row]:
    """Rows as headers, which have no keyword where there is no value."""
    for row in table.to_pylist():
        yield {name: value for name, value in row.items() if value is not None}
