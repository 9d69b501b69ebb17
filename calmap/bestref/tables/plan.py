"""What there is to look up in tables that have certain columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from calmap.bestref.tables.answers import Answers
from calmap.bestref.tables.batch import Batch
from calmap.bestref.tables.encoding import Codes, distinct
from calmap.bestref.tables.instrument import InstrumentTable
from calmap.errors import HeaderError
from calmap.syntax.ast import MappingKind

if TYPE_CHECKING:
    from calmap.bestref.context import Context


class AnswersByType(dict[str, Answers]):
    """Answers of each type, new ones where they are first asked for."""

    def __missing__(self, reftype: str) -> Answers:
        found = self[reftype] = Answers()
        return found


class Plan:
    """What there is for tables that have certain columns."""

    __slots__ = ("_answers", "_columns", "_context", "_known", "_tables", "_wanted", "names")

    def __init__(
        self,
        context: Context,
        wanted: tuple[str, ...] | None,
        answers: Mapping[str, Answers],
        names: tuple[str, ...],
    ) -> None:
        self.names = names
        self._context = context
        self._wanted = wanted
        self._answers = answers
        self._tables: dict[str, InstrumentTable] = {}
        self._known: dict[tuple[str | None, ...], str | None] = {}
        keywords = frozenset(context.observatory.instrument_keywords)
        self._columns = tuple(index for index, name in enumerate(names) if name.upper() in keywords)

    def __len__(self) -> int:
        return len(self._known) + sum(map(len, self._tables.values()))

    def table(self, instrument: str) -> InstrumentTable:
        """The rules of an instrument."""
        found = self._tables.get(instrument)
        if found is None:
            book = self._context.rulebook(instrument)
            found = self._tables[instrument] = InstrumentTable(
                self._context.observatory, book, self._wanted, self.names, self._answers
            )
        return found

    def instruments(self, batch: Batch) -> tuple[list[str | None], Codes]:
        """Instruments in a batch, None for those unknown, and for each row the number of its own."""
        indices = self._columns if self._context.kind is MappingKind.PIPELINE else ()
        columns = [batch.column(index) for index in indices]
        ids, chosen = distinct(
            [column.codes for column in columns], [len(column.texts) for column in columns], batch.rows
        )
        texts = [[column.texts[code] for code in column.codes[chosen].tolist()] for column in columns]
        said = list(zip(*texts, strict=True)) if columns else [()] * len(chosen)
        named = [self._instrument(indices, key) for key in said]
        order = list(dict.fromkeys(named))
        return order, np.array([order.index(name) for name in named], np.int64)[ids]

    def _instrument(self, indices: Sequence[int], texts: tuple[str | None, ...]) -> str | None:
        if texts not in self._known:
            pairs = zip(indices, texts, strict=True)
            header = {self.names[index]: text for index, text in pairs if text is not None}
            try:
                self._known[texts] = self._context.instrument(header)
            except HeaderError:
                self._known[texts] = None
        return self._known[texts]
