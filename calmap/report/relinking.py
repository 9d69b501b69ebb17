"""What became of contexts in which types lead elsewhere than before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from calmap.delivery.additions import Addition
from calmap.delivery.contexts import NewContext
from calmap.delivery.links import Relink
from calmap.report.delivery import folded, mapping_lines, mapping_rows
from calmap.report.text import printable


def render_addition(addition: Addition) -> str:
    """A report for people, without the name of the context."""
    lines = [*_folded(_relink(addition)), *mapping_lines(addition.revision)]
    return "".join(f"{line}\n" for line in lines)


def addition_summary(addition: Addition, context: str | None) -> tuple[str, ...]:
    """Lines for the message of a commit."""
    return (*_lead(addition.revision.context, context), _link(_relink(addition)))


def addition_json(addition: Addition) -> dict[str, Any]:
    """The same for machines."""
    return {
        "new_context": addition.revision.context,
        "links": [_row(_relink(addition))],
        "mappings": mapping_rows(addition.revision),
    }


def render_links(made: NewContext) -> str:
    """A report for people, without the name of the context."""
    lines = [line for item in made.links for line in _folded(item)]
    lines += mapping_lines(made.revision)
    return "".join(f"{line}\n" for line in lines)


def links_summary(made: NewContext) -> tuple[str, ...]:
    """Lines for the message of a commit."""
    return (*_lead(made.revision.context, made.old), *map(_link, made.links))


def links_json(made: NewContext) -> dict[str, Any]:
    """The same for machines."""
    return {
        "context": made.old,
        "new_context": made.revision.context,
        "links": [_row(item) for item in made.links],
        "mappings": mapping_rows(made.revision),
    }


def _lead(new: str, old: str | None) -> Iterator[str]:
    if old is not None and new != old:
        yield from (f"{new} derives from {old}.", "")


def _relink(addition: Addition) -> Relink:
    return Relink(addition.instrument, addition.reftype, addition.old, addition.target)


def _folded(item: Relink) -> list[str]:
    return folded(_link(item), "  ")


def _link(item: Relink) -> str:
    if item.old == item.new:
        return printable(f"{item.subject} leads to {item.new} already")
    return printable(f"{item.subject} leads to {item.new}" + (f" in place of {item.old}" if item.old else ""))


def _row(item: Relink) -> dict[str, Any]:
    return {
        "instrument": item.instrument,
        "type": item.reftype or None,
        "old": item.old,
        "new": item.new,
    }
