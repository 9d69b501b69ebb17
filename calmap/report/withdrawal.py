"""What became of references that were taken out of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from calmap.delivery.deletion import Deleted, Withdrawal
from calmap.delivery.outlook import Outlook
from calmap.report.delivery import folded, mapping_lines, mapping_rows, rule_lines
from calmap.report.text import printable


def render_withdrawal(withdrawal: Withdrawal) -> str:
    """A report for people, 80 columns wide, without the name of the context."""
    lines = [line for item in withdrawal.deleted for line in (*_item(item), "")]
    lines += mapping_lines(withdrawal.revision)
    return "".join(f"{line}\n" for line in lines)


def summary(withdrawal: Withdrawal) -> tuple[str, ...]:
    """Lines for the message of a commit."""
    context, new = withdrawal.context, withdrawal.revision.context
    lead = (f"{new} derives from {context}.", "") if new != context else ()
    return (*lead, *(line for item in withdrawal.deleted for line in _item(item)))


def withdrawal_json(withdrawal: Withdrawal) -> dict[str, Any]:
    """The same for machines."""
    return {
        "context": withdrawal.context,
        "new_context": withdrawal.revision.context,
        "deleted": [
            {
                "file": item.name,
                "mapping": item.mapping,
                "line": item.line,
                "new_mapping": item.new_mapping,
                "rule": dict(item.rule),
                "since": item.outlook.since,
                "until": item.outlook.until,
                "before": item.outlook.before or None,
                "after": item.outlook.after or None,
            }
            for item in withdrawal.deleted
        ],
        "mappings": mapping_rows(withdrawal.revision),
    }


def _item(item: Deleted) -> Iterator[str]:
    yield printable(item.name)
    yield f"  no longer in {item.new_mapping}; it was in {item.mapping}:{item.line}"
    yield from rule_lines(item.rule)
    yield from folded(f"  {_heirs(item.outlook)}", "    ")


def _heirs(outlook: Outlook) -> str:
    """Who serves the observations that it was chosen for."""
    since, until = outlook.since, outlook.until
    when = f" from {since}" if since else ""
    when += f" until {until}" if until else ""
    heirs = [printable(name) for name in (outlook.before, outlook.after) if name]
    lead = f"was chosen{when or ' whatever the date'}"
    if outlook.by_date == "UseAfter":
        heirs = heirs[:1] if outlook.before else []
    if not heirs:
        return f"{lead}; its rule has nothing in its place"
    if len(heirs) == 1:
        return f"{lead}; {heirs[0]} takes its place"
    return f"{lead}; the nearer of {heirs[0]} and {heirs[1]} takes its place"
