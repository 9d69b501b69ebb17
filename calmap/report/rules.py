"""Rules that choose a file, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from calmap.report.layout import hanging
from calmap.report.text import Charset

if TYPE_CHECKING:
    from calmap.bestref.matches import RulePath


def render_rules(paths: Sequence[RulePath], console: Console) -> None:
    """Write each file and below it the rules that choose it."""
    charset = Charset.of(console)
    for number, (name, group) in enumerate(groupby(paths, key=lambda path: path.reference)):
        if number:
            console.print()
        console.print(Text(charset.safe(name), "bold"), soft_wrap=True)
        for path in group:
            console.print(Text(f"  {charset.safe(path.mapping)}:{path.line}", "cyan"), soft_wrap=True)
            words = [f"{charset.safe(key)} = {charset.safe(value)}" for key, value in path.conditions]
            for row in hanging(Text("    "), Text(", ".join(words)), console):
                console.print(row, soft_wrap=True)
