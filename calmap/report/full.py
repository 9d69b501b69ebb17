"""Findings with the lines they are about, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from rich.console import Console
from rich.text import Text

from calmap.diagnostics import Applicability, Diagnostic, Fix, Label, Severity
from calmap.report.excerpt import Excerpt, excerpt
from calmap.report.layout import hanging
from calmap.report.summary import summary
from calmap.report.text import Charset
from calmap.source import Source, Span

_STYLES: Mapping[Severity, str] = MappingProxyType(
    {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
)
_GUTTER = "blue"
_SECOND = "cyan"
_NARROWEST = 24


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A part of one line that is underlined; columns count from zero."""

    line: int
    start: int
    end: int
    text: str
    sign: str
    style: str


def render_full(diagnostics: Sequence[Diagnostic], console: Console) -> None:
    """Write findings and a closing summary to a console."""
    for diagnostic in sorted(diagnostics, key=Diagnostic.sort_key):
        for row in _Finding(diagnostic, console).rows():
            console.print(row, soft_wrap=True)
        console.print()
    console.print(Text(summary(diagnostics)), soft_wrap=True)


class _Finding:
    """One finding laid out for a console."""

    def __init__(self, diagnostic: Diagnostic, console: Console) -> None:
        self.diagnostic = diagnostic
        self.console = console
        self.charset = Charset.of(console)
        self.style = _STYLES[diagnostic.severity]
        self.blocks = tuple(self._blocks())
        last = max((mark.line for _, marks in self.blocks for mark in marks), default=1)
        self.digits = len(str(last))

    def rows(self) -> Iterator[Text]:
        """Every line of the finding, in order."""
        title = Text.assemble((f"{self.diagnostic.severity}[{self.diagnostic.rule.code}]", self.style), ": ")
        title.append(self.charset.safe(self.diagnostic.message), "bold")
        yield from hanging(Text(), title, self.console)
        for number, (source, marks) in enumerate(self.blocks):
            if number:
                yield self._gutter()
            yield self._place(source, marks, first=number == 0)
            if source.text:
                yield self._gutter()
                yield from self._snippet(source, marks)
        notes = list(self._notes())
        if notes:
            yield self._gutter()
            yield from notes

    def _blocks(self) -> Iterator[tuple[Source, tuple[Mark, ...]]]:
        """The marks of each file; the file of the finding comes first."""
        main, labels = self.diagnostic.source, self.diagnostic.labels
        primary = _marks(self.diagnostic.span, main, "", "^", self.style)
        yield main, (*primary, *_label_marks(label for label in labels if label.source == main))
        others = sorted((label for label in labels if label.source != main), key=_file)
        for _, group in groupby(others, key=_file):
            same = tuple(group)
            yield same[0].source, tuple(_label_marks(same))

    def _place(self, source: Source, marks: Sequence[Mark], *, first: bool) -> Text:
        arrow = "-->" if first else ":::"
        mark = marks[0]
        row = Text(" " * self.digits)
        row.append(f"{arrow} ", _GUTTER)
        return row.append(f"{self.charset.safe(source.name)}:{mark.line}:{mark.start + 1}")

    def _gutter(self, number: int | None = None, text: Text | None = None) -> Text:
        row = Text()
        row.append(f"{'' if number is None else number:>{self.digits}} |", _GUTTER)
        return row.append(" ").append_text(text) if text else row

    def _snippet(self, source: Source, marks: Iterable[Mark]) -> Iterator[Text]:
        width = max(_NARROWEST, self.console.width - self.digits - 3)
        shown: tuple[int, Excerpt] | None = None
        for mark in sorted(marks):
            piece = excerpt(source.line(mark.line), mark.start, mark.end, width, self.charset)
            if shown is not None:
                yield from self._between(source, shown[0], mark.line, width)
            if shown is None or (shown[0], shown[1].text) != (mark.line, piece.text):
                yield self._gutter(mark.line, Text(piece.text.rstrip()))
            yield from self._underline(mark, piece, width)
            shown = mark.line, piece

    def _between(self, source: Source, above: int, below: int, width: int) -> Iterator[Text]:
        """A single line between two shown ones, or dots for more of them."""
        if below - above == 2:
            piece = excerpt(source.line(above + 1), 0, 0, width, self.charset)
            yield self._gutter(above + 1, Text(piece.text.rstrip()))
        elif below - above > 2:
            yield Text("...", _GUTTER)

    def _underline(self, mark: Mark, piece: Excerpt, width: int) -> Iterator[Text]:
        signs = Text(" " * piece.before).append(mark.sign * piece.marked, mark.style)
        text = Text(self.charset.safe(mark.text), mark.style)
        if signs.cell_len + 1 + text.cell_len <= width:
            yield self._gutter(text=signs.append(" ").append_text(text) if text else signs)
            return
        yield self._gutter(text=signs)
        indent = piece.before if width - piece.before >= _NARROWEST else 0
        for line in text.wrap(self.console, width - indent, overflow="fold"):
            line.rstrip()
            yield self._gutter(text=Text(" " * indent).append_text(line))

    def _notes(self) -> Iterator[Text]:
        if self.diagnostic.hint:
            yield from self._note("hint", self.diagnostic.hint)
        if self.diagnostic.fix:
            yield from self._note("fix", _fix_text(self.diagnostic.fix))

    def _note(self, kind: str, text: str) -> Iterator[Text]:
        lead = Text(" " * self.digits)
        lead.append(" = ", _GUTTER)
        lead.append(f"{kind}: ", "bold")
        return hanging(lead, Text(self.charset.safe(text)), self.console)


def _file(label: Label) -> str:
    return label.source.name


def _label_marks(labels: Iterable[Label]) -> Iterator[Mark]:
    for label in labels:
        yield from _marks(label.span, label.source, label.text, "-", _SECOND)


def _marks(span: Span, source: Source, text: str, sign: str, style: str) -> Iterator[Mark]:
    """The mark of a span, or for one of several lines a mark at its first and one at its last line."""
    first, last = source.position(span.start), source.position(max(span.start, span.end))
    if last.line > first.line and last.column == 1:
        last = source.position(span.end - 1)
    if first.line == last.line:
        end = max(first.column - 1, span.end - span.start + first.column - 1)
        yield Mark(first.line, first.column - 1, end, text, sign, style)
        return
    yield Mark(first.line, first.column - 1, len(source.line(first.line)), "", sign, style)
    line = source.line(last.line)
    yield Mark(last.line, len(line) - len(line.lstrip()), last.column - 1, text, sign, style)


def _fix_text(fix: Fix) -> str:
    option = "--fix" if fix.applicability is Applicability.SAFE else "--fix --unsafe-fixes"
    return f"{fix.title} ({option})"
