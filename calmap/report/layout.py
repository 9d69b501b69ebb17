"""Text and tables laid out as rows of a console."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

_NARROWEST = 20


def hanging(lead: Text, body: Text, console: Console) -> Iterator[Text]:
    """Lines of a body wrapped beside a lead; the second and later ones are indented under the first."""
    indent = lead.cell_len
    width = max(_NARROWEST, console.width - indent)
    for number, line in enumerate(body.wrap(console, width, overflow="fold")):
        row = Text(" " * indent) if number else lead.copy()
        row.append_text(line)
        row.rstrip()
        yield row


def table_rows(table: Table, width: int, console: Console) -> Iterator[Text]:
    """Lines of a table, without the spaces that fill them up."""
    options = console.options.update(width=max(_NARROWEST, width))
    for segments in console.render_lines(table, options, pad=False):
        row = Text()
        for segment in segments:
            row.append(segment.text, segment.style)
        row.rstrip()
        yield row
