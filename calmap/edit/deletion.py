"""A reference taken out of the rules of an rmap."""

from __future__ import annotations

from typing import NamedTuple

from calmap.compare.rows import RuleRow, rows
from calmap.diagnostics import TextEdit
from calmap.edit.entries import remove_entries
from calmap.errors import MappingError
from calmap.source import Source
from calmap.syntax.ast import MappingFile, SelectorCall, String, Table, Value


class Deletion(NamedTuple):
    """What taking references out of an rmap comes to.

    Parameters
    ----------
    edits
        Changes of the text.
    removed
        The rows that go.
    """

    edits: tuple[TextEdit, ...]
    removed: tuple[RuleRow, ...]


def delete(file: MappingFile, names: frozenset[str]) -> Deletion:
    """Edits that take every occurrence of some references out of the rules.

    Rules left without a file go with them, as in CRDS; those that say N/A stay
    if they did not stand beside the references.

    Raises
    ------
    MappingError
        If one of the names is in no rule, or shares a rule with others in a tuple or a dictionary.
    """
    found = tuple(row for row in rows(file.selector) if row.file in names)
    absent = sorted(names - {row.file for row in found})
    if absent:
        raise MappingError(f"{file.source.name}: no rule leads to {absent[0]}", _advice(file, absent[0]))
    edits = _below(file.source, file.selector, names)
    return Deletion(tuple(edits), found)


def _below(source: Source, value: Table | SelectorCall, names: frozenset[str]) -> list[TextEdit]:
    table = value.table if isinstance(value, SelectorCall) else value
    gone = frozenset(i for i, entry in enumerate(table.entries) if _is_emptied(entry.value, names))
    edits = list(remove_entries(source, table, gone)) if gone else []
    for index, entry in enumerate(table.entries):
        if index not in gone and isinstance(entry.value, SelectorCall) and _holds(entry.value, names):
            edits += _below(source, entry.value, names)
    return edits


def _is_emptied(value: Value, names: frozenset[str]) -> bool:
    """True if a value is one of the files, or a selector with no other files than these."""
    if isinstance(value, SelectorCall):
        inside = {row.file for row in rows(value)}
        return bool(inside & names) and inside <= names
    return isinstance(value, String) and value.value in names


def _holds(value: SelectorCall, names: frozenset[str]) -> bool:
    return any(row.file in names for row in rows(value))


def _advice(file: MappingFile, name: str) -> str:
    row = next((row for row in rows(file.selector) if name in row.file), None)
    if row is None:
        return "calmap uses tells which mappings name a file"
    line = file.source.position(row.span.start).line
    return f"line {line} has it among others: change that rule by hand"
