"""Spans of validity: those of rules, and what became of those of references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calmap.delivery.validity import Recertified, Validity
from calmap.edit.spans import Span
from calmap.report.delivery import folded, mapping_lines, mapping_rows, rule_lines
from calmap.report.text import printable

if TYPE_CHECKING:
    from calmap.delivery.spans import RuleSpans

_OPEN = "-"


def render_spans(rules: Sequence[RuleSpans]) -> str:
    """The spans of some rules for people."""
    return "\n".join("".join(f"{line}\n" for line in _rule(rule)) for rule in rules)


def spans_json(rules: Sequence[RuleSpans]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "mapping": rule.mapping,
            "line": rule.line,
            "rule": dict(rule.rule),
            "spans": [{**_span(period.span), "file": period.text} for period in rule.periods],
        }
        for rule in rules
    ]


def render_recertified(done: Recertified, root: Path) -> str:
    """A report for people, 80 columns wide, without the name of the context; paths from the cache's root."""
    lines = [line for item in done.validities for line in (*_item(item), "")]
    lines += mapping_lines(done.revision)
    for copy in done.copies:
        place = copy.place.relative_to(root) if copy.place.is_relative_to(root) else copy.place
        lines.append(f"new file {printable(str(place))}")
    lines += (line for text in done.warnings for line in folded(f"warning: {printable(text)}", "  "))
    return "".join(f"{line}\n" for line in lines)


def summary(done: Recertified) -> tuple[str, ...]:
    """Lines for the message of a commit."""
    context, new = done.context, done.revision.context
    lead = (f"{new} derives from {context}.", "") if new != context else ()
    return (*lead, *(line.rstrip() for item in done.validities for line in _item(item)))


def recertified_json(done: Recertified) -> dict[str, Any]:
    """The same for machines."""
    return {
        "context": done.context,
        "new_context": done.revision.context,
        "validities": [_row(item) for item in done.validities],
        "mappings": mapping_rows(done.revision),
        "warnings": list(done.warnings),
        "copies": [{"source": str(copy.source), "place": str(copy.place)} for copy in done.copies],
    }


def _rule(rule: RuleSpans) -> Iterator[str]:
    yield f"{printable(rule.mapping)}:{rule.line}"
    yield from rule_lines(rule.rule)
    cells = [("begin", "end", "file")]
    cells += [(_moment(span.begin), _moment(span.end), printable(text)) for text, span in rule.periods]
    first, second = (max(len(row[column]) for row in cells) for column in (0, 1))
    yield from (f"    {begin:<{first}}  {end:<{second}}  {file}" for begin, end, file in cells)


def _item(item: Validity) -> Iterator[str]:
    yield f"{printable(item.name)}  {item.reftype} of {item.instrument}"
    yield f"  {_where(item)}"
    yield from rule_lines(item.rule)
    if item.before != item.after:
        for span in item.before:
            yield f"  was valid {span}"
    for span in item.after:
        yield f"  is valid {span}"
    if not item.after:
        yield "  is not valid any more"
    for span in item.gaps:
        yield from folded(f"  note: {span} the rule says N/A: no file of this type applies", "    ")
    for span in item.silence:
        yield from folded(
            f"  note: {span} the rule says nothing, so that less specific ones are asked", "    "
        )
    for note in item.notes:
        yield from folded(f"  note: {printable(note)}", "    ")
    for warning in item.warnings:
        yield from folded(f"  warning: {printable(warning)}", "    ")


def _where(item: Validity) -> str:
    if item.line is None:
        return f"its rule is no longer in {item.mapping}; it was in {item.old_mapping}:{item.old_line}"
    kind = "new rule" if item.old_line is None else "same rule" if item.before == item.after else "rule"
    return f"{kind} in {item.mapping}:{item.line}"


def _row(item: Validity) -> dict[str, Any]:
    return {
        "file": item.name,
        "instrument": item.instrument,
        "type": item.reftype,
        "old_mapping": item.old_mapping,
        "old_line": item.old_line,
        "mapping": item.mapping,
        "line": item.line,
        "rule": dict(item.rule),
        "before": [_span(span) for span in item.before],
        "after": [_span(span) for span in item.after],
        "not_applicable": [_span(span) for span in item.gaps],
        "nothing": [_span(span) for span in item.silence],
        "notes": list(item.notes),
        "warnings": list(item.warnings),
    }


def _span(span: Span) -> dict[str, str | None]:
    return {
        "begin": None if span.begin is None else str(span.begin),
        "end": None if span.end is None else str(span.end),
    }


def _moment(moment: object) -> str:
    return _OPEN if moment is None else str(moment)
