"""Plain listings: rows of named cells."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from calmap.report.layout import table_rows
from calmap.report.text import Charset

_UNBOUNDED = 10_000


def render_listing(
    columns: Sequence[str], rows: Sequence[Sequence[object]], console: Console, *, prose: bool = False
) -> None:
    """Write rows under their headings.

    Parameters
    ----------
    columns, rows
        What to write.
    console
        Where to.
    prose
        The last column is text that may be folded to the console's width; names
        never are, so that they can be copied.
    """
    charset = Charset.of(console)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(charset.safe(str(cell))) for cell in row))
    for line in table_rows(table, console.width if prose else _UNBOUNDED, console):
        console.print(line, soft_wrap=True)


def listing_json(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A JSON list with an object for each row."""
    return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=2) + "\n"
