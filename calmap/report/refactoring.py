"""What a refactoring changed, by what the mappings mean."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from textwrap import fill
from typing import Any

from calmap.compare.difference import MappingDifference, difference
from calmap.delivery.refactoring import Note
from calmap.delivery.revision import MappingChange
from calmap.model.mapping import Mapping
from calmap.model.names import mapping_kind
from calmap.report.difference import render
from calmap.report.difference_json import difference_data
from calmap.report.text import printable

Pairs = Iterable[tuple[Mapping, Mapping]]
Notes = Iterable[tuple[str, Note]]
_WIDTH = 80


def render_refactoring(pairs: Pairs, notes: Notes, *, unchanged: int) -> str:
    """A report for people: what each mapping means differently, or that it means the same, and notes."""
    parts = [_told(old, new) for old, new in pairs]
    for name, found in groupby(notes, key=itemgetter(0)):
        lines = [
            fill(printable(note.text), _WIDTH, initial_indent="  ", subsequent_indent="    ")
            for _, note in found
        ]
        parts.append("\n".join((printable(name), *lines, "")))
    if unchanged:
        parts.append(f"{unchanged} mapping{'s' * (unchanged > 1)} left unchanged\n")
    return "\n".join(parts)


def refactoring_json(pairs: Pairs, notes: Notes, *, unchanged: int) -> dict[str, Any]:
    """The same for machines."""
    changed = [{"old": str(old.path), "new": str(new.path), **_data(old, new)} for old, new in pairs]
    told = [{"mapping": name, "text": note.text, "warning": note.warns} for name, note in notes]
    return {"changed": changed, "notes": told, "unchanged": unchanged}


def rule_changes(changes: Iterable[MappingChange]) -> tuple[tuple[Mapping, Mapping], ...]:
    """The mappings of a revision that have new rules, before and after; not those above them."""
    return tuple(
        (change.old, change.new)
        for change in changes
        if change.old is not None and (change.in_place or mapping_kind(change.new.name) == "rmap")
    )


def mapping_lines(changes: Iterable[MappingChange], root: Path | None, *, dry_run: bool) -> str:
    """One line for each mapping that changes, or would."""
    lines = []
    for change in changes:
        path = change.new.path
        shown = path.relative_to(root) if root is not None and path.is_relative_to(root) else path
        verb = "would change" if change.in_place else "would make"
        if not dry_run:
            verb = "changed mapping" if change.in_place else "new mapping"
        lines.append(f"{verb} {printable(str(shown))}\n")
    return "".join(lines)


def _told(old: Mapping, new: Mapping) -> str:
    found = _difference(old, new)
    text = render(found) if found is not None else ""
    if found is None or (found.is_empty and not text):
        return f"{printable(new.name)}\n  the rules mean the same\n"
    return text if text.endswith("\n") else f"{text}\n"


def _data(old: Mapping, new: Mapping) -> dict[str, object]:
    found = _difference(old, new)
    return difference_data(found) if found is not None else {}


def _difference(old: Mapping, new: Mapping) -> MappingDifference | None:
    if old.file is None or new.file is None:
        return None
    return difference(old.file, new.file)
