"""What differs between mappings, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calmap.compare.contexts import Compared
from calmap.compare.difference import LinkChange, MappingDifference
from calmap.compare.parkeys import Parkey, named_key
from calmap.compare.rows import RuleRow
from calmap.compare.rules import RuleChange
from calmap.source import Span
from calmap.syntax.ast import MappingFile

if TYPE_CHECKING:
    from calmap.compare.headers import HeaderChange


def compared_data(item: Compared) -> dict[str, object]:
    """One pair of mappings as plain data."""
    data: dict[str, object] = {"keys": list(item.keys), "old": item.old, "new": item.new}
    if item.difference is not None:
        return data | difference_data(item.difference)
    return data | {
        "same": False,
        "rules_alone": item.rules,
        "note": item.note,
        "problem": str(item.problem) if item.problem else None,
    }


def difference_data(difference: MappingDifference) -> dict[str, object]:
    """What differs between two mappings as plain data; lines count from one."""
    parkey = difference.parkey
    return {
        "same": difference.is_empty,
        "same_text": difference.same_text,
        "notes": list(difference.notes),
        "header": [_header(change) for change in (*difference.header, *difference.boring)],
        "parkey": parkey
        and {
            "added": list(parkey.added),
            "removed": list(parkey.removed),
            "renamed": dict(parkey.renamed),
            "reordered": parkey.reordered,
        },
        "selectors": [
            {"level": change.level + 1, "old": change.old, "new": change.new, "rules": change.rules}
            for change in difference.selectors
        ],
        "links": [_link(difference, change) for change in difference.links],
        "rules": [_rule(difference, change) for change in difference.rules],
    }


def _header(change: HeaderChange) -> dict[str, object]:
    return {"kind": change.kind, "key": list(change.path), "old": change.old, "new": change.new}


def _link(difference: MappingDifference, change: LinkChange) -> dict[str, object]:
    return {
        "kind": change.kind,
        "key": change.key,
        "old": change.old,
        "new": change.new,
        "line_old": _line(difference.old, change.old_span),
        "line_new": _line(difference.new, change.new_span),
    }


def _rule(difference: MappingDifference, change: RuleChange) -> dict[str, object]:
    before, after = difference.parkeys
    return {
        "kind": change.kind,
        "old": change.old and _row(difference.old, change.old, before),
        "new": change.new and _row(difference.new, change.new, after),
    }


def _row(file: MappingFile, row: RuleRow, levels: Parkey) -> dict[str, object]:
    steps: Sequence[dict[str, object]] = [
        {"selector": step.selector, "key": dict(named_key(step, levels, number))}
        for number, step in enumerate(row.steps)
    ]
    return {"line": _line(file, row.span), "steps": steps, "file": row.file}


def _line(file: MappingFile, span: Span | None) -> int | None:
    return file.source.position(span.start).line if span else None
