"""What was selected, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from rich.console import Console
from rich.table import Table
from rich.text import Text

from calmap.report.layout import table_rows
from calmap.report.selection import Selection
from calmap.report.text import Charset

STATUS_WORDS: Mapping[str, str] = MappingProxyType(
    {"found": "found", "not_applicable": "n/a", "not_found": "not found"}
)
STATUS_STYLES: Mapping[str, str] = MappingProxyType(
    {"found": "green", "not_applicable": "dim", "not_found": "bold red"}
)


def render_table(rows: Sequence[Selection], console: Console) -> None:
    """Write a heading for each dataset, and below it its types, how they fared, and references or reasons."""
    charset = Charset.of(console)
    width = max((len(charset.safe(row.ref.reftype)) for row in rows), default=0)
    for number, (owner, group) in enumerate(groupby(rows, key=_owner)):
        if number:
            console.print()
        render_heading(console, *owner)
        for line in table_rows(selection_table(tuple(group), width, charset), console.width - 2, console):
            console.print(Text("  ") + line, soft_wrap=True)


def render_heading(console: Console, dataset: str, instrument: str, context: str) -> None:
    """Write whose answers follow, on two lines if one is too short."""
    charset = Charset.of(console)
    name = Text.assemble((charset.safe(dataset), "bold"))
    rest = Text.assemble((f"{charset.safe(instrument)}  {charset.safe(context)}", "dim"))
    if name.cell_len + 2 + rest.cell_len <= console.width:
        console.print(Text.assemble(name, "  ", rest), soft_wrap=True)
        return
    console.print(name, soft_wrap=True)
    console.print(Text.assemble("  ", rest), soft_wrap=True)


def _owner(row: Selection) -> tuple[str, str, str]:
    return row.dataset, row.instrument, row.context


def selection_table(rows: Sequence[Selection], type_width: int, charset: Charset) -> Table:
    """Table of the answers for one dataset; file names are folded if they must be, never cut."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, min_width=type_width)
    table.add_column(no_wrap=True, min_width=max(map(len, STATUS_WORDS.values())))
    table.add_column(overflow="fold")
    for row in rows:
        ref = row.ref
        style = STATUS_STYLES.get(ref.status, "")
        answer = "\n".join(map(charset.safe, ref.files)) or charset.safe(ref.reason)
        if row.note:
            answer += f"\n({charset.safe(row.note)})"
        status = STATUS_WORDS.get(ref.status, charset.safe(ref.status))
        answer_style = "" if ref.status == "not_found" else style
        table.add_row(Text(charset.safe(ref.reftype)), Text(status, style), Text(answer, answer_style))
    return table
