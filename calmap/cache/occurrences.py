"""Where files are named in the mappings of a cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from calmap.errors import CalmapError
from calmap.model.mapping import load_mapping
from calmap.source import Span
from calmap.syntax.ast import List, MappingFile, SelectorCall, Set, String, Table, Tuple, Value


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A file named in the selector of a mapping.

    Parameters
    ----------
    name
        The file.
    mapping
        Where the mapping is.
    line
        Line in it.
    """

    name: str
    mapping: Path
    line: int


def occurrences(paths: Iterable[Path], names: frozenset[str]) -> Iterator[Occurrence]:
    """Places where mappings name any of some files.

    A mapping that can't be read or parsed is passed over; `calmap check` tells of it.
    """
    for path in paths:
        try:
            text = path.read_text("utf-8", errors="replace")
            if not any(name in text for name in names):
                continue
            file = load_mapping(path).file
        except (OSError, CalmapError):
            continue
        if file is not None:
            yield from _in_file(path, file, names)


def _in_file(path: Path, file: MappingFile, names: frozenset[str]) -> Iterator[Occurrence]:
    for name, span in named(file.selector):
        if name in names:
            yield Occurrence(name, path, file.source.position(span.start).line)


def named(value: Value) -> Iterator[tuple[str, Span]]:
    """Names that a selector, or a part of one, leads to, with their places."""
    match value:
        case String(span, text):
            yield text, span
        case Tuple(_, items) | List(_, items) | Set(_, items):
            for item in items:
                yield from named(item)
        case Table(_, entries):
            for entry in entries:
                yield from named(entry.value)
        case SelectorCall(_, _, _, table):
            yield from named(table)
