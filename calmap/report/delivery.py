"""What became of references that were inserted into, or taken out of, the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from calmap.delivery.insertion import Delivery, Inserted
from calmap.delivery.outlook import Outlook
from calmap.delivery.revision import Revision
from calmap.report.text import printable

_WIDTH = 80
_KINDS = {
    "rule": "new rule in",
    "row": "new date in the rule of",
    "replaced": "in place of another file in",
    "same": "there already, in",
}


def render_delivery(delivery: Delivery, root: Path) -> str:
    """A report for people, 80 columns wide, without the name of the context; paths from the cache's root."""
    lines = [line for item in delivery.inserted for line in (*_item(item), "")]
    lines += mapping_lines(delivery.revision)
    for copy in delivery.copies:
        place = copy.place.relative_to(root) if copy.place.is_relative_to(root) else copy.place
        lines.append(f"new file {printable(str(place))}")
    lines += (line for text in delivery.warnings for line in folded(f"warning: {printable(text)}", "  "))
    return "".join(f"{line}\n" for line in lines)


def summary(delivery: Delivery) -> tuple[str, ...]:
    """Lines for the message of a commit."""
    lines: list[str] = []
    if delivery.revision.context != delivery.context:
        lines += (f"{delivery.revision.context} derives from {delivery.context}.", "")
    for item in delivery.inserted:
        lines += _item(item)
    return tuple(line.rstrip() for line in lines)


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """The same for machines."""
    return {
        "context": delivery.context,
        "new_context": delivery.revision.context,
        "references": [_row(item) for item in delivery.inserted],
        "mappings": mapping_rows(delivery.revision),
        "warnings": list(delivery.warnings),
        "copies": [{"source": str(copy.source), "place": str(copy.place)} for copy in delivery.copies],
    }


def _item(item: Inserted) -> Iterator[str]:
    reference = item.reference
    yield f"{printable(reference.name)}  {reference.reftype} of {reference.instrument}"
    yield f"  {_KINDS[item.kind]} {item.mapping}:{item.line}"
    yield from rule_lines(item.rule)
    for name in item.replaced:
        yield f"  replaces {printable(name)}"
    yield from folded(f"  {interval(item.outlook)}", "    ")
    for note in (*item.notes, *item.outlook.notes):
        yield from folded(f"  note: {printable(note)}", "    ")
    for warning in item.outlook.warnings:
        yield from folded(f"  warning: {printable(warning)}", "    ")


def interval(outlook: Outlook) -> str:
    """When a reference is chosen, in one sentence."""
    since, until = outlook.since, outlook.until
    before = f", before that {printable(outlook.before)}" if outlook.before else ""
    after = f", afterwards {printable(outlook.after)}" if outlook.after else ""
    if since and until:
        return f"chosen from {since} until {until}{before}{after}"
    if since:
        return f"chosen from {since} on{before}"
    if until:
        return f"chosen until {until}{after}"
    return "chosen whatever the date"


def rule_lines(rule: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Keywords and values of a rule, one a line."""
    width = max((len(name) for name, _ in rule), default=0)
    for name, value in rule:
        yield from folded(f"    {name:<{width}}  {printable(value)}", " " * (width + 6))


def mapping_lines(revision: Revision) -> Iterator[str]:
    """One line for each mapping that changes."""
    for change in revision.changes:
        if change.old is None:
            yield f"new mapping {change.new.name}"
        elif change.in_place:
            yield f"changed mapping {change.new.name}"
        else:
            yield f"new mapping {change.new.name} from {change.old.name}"


def mapping_rows(revision: Revision) -> list[dict[str, Any]]:
    """The mappings that change, for machines."""
    return [
        {
            "name": change.new.name,
            "derived_from": change.old.name if change.old else None,
            "path": str(change.new.path),
        }
        for change in revision.changes
    ]


def folded(text: str, indent: str) -> list[str]:
    """Text in lines of 80 columns."""
    lead = text[: len(text) - len(text.lstrip())]
    return wrap(
        text.strip(),
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _row(item: Inserted) -> dict[str, Any]:
    return {
        "file": str(item.reference.path),
        "place": str(item.place),
        "instrument": item.reference.instrument,
        "type": item.reference.reftype,
        "mapping": item.mapping,
        "line": item.line,
        "rule": dict(item.rule),
        "change": item.kind,
        "replaced": list(item.replaced),
        "since": item.outlook.since,
        "until": item.outlook.until,
        "before": item.outlook.before or None,
        "after": item.outlook.after or None,
        "notes": [*item.notes, *item.outlook.notes],
        "warnings": list(item.outlook.warnings),
    }
