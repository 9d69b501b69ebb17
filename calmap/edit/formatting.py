"""Mappings laid out as CRDS writes them, with every comment kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Mapping_
from typing import NamedTuple

from calmap.diagnostics import TextEdit
from calmap.edit.application import edited
from calmap.edit.comments import Comments
from calmap.edit.entries import newline_of
from calmap.edit.refactoring import header_of, rules_of
from calmap.errors import MappingError, RefusedError
from calmap.model.mapping import Mapping
from calmap.source import Source, Span
from calmap.syntax.ast import List, MappingFile, SelectorCall, Set, Table, Tuple, Value
from calmap.syntax.parser import Section, parse

_STEP = "    "
_BRACKETS: Mapping_[type, tuple[str, str]] = {Tuple: ("(", ")"), List: ("[", "]"), Set: ("{", "}")}
_BLANK_LINE = re.compile(r"\n[ \t\f\r]*\n")


def format_layout(mapping: Mapping) -> Mapping:
    """A mapping in the usual layout: one entry a line, four blanks a level, a comma after each entry.

    Strings and numbers stay as they are written, and so does the order of entries. A blank line between
    two of them stays one.

    Raises
    ------
    RefusedError
        If the result would mean something else.
    """
    file = mapping.file
    if file is None:
        return mapping
    text = _Layout(file.source).text(parse(file.source).sections)
    if text == mapping.text:
        return mapping
    new = edited(mapping, [TextEdit(Span(0, len(mapping.text)), text)])
    if new.file is None or not _is_same(file, new.file):
        raise RefusedError(f"{file.source.name}: the rules would change", "nothing was changed")
    return new


def _is_same(old: MappingFile, new: MappingFile) -> bool:
    try:
        if header_of(old) != header_of(new):
            return False
        rules = rules_of(old)
    except (MappingError, TypeError):
        return True
    return rules == rules_of(new)


class _Gap(NamedTuple):
    """What stands between two parts of a text: comments, and whether blank lines are before each and last."""

    trailing: str
    own: tuple[tuple[bool, str], ...]
    blank: bool


class _Layout:
    """Writes the values of a text anew."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._comments = Comments(source.text)
        self._newline = newline_of(source)
        self._out: list[str] = []

    def text(self, sections: tuple[Section, ...]) -> str:
        """The whole text."""
        first = sections[0].name_span.start
        preamble = self._source.text[:first].rstrip()
        if preamble:
            apart = _BLANK_LINE.search(self._source.text, len(preamble), first)
            self._out += (preamble, self._newline * (2 if apart else 1))
        for number, section in enumerate(sections):
            last = number + 1 == len(sections)
            self._hoist(section.name_span.end, section.value, "")
            self._out.append(f"{section.name} = ")
            self._value(section.value, "")
            end = len(self._source.text) if last else sections[number + 1].name_span.start
            gap = self._gap(section.value.end, end)
            self._end_line(gap, "")
            if not last or (gap.own and gap.own[0][0]):
                self._out.append(self._newline)
            self._own_lines(gap, "", first=True, last=last)
        return "".join(self._out)

    def _value(self, value: Value, indent: str) -> None:
        if isinstance(value, SelectorCall) and value.table.start != value.table.end:
            self._table(value.table, indent, f"{value.name}({{", "})", value.end)
        elif isinstance(value, Table):
            self._table(value, indent, "{", "}", value.end)
        else:
            self._out.append(self._atom(value))

    def _table(self, table: Table, indent: str, opening: str, closing: str, end: int) -> None:
        deeper = indent + _STEP
        done, comma = self._bracket(table), ""
        self._out.append(opening)
        for entry in table.entries:
            gap = self._gap(done, entry.start)
            self._end_line(gap, comma)
            self._own_lines(gap, deeper, first=not comma)
            self._hoist(entry.start, entry.value, deeper, entry.key)
            self._out.append(f"{deeper}{self._atom(entry.key)} : ")
            self._value(entry.value, deeper)
            done, comma = entry.end, ","
        gap = self._gap(done, end)
        self._end_line(gap, comma)
        self._own_lines(gap, deeper, first=not comma, last=True)
        self._out.append(f"{indent}{closing}")

    def _bracket(self, table: Table) -> int:
        """Offset behind the bracket that opens a table."""
        return self._source.text.index("{", table.start) + 1

    def _gap(self, start: int, end: int) -> _Gap:
        text, spans = self._source.text, self._comments.within(start, end)
        trailing = bool(spans) and "\n" not in text[start : spans[0].start]
        words = [text[span.start : span.end].rstrip() for span in spans]
        edges = (start, *(span.end for span in spans))
        blanks = [
            _BLANK_LINE.search(text, edge, span.start) is not None
            for edge, span in zip(edges, spans, strict=False)
        ]
        own = tuple(zip(blanks, words, strict=True))[int(trailing) :]
        return _Gap(words[0] if trailing else "", own, _BLANK_LINE.search(text, edges[-1], end) is not None)

    def _end_line(self, gap: _Gap, comma: str) -> None:
        self._out.append(f"{comma}{'  ' if gap.trailing else ''}{gap.trailing}{self._newline}")

    def _own_lines(self, gap: _Gap, indent: str, *, first: bool = False, last: bool = False) -> None:
        """Comments with lines of their own; no blank line begins or ends a table."""
        for blank, words in gap.own:
            if blank and not first:
                self._out.append(self._newline)
            self._out.append(f"{indent}{words}{self._newline}")
            first = False
        if gap.blank and not first and not last:
            self._out.append(self._newline)

    def _hoist(self, start: int, value: Value, indent: str, key: Value | None = None) -> None:
        """Comments for which an entry has no place in the usual layout, put above it."""
        table = value.table if isinstance(value, SelectorCall) else value
        has_rows = isinstance(table, Table) and table.start != table.end
        end = self._bracket(table) if isinstance(table, Table) and has_rows else value.end
        copied = [*(self._copied(key) if key is not None else ()), *(() if has_rows else self._copied(value))]
        for span in self._comments.within(start, end):
            if not any(part.start <= span.start < part.end for part in copied):
                self._out.append(f"{indent}{self._source.slice(span).rstrip()}{self._newline}")

    def _atom(self, value: Value) -> str:
        """A value on one line, if its strings are."""
        if not self._is_laid_out(value):
            return self._source.slice(value.span)
        assert isinstance(value, Tuple | List | Set)
        opening, closing = _BRACKETS[type(value)]
        items = ", ".join(map(self._atom, value.items))
        comma = "," if isinstance(value, Tuple) and len(value.items) == 1 else ""
        return f"{opening}{items}{comma}{closing}"

    def _copied(self, value: Value) -> Iterator[Span]:
        """Parts of a value that `_atom` copies, with the comments in them."""
        if self._is_laid_out(value):
            assert isinstance(value, Tuple | List | Set)
            for item in value.items:
                yield from self._copied(item)
        else:
            yield value.span

    def _is_laid_out(self, value: Value) -> bool:
        if not isinstance(value, Tuple | List | Set):
            return False
        return not any(isinstance(item, Table | SelectorCall) for item in value.items)
