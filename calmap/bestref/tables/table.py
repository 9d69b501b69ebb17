"""Best references for a whole table of headers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from calmap.bestref.tables.answers import narrow
from calmap.bestref.tables.encoding import Codes
from calmap.bestref.tables.results import (
    STATUS,
    files_column,
    files_dictionary,
    files_type,
    status_column,
    status_name,
    without_answers,
)
from calmap.bestref.tables.selector import TableSelector

if TYPE_CHECKING:
    from calmap.bestref.context import Context


def bestrefs_table(context: Context, table: Any, reftypes: Iterable[str] | None = None) -> Any:
    """Best references for a table of headers; see `calmap.Context.bestrefs_table`."""
    selector = TableSelector(context, reftypes)
    wanted = None if reftypes is None else selector.reftypes
    found: list[tuple[int, dict[str, Codes], Codes | None]] = []
    for piece in selector.pieces(table):
        codes = {name: narrow(part, selector.answers(name)) for name, part in piece.codes.items()}
        found.append((piece.rows, codes, piece.bad))
    if wanted is None:
        wanted = tuple(sorted({name for _, codes, _ in found for name in codes})) or selector.reftypes
    columns = {}
    for name in wanted:
        answers = selector.answers(name)
        dictionary = files_dictionary(answers)
        files, statuses = [], []
        for rows, codes, bad in found:
            part = codes.pop(name, None)
            if part is None:
                part = without_answers(rows, bad)
            files.append(files_column(part, answers, dictionary))
            statuses.append(status_column(part))
        columns[name] = pa.chunked_array(files, files_type(answers))
        columns[status_name(name)] = pa.chunked_array(statuses, STATUS)
    return pa.table(columns)
