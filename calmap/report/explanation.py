"""Why a reference was chosen, or what came closest: the trail through the mappings, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from calmap.report.layout import hanging, table_rows
from calmap.report.selection_table import STATUS_STYLES
from calmap.report.text import Charset

if TYPE_CHECKING:
    from calmap.bestref import Explanation, KeyCheck, NearRule, Step

_NEAREST = 3
_ROOM = 36
_PLACE = "cyan"
_ANSWERS: Mapping[str, str] = MappingProxyType(
    {"found": "found", "not_applicable": "not applicable", "not_found": "not found"}
)
_OUTCOME_STYLES: Mapping[str, str] = MappingProxyType({"match": "green", "any": "dim", "no": "bold red"})


def render_explanation(explanation: Explanation, console: Console) -> None:
    """Write the trail, the keys compared, the answer and, if there is none, the nearest rules."""
    for row in _Explained(explanation, console).rows():
        console.print(row, soft_wrap=True)


def explanation_text(explanation: Explanation, width: int = 100) -> str:
    """The same as plain text."""
    text = StringIO()
    console = Console(file=text, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    render_explanation(explanation, console)
    return text.getvalue().rstrip("\n")


class _Explained:
    """An explanation laid out for a console."""

    def __init__(self, explanation: Explanation, console: Console) -> None:
        self.explanation = explanation
        self.console = console
        self.charset = Charset.of(console)

    def rows(self) -> Iterator[Text]:
        """Every line, in order."""
        explanation = self.explanation
        title = Text.assemble((self.charset.safe(explanation.reftype), "bold"))
        if explanation.mapping:
            title.append(f"  {self.charset.safe(explanation.mapping)}", "dim")
        yield title
        yield from self._trail(explanation.steps)
        yield Text()
        yield from self._answer()
        if explanation.nearest:
            yield Text()
            yield from self._nearest(explanation.nearest[:_NEAREST])

    def _trail(self, steps: Sequence[Step]) -> Iterator[Text]:
        """Steps on a rail, their texts in one column if there is room, else below their places."""
        places = [self._place(step.file, step.line) for step in steps]
        column = max((place.cell_len for place in places), default=0) + 2
        beside = self.console.width - len(self.charset.rail) - column >= _ROOM
        for step, place in zip(steps, places, strict=True):
            last = step is steps[-1]
            branch = Text.assemble((self.charset.last_branch if last else self.charset.branch, "dim"))
            rail = Text.assemble((" " * len(self.charset.rail) if last else self.charset.rail, "dim"))
            if beside:
                place.pad_right(column - place.cell_len)
                texts = hanging(branch + place, self._broken(step.text, column), self.console)
                yield next(texts)
            else:
                yield branch + place
                texts = hanging(rail + Text("   "), self._broken(step.text, 3), self.console)
            for row in texts:
                yield rail + row[len(rail) :]
            for row in self._keys(step.keys, len(rail) + 3):
                yield rail + Text("   ") + row

    def _broken(self, text: str, indent: int) -> Text:
        """Text of a step, broken before its arrow if it does not fit on a line."""
        shown, arrow = self.charset.safe(text), self.charset.safe("→")
        if cell_len(shown) > self.console.width - len(self.charset.rail) - indent:
            shown = shown.replace(f" {arrow} ", f"\n{arrow} ")
        return Text(shown)

    def _answer(self) -> Iterator[Text]:
        status, files = self.explanation.status, self.explanation.files
        word = _ANSWERS.get(status, self.charset.safe(status))
        lead = Text.assemble((word, STATUS_STYLES.get(status, "")), "  ")
        for name in files:
            yield lead + Text.assemble((self.charset.safe(name), "bold green"))
            lead = Text(" " * lead.cell_len)
        if self.explanation.reason:
            yield from hanging(lead, Text(self.charset.safe(self.explanation.reason)), self.console)
        elif not files:
            yield lead

    def _nearest(self, rules: Sequence[NearRule]) -> Iterator[Text]:
        yield Text.assemble(("nearest rule" if len(rules) == 1 else "nearest rules", "bold"))
        for rule in rules:
            yield Text("  ") + self._place(rule.file, rule.line)
            if rule.note:
                note = Text.assemble((self.charset.safe(rule.note), "red"))
                yield from hanging(Text(" " * 5), note, self.console)
            for row in self._keys(rule.keys, 5):
                yield Text(" " * 5) + row

    def _keys(self, keys: Sequence[KeyCheck], indent: int) -> Iterator[Text]:
        """Table of keys; folded, never cut."""
        if not keys:
            return
        width = self.console.width - indent
        longest = max(cell_len(key.parameter) for key in keys)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("", no_wrap=True)
        table.add_column("keyword", overflow="fold", no_wrap=2 * longest <= width)
        table.add_column("header has", overflow="fold")
        table.add_column("rule wants", overflow="fold")
        for key in keys:
            table.add_row(*self._cells(key))
        yield from table_rows(table, width, self.console)

    def _cells(self, key: KeyCheck) -> Iterator[Text]:
        signs = {"match": self.charset.match, "any": self.charset.anything, "no": self.charset.no}
        outcome = f"{signs.get(key.outcome, ' ')} {self.charset.safe(key.outcome)}"
        yield Text(outcome, _OUTCOME_STYLES.get(key.outcome, ""))
        wanted = f"{key.wanted}  ({key.note})" if key.note else key.wanted
        for text in (key.parameter, key.value, wanted):
            yield Text(self.charset.safe(text), "bold red" if key.outcome == "no" else "")

    def _place(self, file: str, line: int) -> Text:
        name = self.charset.safe(file)
        return Text.assemble((f"{name}:{line}" if line else name, _PLACE))
