"""Look-ups in a context for tables of headers, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from calmap.bestref.tables.answers import BAD_HEADER, NONE, Answers
from calmap.bestref.tables.batch import Batch, Slice
from calmap.bestref.tables.encoding import Codes
from calmap.bestref.tables.inputs import opened, pieces
from calmap.bestref.tables.plan import AnswersByType, Plan
from calmap.bestref.tables.results import (
    files_column,
    files_dictionary,
    schema_of,
    status_column,
    without_answers,
)
from calmap.syntax.ast import MappingKind

if TYPE_CHECKING:
    from calmap.bestref.context import Context

_MAX_REMEMBERED = 500_000
"""Combinations of values, after which everything is forgotten and learned anew."""


class Piece(NamedTuple):
    """Answers of some rows.

    Parameters
    ----------
    instruments
        Those that the rows have, None for one that the context does not know.
    numbers
        For each row the number of its instrument, shape (rows,).
    codes
        For each type that any of the rows' instruments has, numbers of answers, shape (rows,).
    bad
        Rows whose header names no instrument that the context knows, or None if there are none.
    """

    instruments: tuple[str | None, ...]
    numbers: Codes
    codes: dict[str, Codes]
    bad: Codes | None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.numbers)


class TableSelector:
    """Best references for tables of headers; what was worked out for one batch serves for the next.

    Parameters
    ----------
    context
        The rules.
    reftypes
        Types to look for; all that the instruments have if None.
    instruments
        Instruments to look for; all that the context has rules for if None. Rows of
        others get no answers.

    Notes
    -----
    An object of this class is for one thread.
    """

    __slots__ = ("_answers", "_context", "_dictionaries", "_instruments", "_plan", "_reftypes", "_wanted")

    def __init__(
        self,
        context: Context,
        reftypes: Iterable[str] | None = None,
        instruments: Iterable[str] | None = None,
    ) -> None:
        self._context = context
        self._wanted = None if reftypes is None else tuple(dict.fromkeys(name.lower() for name in reftypes))
        self._instruments = None if instruments is None else frozenset(name.lower() for name in instruments)
        self._answers = AnswersByType()
        self._dictionaries: dict[str, Any] = {}
        self._plan: Plan | None = None
        self._reftypes: tuple[str, ...] | None = (
            None if reftypes is None else tuple(sorted(self._wanted or ()))
        )

    @property
    def reftypes(self) -> tuple[str, ...]:
        """Types that are looked for, in the order of the columns, which is alphabetical."""
        if self._reftypes is None:
            books = [self._context.rulebook(name) for name in self._asked()]
            self._reftypes = tuple(sorted({reftype for book in books for reftype in book.reftypes}))
        return self._reftypes

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the answers, the same for all batches."""
        return schema_of(self.reftypes)

    @property
    def keywords(self) -> tuple[str, ...]:
        """Names of columns that can matter, in upper case and alphabetical order."""
        observatory = self._context.observatory
        books = [self._context.rulebook(name) for name in self._asked()]
        keys = dict.fromkeys(key for book in books for key in book.required(self._wanted))
        names = {name for key in keys for source in observatory.sources(key) for name in source.names}
        if self._context.kind is MappingKind.PIPELINE:
            names.update(observatory.instrument_keywords)
        return tuple(sorted(names))

    def columns_needed(self, names: Iterable[str]) -> list[str]:
        """Those of a table's columns that can matter; no others need be read.

        Parameters
        ----------
        names
            Names of the table's columns, in any case.
        """
        wanted = frozenset(self.keywords)
        return [name for name in names if name.upper() in wanted]

    def select(self, batch: Any) -> Any:
        """Answers for the rows of a batch or a table.

        Parameters
        ----------
        batch
            A `pyarrow.RecordBatch` or `pyarrow.Table`, a row for each header and
            a column for each keyword.

        Returns
        -------
        pyarrow.RecordBatch or pyarrow.Table
            As was given, with as many rows and the columns of `schema`.

        Raises
        ------
        UsageError
            If a value of a column can't be read.
        MappingError, CacheError
            If the context, or the mapping of an instrument in the table, can't be used.
        """
        parts = [self.written(piece) for piece in self.pieces(batch)]
        if isinstance(batch, pa.Table):
            return pa.Table.from_batches(parts, self.schema)
        if len(parts) == 1:
            return parts[0]
        whole = pa.Table.from_batches(parts, self.schema).combine_chunks().to_batches()
        return whole[0] if whole else pa.RecordBatch.from_pylist([], self.schema)

    def pieces(self, table: Any) -> Iterable[Piece]:
        """Answers for the rows of a table of any kind, some rows at a time."""
        for part in pieces(opened(table)):
            yield self._looked_up(Slice(part))

    def answers(self, reftype: str) -> Answers:
        """What the numbers of a type mean."""
        return self._answers[reftype]

    def _asked(self) -> tuple[str, ...]:
        known = self._context.instruments()
        wanted = self._instruments
        return known if wanted is None else tuple(name for name in known if name in wanted)

    def _looked_up(self, batch: Batch) -> Piece:
        plan = self._plan
        if plan is None or plan.names != batch.names or len(plan) > _MAX_REMEMBERED:
            plan = self._plan = Plan(self._context, self._wanted, self._answers, batch.names)
        instruments, numbers = plan.instruments(batch)
        bad = None
        codes: dict[str, Codes] = {}
        for number, instrument in enumerate(instruments):
            rows = np.flatnonzero(numbers == number)
            if not len(rows):
                continue
            if instrument is None:
                bad = rows
            elif self._instruments is None or instrument in self._instruments:
                every = len(rows) == batch.rows
                part = batch if every else batch.take(rows)
                for reftype, found in plan.table(instrument).look_up(part).items():
                    if every:
                        codes[reftype] = found
                        continue
                    if reftype not in codes:
                        codes[reftype] = np.full(batch.rows, NONE, np.int32)
                    codes[reftype][rows] = found
        if bad is not None:
            for found in codes.values():
                found[bad] = BAD_HEADER
        return Piece(tuple(instruments), numbers, codes, bad)

    def written(self, piece: Piece) -> Any:
        """Answers as a `pyarrow.RecordBatch` with the columns of `schema`."""
        columns = []
        for reftype in self.reftypes:
            codes = piece.codes.get(reftype)
            if codes is None:
                codes = without_answers(piece.rows, piece.bad)
            answers = self._answers[reftype]
            columns.append(files_column(codes, answers, self._dictionary(reftype), np.int32))
            columns.append(status_column(codes))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _dictionary(self, reftype: str) -> Any:
        answers = self._answers[reftype]
        found = self._dictionaries.get(reftype)
        if found is None or len(found) != len(answers.files):
            found = self._dictionaries[reftype] = files_dictionary(answers)
        return found
