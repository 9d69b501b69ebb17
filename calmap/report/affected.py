"""Datasets that would get other files, as text, Markdown and plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calmap.report.difference_markdown import code, table
from calmap.report.text import Charset

if TYPE_CHECKING:
    from rich.console import Console

    from calmap.bestref.affected import Affected


def summary(affected: Sequence[Affected], datasets: int) -> str:
    """How many datasets there are, and how many of them are affected."""
    count = len({item.dataset for item in affected})
    return f"{count} of {datasets} {'dataset' if datasets == 1 else 'datasets'} would get another file"


def render(affected: Sequence[Affected], datasets: int, console: Console) -> None:
    """Write each dataset, and below it the types with their files before and after."""
    from itertools import groupby

    from rich.text import Text

    charset = Charset.of(console)
    arrow = charset.safe("→")
    width = max((len(charset.safe(item.reftype)) for item in affected), default=0)
    for dataset, group in groupby(affected, key=lambda item: item.dataset):
        console.print(Text(charset.safe(dataset), "bold"), soft_wrap=True)
        for item in group:
            lead = f"  {charset.safe(item.reftype):<{width}}  "
            old, new = charset.safe(item.old), charset.safe(item.new)
            line = f"{lead}{old} {arrow} {new}"
            if len(line) <= console.width:
                console.print(Text(line), soft_wrap=True)
                continue
            console.print(Text(f"{lead}{old}"), soft_wrap=True)
            console.print(Text(f"{' ' * len(lead)}{arrow} {new}"), soft_wrap=True)
    console.print(Text(summary(affected, datasets)), soft_wrap=True)


def markdown(affected: Sequence[Affected], datasets: int) -> str:
    """A heading, the summary, and a table."""
    words = summary(affected, datasets)
    lines = ["#### Affected datasets", "", words, ""]
    if affected:
        rows = [tuple(map(code, item)) for item in affected]
        lines += table(("dataset", "type", "old file", "new file"), rows, words)
    return "\n".join(lines)


def data(affected: Sequence[Affected], datasets: int) -> dict[str, object]:
    """The same as plain data."""
    changes = [
        {"dataset": item.dataset, "type": item.reftype, "old": item.old, "new": item.new} for item in affected
    ]
    count = len({item.dataset for item in affected})
    return {"datasets": datasets, "affected": count, "changes": changes}
