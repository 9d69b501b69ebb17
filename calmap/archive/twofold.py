"""Two contexts asked about the rows of one instrument."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from calmap.bestref.affected import NO_TYPE, WORDS
from calmap.bestref.context import Context
from calmap.bestref.tables import TableSelector


class Changes(NamedTuple):
    """Changes of a type in some rows: the rows, and words for the answers before and after."""

    reftype: str
    rows: Any
    old: Any
    new: Any


class Words:
    """What answers are called, by number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text."""
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return self._numbers[text]


class Side:
    """One of the contexts, asked for datasets of one instrument.

    Parameters
    ----------
    context, instrument
        Who is asked, about what; None if it knows no such instrument.
    types
        Those that matter, of which the context may lack some.
    """

    def __init__(self, context: Context, instrument: str | None, types: list[str]) -> None:
        there = set() if instrument is None else set(context.rulebook(instrument).reftypes)
        self.types = [name for name in types if name in there]
        self.selector = (
            TableSelector(context, self.types, None if instrument is None else (instrument,))
            if self.types
            else None
        )

    def answers(self, batch: pa.RecordBatch, words: Words) -> dict[str, Any]:
        """Numbers of words for the answers of each type, for each row; -1 if the type is omitted."""
        if self.selector is None:
            return {}
        found = self.selector.select(batch)
        return {name: _numbers(found, name, words) for name in self.types}


class Pair(NamedTuple):
    """What both contexts call the instrument of some rows, and how they are asked."""

    old: str | None
    new: str | None
    types: list[str]
    sides: tuple[Side, ...]

    @property
    def label(self) -> str:
        """The instrument; empty if neither knows it."""
        return self.new or self.old or ""

    def changes(self, batch: pa.RecordBatch, rows: Any, words: Words) -> tuple[list[Changes], Any]:
        """Changes in some rows of a batch, and those of the rows that have to count as bad headers."""
        none = rows[:0]
        if not self.types:
            return [], rows if None in (self.old, self.new) else none
        part = batch if len(rows) == batch.num_rows else batch.take(pa.array(rows))
        old, new = (side.answers(part, words) for side in self.sides)
        absent = words.number(NO_TYPE)
        found = []
        answered = np.zeros(len(rows), bool)
        for name in self.types:
            one, other = old.get(name), new.get(name)
            before = np.full(len(rows), -1) if one is None else one
            after = np.full(len(rows), -1) if other is None else other
            answered |= (before >= 0) | (after >= 0)
            changed = np.flatnonzero(before != after)
            if len(changed):
                files = (np.where(codes[changed] < 0, absent, codes[changed]) for codes in (before, after))
                found.append(Changes(name, rows[changed], *files))
        bad = rows[~answered] if None in (self.old, self.new) else none
        return found, bad


def _numbers(answers: Any, reftype: str, words: Words) -> Any:
    """Numbers of words for the answers of a type."""
    files, statuses = answers.column(reftype), answers.column(f"{reftype}_status")
    named = [words.number(text) for text in files.dictionary.to_pylist()]
    said = [words.number(WORDS.get(text, text)) for text in statuses.dictionary.to_pylist()]
    file = files.indices.fill_null(len(named)).to_numpy(zero_copy_only=False)
    status = statuses.indices.fill_null(len(said)).to_numpy(zero_copy_only=False)
    codes = np.array([*named, -1])[file]
    return np.where(codes < 0, np.array([*said, -1])[status], codes)
