"""What differs between mappings, for people."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from rich.console import Console
from rich.text import Text

from calmap.compare.contexts import Compared
from calmap.compare.difference import MappingDifference
from calmap.report.difference_lines import (
    ChangeLine,
    change_groups,
    counts,
    key_words,
    parkey_sentences,
)
from calmap.report.difference_told import is_told, lone_words
from calmap.report.layout import hanging
from calmap.report.text import Charset

STYLES: Mapping[str, str] = MappingProxyType(
    {"added": "green", "removed": "red", "replaced": "yellow", "moved": "cyan"}
)
_WORD = 8


def render(difference: MappingDifference, width: int = 80) -> str:
    """What differs between two mappings, as plain text."""
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, markup=False, highlight=False, emoji=False)
    render_difference(difference, console)
    return out.getvalue()


def render_difference(
    difference: MappingDifference,
    console: Console,
    *,
    keys: Sequence[str] = (),
    boring: bool = False,
    followed: Iterable[tuple[str | None, str | None]] = (),
) -> None:
    """Write what differs between two mappings.

    Parameters
    ----------
    difference
        What differs.
    console
        Where to write it.
    keys
        Instrument and type that led to them.
    boring
        Whether to write changes of ``name``, ``derived_from`` and ``sha1sum`` too.
    followed
        Pairs of mappings that are written on their own; entries of a pmap or imap
        that changed from one to the other are left out.
    """
    _Page(console).mapping(difference, tuple(keys), boring=boring, followed=frozenset(followed))


def render_compared(found: Sequence[Compared], console: Console, *, boring: bool = False) -> None:
    """Write what differs between two contexts, mapping by mapping, but for those without anything to tell."""
    followed = frozenset((item.old, item.new) for item in found if item.keys)
    page = _Page(console)
    for item in found:
        if item.difference is not None:
            page.mapping(item.difference, item.keys, boring=boring, followed=followed)
        elif item.problem is None:
            page.lone(item)


def _quoted(value: str) -> str:
    """A value of a header; lists and the like stand out without quotes."""
    return value if value[:1] in ("(", "[", "{") else f"'{value}'"


class _Page:
    """Lines on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.charset = Charset.of(console)
        self.arrow = self.charset.safe("→")
        self.started = False

    def mapping(
        self,
        difference: MappingDifference,
        keys: tuple[str, ...],
        *,
        boring: bool,
        followed: frozenset[tuple[str | None, str | None]],
    ) -> None:
        """What differs between two mappings."""
        if not is_told(difference, followed):
            return
        self.heading(keys, difference.name_old, difference.name_new)
        for note in difference.notes:
            self.item("note", "dim", note)
        if difference.is_empty:
            self.item("", "", counts(difference))
        self._header(difference, boring=boring)
        for change in difference.selectors:
            rules = f"(level {change.level + 1}, {change.rules} rules)"
            self.item("selector", STYLES["replaced"], f"{change.old} {self.arrow} {change.new} {rules}")
        for link in difference.links:
            if (link.old, link.new) not in followed:
                span = link.new_span or link.old_span
                source = (difference.new if link.new_span else difference.old).source
                line = source.position(span.start).line if span else 0
                self._file(link.kind, line, link.key, link.old, link.new, indent=2)
        self._rules(difference)

    def lone(self, item: Compared) -> None:
        """A mapping without counterpart."""
        self.heading(item.keys, item.old or "", item.new or "")
        self.item("", "", lone_words(item))

    def heading(self, keys: tuple[str, ...], old: str, new: str) -> None:
        """Names of two mappings."""
        if self.started:
            self.console.print()
        self.started = True
        names = old if old == new else f" {self.arrow} ".join(self.charset.safe(n) for n in (old, new) if n)
        lead = " ".join(map(self.charset.safe, keys))
        text = Text.assemble((f"{lead}  " if lead else "", "bold cyan"), (names, "bold"))
        if text.cell_len > self.console.width and old and new and old != new:
            self.console.print(
                Text.assemble((f"{lead}  " if lead else "", "bold cyan"), (self.charset.safe(old), "bold")),
                soft_wrap=True,
            )
            text = Text.assemble(f"  {self.arrow} ", (self.charset.safe(new), "bold"))
        self.console.print(text, soft_wrap=True)

    def item(self, word: str, style: str, text: str) -> None:
        """A word and a text beside it."""
        lead = Text.assemble("  ", (f"{word:<{_WORD}}  " if word else "", style))
        for row in hanging(lead, Text(self.charset.safe(text)), self.console):
            self.console.print(row, soft_wrap=True)

    def _header(self, difference: MappingDifference, *, boring: bool) -> None:
        for change in (*difference.header, *(difference.boring if boring else ())):
            if change.path == ("parkey",) and difference.parkey:
                for sentence in parkey_sentences(difference.parkey):
                    self.item("parkey", STYLES["replaced"], sentence)
                continue
            name = ".".join(change.path)
            values = [_quoted(value) for value in (change.old, change.new) if value is not None]
            self.item(
                "header", STYLES[change.kind], f"{name} {change.kind}: {f' {self.arrow} '.join(values)}"
            )

    def _rules(self, difference: MappingDifference) -> None:
        for keys, lines in change_groups(difference):
            if keys:
                for row in hanging(Text("  "), Text(self.charset.safe(key_words(keys))), self.console):
                    self.console.print(row, soft_wrap=True)
            for line in lines:
                self._file(line.kind, line.line, line.row, line.old, line.new, indent=4 if keys else 2)
                if line.kind == "moved":
                    self._moved(line, 4 if keys else 2)

    def _file(self, kind: str, line: int, key: str, old: str | None, new: str | None, indent: int) -> None:
        """A changed rule or entry, on two lines if one is too short."""
        safe = self.charset.safe
        lead = Text.assemble(" " * indent, (f"{kind:<{_WORD}}", STYLES[kind]), f"  {line:>4}  ")
        space = lead.cell_len
        if key:
            lead.append(f"{safe(key)}  ")
        names = list(dict.fromkeys(safe(name) for name in (old, new) if name is not None))
        whole = f" {self.arrow} ".join(names)
        if lead.cell_len + len(whole) <= self.console.width or len(names) == 1:
            self._long(lead, whole, space)
            return
        self._long(lead, names[0], space)
        self.console.print(Text(f"{' ' * space}{self.arrow} {names[1]}"), soft_wrap=True)

    def _long(self, lead: Text, name: str, space: int) -> None:
        """A name after a lead, or below it; names are never cut, so that they can be copied."""
        if lead.cell_len + len(name) <= self.console.width or lead.cell_len == space:
            self.console.print(lead + Text(name), soft_wrap=True)
            return
        lead.rstrip()
        self.console.print(lead, soft_wrap=True)
        self.console.print(Text(" " * space + name), soft_wrap=True)

    def _moved(self, line: ChangeLine, indent: int) -> None:
        words = key_words(line.was) or "another place"
        lead = Text(" " * (indent + _WORD + 2) + f"{line.was_line:>4}  was ", "dim")
        for row in hanging(lead, Text(self.charset.safe(words), "dim"), self.console):
            self.console.print(row, soft_wrap=True)
