"""Why a reference was chosen, or what came closest: the trail through the mappings, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from calmap.report.layout import hanging, table_rows
from calmap.report.selection import BestRefLike
from calmap.report.selection_table import STATUS_STYLES
from calmap.report.text import Charset

_NEAREST = 3
_ROOM = 36
_PLACE = "cyan"
_ANSWERS: Mapping[str, str] = MappingProxyType(
    {"found": "found", "not_applicable": "not applicable", "not_found": "not found"}
)
_OUTCOME_STYLES: Mapping[str, str] = MappingProxyType({"match": "green", "any": "dim", "no": "bold red"})


class KeyCheckLike(Protocol):
    """How one key of a rule compared with the header."""

    @property
    def parameter(self) -> str:
        """Keyword."""

    @property
    def value(self) -> str:
        """What the header has."""

    @property
    def wanted(self) -> str:
        """What the rule has, as written."""

    @property
    def outcome(self) -> str:
        """``match``, ``any`` or ``no``."""

    @property
    def note(self) -> str:
        """What else there is to say."""


class StepLike(Protocol):
    """One step of the trail."""

    @property
    def text(self) -> str:
        """What happened."""

    @property
    def file(self) -> str:
        """Mapping it happened in."""

    @property
    def line(self) -> int:
        """Line of the rule, counted from one."""

    @property
    def keys(self) -> Sequence[KeyCheckLike]:
        """Keys compared."""


class NearRuleLike(Protocol):
    """A rule that nearly matched."""

    @property
    def file(self) -> str:
        """Mapping it stands in."""

    @property
    def line(self) -> int:
        """Its line, counted from one."""

    @property
    def keys(self) -> Sequence[KeyCheckLike]:
        """Keys compared."""

    @property
    def note(self) -> str:
        """What failed, if that is no key."""


class ExplanationLike(BestRefLike, Protocol):
    """An answer with its trail."""

    @property
    def mapping(self) -> str:
        """Mapping that decided."""

    @property
    def steps(self) -> Sequence[StepLike]:
        """The trail, from the first mapping to the rule."""

    @property
    def nearest(self) -> Sequence[NearRuleLike]:
        """The rules that came closest, best first; only when nothing was found."""


def render_explanation(explanation: ExplanationLike, console: Console) -> None:
    """Write the trail, the keys compared, the answer and, if there is none, the nearest rules."""
    for row in _Explained(explanation, console).rows():
        console.print(row, soft_wrap=True)


class _Explained:
    """An explanation laid out for a console."""

    def __init__(self, explanation: ExplanationLike, console: Console) -> None:
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

    def _trail(self, steps: Sequence[StepLike]) -> Iterator[Text]:
        """Steps on a rail, their texts in one column if there is room, else below their places."""
        places = [self._place(step.file, step.line) for step in steps]
        widest = max((place.cell_len for place in places), default=0)
        rail_width = len(self.charset.rail)
        beside = self.console.width - rail_width - widest - 2 >= _ROOM
        for number, (step, place) in enumerate(zip(steps, places, strict=True), start=1):
            last = number == len(steps)
            branch = Text.assemble((self.charset.last_branch if last else self.charset.branch, "dim"))
            rail = Text.assemble((" " * rail_width if last else self.charset.rail, "dim"))
            indent = widest + 2 if beside else 3
            texts = list(hanging(Text(" " * (rail_width + indent)), self._text(step.text), self.console))
            rows = [text[rail_width + indent :] for text in texts]
            place.pad_right(widest + 2 - place.cell_len)
            if beside:
                yield branch + place + rows.pop(0)
            else:
                yield branch + place
            for row in rows:
                yield rail + Text(" " * indent) + row
            for row in self._keys(step.keys, rail_width + 3):
                yield rail + Text("   ") + row

    def _answer(self) -> Iterator[Text]:
        status, files = self.explanation.status, self.explanation.files
        word = _ANSWERS.get(status, self.charset.safe(status))
        lead = Text.assemble((word, STATUS_STYLES.get(status, "")), "  ")
        for name in files:
            yield lead + Text.assemble((self.charset.safe(name), "bold green"))
            lead = Text(" " * lead.cell_len)
        if self.explanation.reason:
            yield from hanging(lead, self._text(self.explanation.reason), self.console)
        elif not files:
            yield lead

    def _nearest(self, rules: Sequence[NearRuleLike]) -> Iterator[Text]:
        yield Text.assemble(("nearest rule" if len(rules) == 1 else "nearest rules", "bold"))
        for rule in rules:
            yield Text("  ") + self._place(rule.file, rule.line)
            if rule.note:
                note = Text.assemble((self.charset.safe(rule.note), "red"))
                yield from hanging(Text(" " * 5), note, self.console)
            for row in self._keys(rule.keys, 5):
                yield Text(" " * 5) + row

    def _keys(self, keys: Sequence[KeyCheckLike], indent: int) -> Iterator[Text]:
        """Table of keys; folded, never cut."""
        if not keys:
            return
        notes = any(key.note for key in keys)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("", no_wrap=True)
        table.add_column("keyword", overflow="fold")
        table.add_column("header has", overflow="fold")
        table.add_column("rule wants", overflow="fold")
        if notes:
            table.add_column("", overflow="fold")
        for key in keys:
            table.add_row(*self._cells(key, notes))
        yield from table_rows(table, self.console.width - indent, self.console)

    def _cells(self, key: KeyCheckLike, notes: bool) -> Iterator[Text]:
        signs = {"match": self.charset.match, "any": self.charset.anything, "no": self.charset.no}
        outcome = f"{signs.get(key.outcome, ' ')} {self.charset.safe(key.outcome)}"
        yield Text(outcome, _OUTCOME_STYLES.get(key.outcome, ""))
        for text in (key.parameter, key.value, key.wanted, *([key.note] if notes else [])):
            yield Text(self.charset.safe(text), "bold red" if key.outcome == "no" else "")

    def _place(self, file: str, line: int) -> Text:
        return Text.assemble((f"{self.charset.safe(file)}:{line}", _PLACE))

    def _text(self, text: str) -> Text:
        return Text(self.charset.safe(text))
