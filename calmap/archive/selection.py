"""Best references of the rows of tables.

`TableSelection` is what one process needs: made once from a context, it answers
`Partition` after `Partition`. Answers and tallies of partitions put together in
their order are those of the whole, wherever each was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from calmap.archive.identity import FALLBACK, identities, identity_column
from calmap.archive.instruments import UNKNOWN, Instruments, instruments_of
from calmap.archive.tables.columns import decoded
from calmap.archive.tables.reading import HeaderTables, Partition
from calmap.archive.tally import MOST_EXAMPLES, Case, Tally, counted
from calmap.bestref.context import Context
from calmap.bestref.tables import TableSelector
from calmap.bestref.tables.answers import NONE
from calmap.bestref.tables.selector import Piece

INSTRUMENT = "instrument"
NOT_FOUND, BAD_HEADER = "not_found", "bad_header"


class Question(NamedTuple):
    """What is asked about tables.

    Parameters
    ----------
    columns
        Names of columns in any of the tables.
    identity
        The column that identifies datasets, or None for file and row.
    reftypes
        Types to look for; all if None.
    """

    columns: tuple[str, ...]
    identity: str | None = None
    reftypes: tuple[str, ...] | None = None

    @classmethod
    def about(
        cls, tables: HeaderTables, identity: str | None = None, reftypes: Sequence[str] | None = None
    ) -> Question:
        """The question about tables, with the column that identifies datasets found by its name.

        Raises
        ------
        UsageError
            If there is no column of the name given.
        """
        columns = tables.columns
        wanted = None if reftypes is None else tuple(reftypes)
        return cls(columns, identity_column(columns, identity), wanted)


class Answered(NamedTuple):
    """Answers for some rows, and how many there are of each."""

    table: pa.Table
    tally: Tally


class TableSelection:
    """Answers a question about tables with the rules of a context.

    Parameters
    ----------
    context, question
        Who answers, and what.

    Attributes
    ----------
    schema
        Columns of the answers: name of the dataset, instrument, and file and status of each type.

    Raises
    ------
    HeaderError
        If no column can tell the instrument.
    MappingError, CacheError
        If the context can't be used.
    """

    def __init__(self, context: Context, question: Question) -> None:
        self.context = context
        self.question = question
        self.instruments = Instruments(context)
        self.instruments.require_column(question.columns)
        self.selector = TableSelector(context, question.reftypes)
        self.columns = columns_read(question, self.instruments, self.selector)
        answers = [pa.field(INSTRUMENT, pa.dictionary(pa.int32(), pa.string())), *self.selector.schema]
        name = question.identity or FALLBACK
        if name.lower() in {field.name for field in answers}:
            name = FALLBACK
        self.schema = pa.schema([pa.field(name, pa.string()), *answers])

    def stream(self, partition: Partition) -> Iterator[Answered]:
        """Answers for a partition, batch by batch.

        Raises
        ------
        HeaderError
            If the table can't be read.
        """
        first = partition.first_row
        for batch in partition.batches(self.columns):
            yield self.batch(partition, batch, first)
            first += batch.num_rows

    def batch(self, partition: Partition, batch: pa.RecordBatch, first: int) -> Answered:
        """Answers for a batch of a partition that begins after some rows of the file."""
        names = identities(partition, batch, first, self.question.identity)
        tables, tally = [], Tally()
        for piece in self.selector.pieces(batch):
            rows = names.slice(tally.rows, piece.rows)
            known = decoded(instruments_of(piece), [name or "" for name in piece.instruments])
            tables.append(
                pa.RecordBatch.from_arrays([rows, known, *self.selector.written(piece)], schema=self.schema)
            )
            tally = tally + self._tally(rows, piece)
        return Answered(pa.Table.from_batches(tables, self.schema), tally)

    def _tally(self, names: pa.Array, piece: Piece) -> Tally:
        codes, known = instruments_of(piece), piece.instruments
        counts = {}
        for reftype, numbers in piece.codes.items():
            answers = self.selector.answers(reftype)
            for (instrument, number), count in counted(codes, numbers):
                if number != NONE:
                    counts[Case(str(known[instrument]), reftype, answers.said(number))] = count
        instruments = {str(known[code]): number for (code,), number in counted(codes)}
        return Tally(len(codes), *bad_rows(names, codes), 0, instruments, counts)


def answer(selection: TableSelection, partition: Partition) -> Answered:
    """Answers for a whole partition."""
    parts = tuple(selection.stream(partition))
    tables = [part.table for part in parts] or [selection.schema.empty_table()]
    return Answered(pa.concat_tables(tables), sum((part.tally for part in parts), Tally()))


def columns_read(question: Question, instruments: Instruments, *selectors: TableSelector) -> tuple[str, ...]:
    """The columns that are needed, in the order of the tables."""
    names = list(question.columns)
    wanted = {question.identity, *instruments.columns(names)}
    for selector in selectors:
        wanted.update(selector.columns_needed(names))
    return tuple(name for name in names if name in wanted)


def bad_rows(names: pa.Array, codes: Any) -> tuple[int, tuple[str, ...]]:
    """How many rows have no known instrument, and the names of the first."""
    rows = np.flatnonzero(codes == UNKNOWN)
    return len(rows), tuple(str(names[int(row)].as_py()) for row in rows[:MOST_EXAMPLES])
