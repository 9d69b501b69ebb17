"""A mapping under examination, with what most checks ask of it found once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calmap.checks.surroundings import Surroundings
from calmap.diagnostics import Diagnostic, Fix, Label, Rule
from calmap.model.mapping import Mapping
from calmap.source import Source, Span
from calmap.syntax.ast import (
    Entry,
    List,
    MappingFile,
    MappingKind,
    SelectorCall,
    String,
    Table,
    Tuple,
    Value,
    header_entry,
    header_text,
)

SELECTORS = (
    *("Match", "UseAfter", "ClosestTime", "VersionAfter"),
    *("SelectVersion", "GeometricallyNearest", "Bracket"),
)


@dataclass(frozen=True, slots=True)
class Nested:
    """One selector of the tree.

    Parameters
    ----------
    call
        The selector.
    depth
        Zero for the outermost.
    parameters
        Keywords it selects by, or None if `parkey` doesn't say.
    """

    call: SelectorCall
    depth: int
    parameters: tuple[str, ...] | None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The rules of this selector."""
        return self.call.table.entries


@dataclass(frozen=True, slots=True)
class Subject:
    """A mapping that could be parsed.

    Parameters
    ----------
    mapping, file
        The file and its AST.
    surroundings
        What is around it.
    levels
        Keywords by level of selectors of an rmap, or None if `parkey` makes no sense.
    selectors
        Every selector, outer ones first.
    """

    mapping: Mapping
    file: MappingFile
    surroundings: Surroundings
    levels: tuple[tuple[str, ...], ...] | None
    selectors: tuple[Nested, ...]

    @property
    def source(self) -> Source:
        """The text."""
        return self.file.source

    @property
    def kind(self) -> MappingKind:
        """The level of the mapping."""
        return self.file.kind

    @property
    def header(self) -> Table:
        """The header section."""
        return self.file.header

    def entry(self, name: str) -> Entry | None:
        """A header entry."""
        return header_entry(self.file.header, name)

    def text(self, name: str) -> str | None:
        """A header value that is a string."""
        return header_text(self.file.header, name)

    def strings(self, name: str) -> tuple[String, ...]:
        """The strings in a header value that is a sequence of them."""
        entry = self.entry(name)
        items = entry.value.items if entry and isinstance(entry.value, Tuple | List) else ()
        return tuple(item for item in items if isinstance(item, String))

    def table(self, name: str) -> tuple[Entry, ...]:
        """Entries of a header value that is a table."""
        entry = self.entry(name)
        return entry.value.entries if entry and isinstance(entry.value, Table) else ()

    def parameters(self) -> tuple[str, ...]:
        """Keywords of all levels."""
        return tuple(name for level in self.levels or () for name in level)

    def required(self) -> tuple[str, ...]:
        """Every keyword of a dataset that the mapping looks at."""
        switch = self.text("reffile_switch")
        extra = [item.value for item in self.strings("extra_keys")]
        return (
            *self.parameters(),
            *extra,
            *([switch.upper()] if switch and switch.upper() != "NONE" else ()),
        )

    def finding(
        self,
        rule: Rule,
        span: Span,
        message: str,
        *,
        labels: tuple[Label, ...] = (),
        hint: str | None = None,
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding in this file."""
        return Diagnostic(rule, self.source, span, message, labels, hint, fix)

    def label(self, span: Span, text: str) -> Label:
        """A second place in this file."""
        return Label(self.source, span, text)


def subject(mapping: Mapping, file: MappingFile, surroundings: Surroundings) -> Subject:
    """Find what most checks ask for."""
    levels = parkey_levels(file)
    return Subject(mapping, file, surroundings, levels, tuple(_selectors(file.selector, levels)))


def parkey_levels(file: MappingFile) -> tuple[tuple[str, ...], ...] | None:
    """Keywords of an rmap by level, or None if `parkey` is no tuple of tuples of strings."""
    entry = header_entry(file.header, "parkey")
    if file.kind is not MappingKind.REFERENCE or entry is None or not isinstance(entry.value, Tuple):
        return None
    levels = []
    for level in entry.value.items:
        if not isinstance(level, Tuple) or not all(isinstance(item, String) for item in level.items):
            return None
        levels.append(tuple(item.value for item in level.items if isinstance(item, String)))
    return tuple(levels)


def _selectors(value: Value, levels: tuple[tuple[str, ...], ...] | None) -> Iterator[Nested]:
    level: list[Value] = [value]
    depth = 0
    while level:
        calls = [item for item in level if isinstance(item, SelectorCall)]
        parameters = levels[depth] if levels and depth < len(levels) else None
        yield from (Nested(call, depth, parameters) for call in calls)
        level = [entry.value for call in calls for entry in call.table.entries]
        depth += 1
