"""Rows of tables for which two contexts choose different files.

`AffectedSearch` is what one process needs: made once from two contexts, it goes
through `Partition` after `Partition`, as `calmap.archive.selection` does, and finds
what `calmap.bestref.affected.ContextPair` would find header by header.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from calmap.archive.differing import Differing, TypePair
from calmap.archive.identity import identities
from calmap.archive.instruments import UNKNOWN, Instruments
from calmap.archive.selection import INSTRUMENT, Answered, Question, bad_rows, columns_read
from calmap.archive.tables.columns import decoded
from calmap.archive.tables.reading import Partition
from calmap.archive.tally import Case, Tally, counted
from calmap.archive.twofold import Changes, Pair, Side, Words
from calmap.bestref.context import Context

_TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [("dataset", pa.string()), (INSTRUMENT, _TEXT), ("type", _TEXT), ("old", _TEXT), ("new", _TEXT)]
)
"""Columns of what is found: a row for each dataset and type, with the files or the words in their place."""


class AffectedSearch:
    """Finds rows of tables for which two contexts choose different files.

    Only types whose rules differ are looked up, see `Differing`.

    Parameters
    ----------
    old, new, question
        The contexts, and what is asked.

    Raises
    ------
    HeaderError
        If no column can tell the instrument.
    MappingError, CacheError
        If a context can't be used.
    """

    schema = SCHEMA

    def __init__(self, old: Context, new: Context, question: Question) -> None:
        self.contexts = old, new
        self.question = question
        self.differing = Differing(old, new)
        self.instruments = Instruments(old), Instruments(new)
        for instruments in self.instruments:
            instruments.require_column(question.columns)
        self._pairs: dict[tuple[str | None, str | None], Pair] = {}
        self._words = Words()
        self.columns = self._columns()

    def types(self) -> tuple[tuple[TypePair, ...], int]:
        """The types that are asked for and looked up, and how many of those asked for have the same rules."""
        return self.differing.pairs(self.question.reftypes)

    def stream(self, partition: Partition) -> Iterator[Answered]:
        """Changes in a partition, batch by batch.

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
        """Changes in a batch of a partition that begins after some rows of the file."""
        names = identities(partition, batch, first, self.question.identity)
        old, new = (instruments.codes(batch) for instruments in self.instruments)
        known = np.maximum(old, new)
        changes: list[tuple[str, Changes]] = []
        every: dict[str, int] = {}
        for (one, other), _ in counted(old + 1, new + 1):
            rows = np.flatnonzero((old + 1 == one) & (new + 1 == other))
            pair = self._pair(*self._names(one - 1, other - 1))
            if pair.label:
                found, bad = pair.changes(batch, rows, self._words)
                known[bad] = UNKNOWN
                changes += [(pair.label, item) for item in found]
                every[pair.label] = every.get(pair.label, 0) + len(rows) - len(bad)
        table, affected = _table(names, changes, self._words)
        counts = dict(_counts(changes, self._words))
        instruments = {name: number for name, number in every.items() if number}
        tally = Tally(len(names), *bad_rows(names, known), affected, instruments, counts)
        return Answered(table, tally)

    def _names(self, old: int, new: int) -> tuple[str | None, str | None]:
        one, other = self.instruments
        return (None if old < 0 else one.names[old]), (None if new < 0 else other.names[new])

    def _pair(self, old: str | None, new: str | None) -> Pair:
        if (old, new) not in self._pairs:
            types = self.differing.types(old, new)
            asked = self.question.reftypes
            wanted = [name for name in types if asked is None or name in asked]
            sides = tuple(
                Side(context, instrument, wanted)
                for context, instrument in zip(self.contexts, (old, new), strict=True)
            )
            self._pairs[old, new] = Pair(old, new, wanted, sides)
        return self._pairs[old, new]

    def _columns(self) -> tuple[str, ...]:
        """The columns to read: all of them, if the contexts may disagree about the instrument of a header."""
        if self.instruments[0].keywords != self.instruments[1].keywords and all(
            instruments.keywords for instruments in self.instruments
        ):
            return self.question.columns
        pairs = [self._pair(*names) for names in self.differing.instruments()]
        selectors = [side.selector for pair in pairs for side in pair.sides if side.selector is not None]
        read = {
            *columns_read(self.question, self.instruments[0], *selectors),
            *columns_read(self.question, self.instruments[1]),
        }
        return tuple(name for name in self.question.columns if name in read)


def _table(names: pa.Array, changes: list[tuple[str, Changes]], words: Words) -> tuple[pa.Table, int]:
    """Changes as a table, in the order of the rows and then of the types; and how many rows it is about."""
    if not changes:
        return SCHEMA.empty_table(), 0
    instruments = sorted({label for label, _ in changes})
    types = sorted({item.reftype for _, item in changes})
    rows = np.concatenate([item.rows for _, item in changes])
    sizes = [len(item.rows) for _, item in changes]
    instrument = np.repeat([instruments.index(label) for label, _ in changes], sizes)
    reftype = np.repeat([types.index(item.reftype) for _, item in changes], sizes)
    order = np.lexsort((reftype, rows))
    files = [np.concatenate(codes)[order] for codes in zip(*(item[2:] for _, item in changes), strict=True)]
    columns = [
        names.take(pa.array(rows[order])),
        decoded(instrument[order], instruments),
        decoded(reftype[order], types),
        *(decoded(codes, words.texts) for codes in files),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA), len(np.unique(rows))


def _counts(changes: list[tuple[str, Changes]], words: Words) -> Iterator[tuple[Case, int]]:
    totals: dict[Case, int] = {}
    for label, item in changes:
        for (old, new), number in counted(item.old, item.new):
            case = Case(label, item.reftype, (words.texts[old], words.texts[new]))
            totals[case] = totals.get(case, 0) + number
    yield from totals.items()
