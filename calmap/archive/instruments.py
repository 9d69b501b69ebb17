"""The instrument of every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from calmap.archive.identity import listed
from calmap.archive.tables.columns import encoded
from calmap.bestref.context import Context
from calmap.errors import HeaderError
from calmap.model.values import UNDEFINED
from calmap.syntax.ast import MappingKind

UNKNOWN = -1
_UNDECIDED = -2


@dataclass(frozen=True, slots=True, eq=False)
class Instruments:
    """Tells the instruments of rows as a context does; what was found for a value is kept.

    Parameters
    ----------
    context
        The rules.
    """

    context: Context
    _codes: dict[str, int] = field(default_factory=dict, repr=False)
    _names: list[str] = field(default_factory=list, repr=False)

    @property
    def names(self) -> Sequence[str]:
        """What the codes stand for that were returned so far."""
        return self._names

    @property
    def keywords(self) -> tuple[str, ...]:
        """Keywords that name the instrument, in order of precedence; none if there is only one instrument."""
        if self.context.kind is not MappingKind.PIPELINE:
            return ()
        return self.context.observatory.instrument_keywords

    def columns(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns that it looks at, in order of precedence."""
        found = []
        for keyword in self.keywords:
            others = [name for name in reversed(names) if name.upper() == keyword and name != keyword]
            found += [keyword, *others] if keyword in names else others
        return tuple(found)

    def require_column(self, names: Sequence[str]) -> None:
        """Refuse tables that don't name instruments.

        Raises
        ------
        HeaderError
            With the columns that were expected.
        """
        if self.keywords and not self.columns(names):
            wanted = " or ".join(self.keywords)
            raise HeaderError(
                f"no column names the instrument: {wanted} was expected, there are {listed(names)}",
                "a table of headers has a row for each dataset and a column for each keyword",
            )

    def codes(self, batch: pa.RecordBatch) -> Any:
        """A code for each row: an index of `names`, or `UNKNOWN`."""
        if self.context.kind is not MappingKind.PIPELINE:
            return np.full(batch.num_rows, self._code(self.context.instrument({})))
        found = np.full(batch.num_rows, _UNDECIDED)
        for name in self.columns(batch.schema.names):
            codes, values = encoded(batch.column(name))
            known = np.array([*(self._known(value) for value in values), _UNDECIDED])
            found = np.where(found == _UNDECIDED, known[codes], found)
        return np.maximum(found, UNKNOWN)

    def _known(self, value: object) -> int:
        if value is None or value == UNDEFINED:
            return _UNDECIDED
        text = str(value)
        if text not in self._codes:
            try:
                self._codes[text] = self._code(self.context.instrument({self.keywords[0]: text}))
            except HeaderError:
                self._codes[text] = UNKNOWN
        return self._codes[text]

    def _code(self, instrument: str) -> int:
        if instrument not in self._names:
            self._names.append(instrument)
        return self._names.index(instrument)


def texts_of(codes: Any, names: Sequence[str]) -> pa.Array:
    """Codes of instruments as a column; null where none is known."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string()))
