"""The instrument of every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from calmap.archive.identity import listed
from calmap.bestref.context import Context
from calmap.bestref.tables import TableSelector
from calmap.bestref.tables.selector import Piece
from calmap.errors import HeaderError
from calmap.syntax.ast import MappingKind

UNKNOWN = -1


@dataclass(slots=True, eq=False)
class Instruments:
    """Tells the instruments of rows as a context does.

    Parameters
    ----------
    context
        The rules.
    """

    context: Context
    names: list[str] = field(default_factory=list, init=False)
    """What the codes stand for that were returned so far."""
    _selector: TableSelector = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._selector = TableSelector(self.context, (), ())

    @property
    def keywords(self) -> tuple[str, ...]:
        """Keywords that name the instrument, in order of precedence; none if there is only one instrument."""
        if self.context.kind is not MappingKind.PIPELINE:
            return ()
        return self.context.observatory.instrument_keywords

    def columns(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns that it looks at."""
        return tuple(name for name in names if name.upper() in self.keywords)

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
        found = [np.empty(0, np.int64)]
        for piece in self._selector.pieces(batch):
            self.names += [name for name in piece.instruments if name and name not in self.names]
            own = [UNKNOWN if name is None else self.names.index(name) for name in piece.instruments]
            found.append(np.array(own)[piece.numbers])
        return np.concatenate(found)


def instruments_of(piece: Piece) -> Any:
    """For each row the index of its instrument in `Piece.instruments`, or `UNKNOWN`."""
    own = [UNKNOWN if name is None else number for number, name in enumerate(piece.instruments)]
    return np.array(own, np.int32)[piece.numbers]
