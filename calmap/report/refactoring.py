"""What a refactoring changed, by what the mappings mean."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from calmap.compare.difference import MappingDifference, difference
from calmap.delivery.revision import MappingChange
from calmap.model.mapping import Mapping
from calmap.model.names import mapping_kind
from calmap.report.difference import render
from calmap.report.difference_json import difference_data
from calmap.report.text import printable


def render_refactoring(pairs: Iterable[tuple[Mapping, Mapping]], *, unchanged: int) -> str:
    """A report for people: for each mapping what it means differently, or that it means the same."""
    parts = [_told(old, new) for old, new in pairs]
    if unchanged:
        parts.append(f"{unchanged} mapping{'s' * (unchanged > 1)} left unchanged\n")
    return "\n".join(parts)


def refactoring_json(pairs: Iterable[tuple[Mapping, Mapping]], *, unchanged: int) -> dict[str, Any]:
    """The same for machines."""
    changed = [{"old": str(old.path), "new": str(new.path), **_data(old, new)} for old, new in pairs]
    return {"changed": changed, "unchanged": unchanged}


def rule_changes(changes: Iterable[MappingChange]) -> tuple[tuple[Mapping, Mapping], ...]:
    """The mappings of a revision that have new rules, before and after; not those above them."""
    return tuple(
        (change.old, change.new)
        for change in changes
        if change.old is not None and (change.in_place or mapping_kind(change.new.name) == "rmap")
    )


def mapping_lines(changes: Iterable[MappingChange], root: Path | None) -> str:
    """One line for each mapping that changes."""
    lines = []
    for change in changes:
        path = change.new.path
        shown = path.relative_to(root) if root is not None and path.is_relative_to(root) else path
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
