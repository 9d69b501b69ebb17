"""Numbers for texts that stay the same from batch to batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmap.bestref.tables.batch import Batch
from calmap.bestref.tables.encoding import Codes, distinct
from calmap.model.values import UNDEFINED, condition_text
from calmap.observatories.definition import Observatory
from calmap.observatories.keywords import KeywordResolver


class Lexicon:
    """Texts by number, in the order in which they came up."""

    __slots__ = ("_numbers", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, text: str) -> int:
        """The number of a text, a new one where it needs one."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found


class Growing:
    """Numbers to which more are added."""

    __slots__ = ("_values", "size")

    def __init__(self) -> None:
        self.size = 0
        self._values: NDArray[np.int32] = np.empty(64, np.int32)

    @property
    def values(self) -> NDArray[np.int32]:
        """What there is, to look at and to change."""
        return self._values[: self.size]

    def extend(self, more: NDArray[Any]) -> None:
        """Add some."""
        size = self.size + len(more)
        if size > len(self._values):
            larger = np.empty(max(size, 2 * len(self._values)), np.int32)
            larger[: self.size] = self.values
            self._values = larger
        self._values[self.size : size] = more
        self.size = size


class Keyword:
    """What a table says for one keyword of the rules, by the telescope's own resolver.

    Parameters
    ----------
    observatory, parkey
        The telescope and the keyword as the rules spell it.
    names
        The table's columns.
    """

    __slots__ = ("_known", "_names", "_resolver", "columns", "lexicon", "parkey")

    def __init__(self, observatory: Observatory, parkey: str, names: Sequence[str]) -> None:
        wanted = {name for source in observatory.sources(parkey) for name in source.names}
        self.parkey = parkey
        self.columns = tuple(index for index, name in enumerate(names) if name.upper() in wanted)
        self.lexicon = Lexicon()
        self._names = tuple(names[index] for index in self.columns)
        self._resolver = KeywordResolver(observatory, (parkey,))
        self._known: dict[tuple[str | None, ...], int] = {}

    def __len__(self) -> int:
        """How much is remembered."""
        return len(self._known)

    def value(self, texts: Sequence[str | None]) -> str:
        """The conditioned value for what the columns say, UNDEFINED if they say nothing."""
        header = {name: text for name, text in zip(self._names, texts, strict=True) if text is not None}
        found = self._resolver.resolve(header).get(self.parkey)
        return UNDEFINED if found is None else condition_text(found)

    def codes(self, batch: Batch) -> Codes:
        """For each row the number of its value in the lexicon, int32, shape (rows,)."""
        columns = [batch.column(index) for index in self.columns]
        ids, chosen = distinct(
            [column.codes for column in columns], [len(column.texts) for column in columns], batch.rows
        )
        texts = [[column.texts[code] for code in column.codes[chosen].tolist()] for column in columns]
        said = list(zip(*texts, strict=True)) if columns else [()] * len(chosen)
        return np.fromiter((self._number(key) for key in said), np.int32, len(said))[ids]

    def _number(self, said: tuple[str | None, ...]) -> int:
        found = self._known.get(said)
        if found is None:
            found = self._known[said] = self.lexicon.number(self.value(said))
        return found
