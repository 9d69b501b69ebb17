"""The spans in which the rules of an rmap choose their files."""

from __future__ import annotations

from dataclasses import dataclass

from calmap.compare.rows import RuleRow, by_keyword
from calmap.compile.terms import reference_terms
from calmap.edit.application import parsed
from calmap.edit.spans import Period
from calmap.edit.validity import USE_AFTER, periods_of, places
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping
from calmap.observatories.definition import Observatory


@dataclass(frozen=True, slots=True)
class RuleSpans:
    """One rule.

    Parameters
    ----------
    mapping, line
        Where it stands.
    rule
        Keywords and values, outermost first, without the date.
    periods
        What it chooses, in order of time.
    """

    mapping: str
    line: int
    rule: tuple[tuple[str, str], ...]
    periods: tuple[Period, ...]


def rule_spans(
    mapping: Mapping, observatory: Observatory | None, line: int | None = None
) -> tuple[RuleSpans, ...]:
    """The rules of an rmap that go by `UseAfter`, or the one that a line belongs to.

    Raises
    ------
    RefusedError
        If there is none, or a date can't be read or is there twice.
    MappingError
        If the rmap can't be understood.
    """
    file = parsed(mapping)
    parkey = reference_terms(file, observatory).selector.parkey
    meant = [place for place in places(file) if line is None or place.line <= line <= place.last_line]
    found = [place for place in meant if place.call.name == USE_AFTER]
    if not found:
        where = mapping.name if line is None else f"{mapping.name}:{line}"
        others = ", ".join(sorted({place.call.name for place in meant}))
        raise RefusedError(
            f"{where} has no rule with UseAfter" + (f", but {others}" if others else ""),
            "files of other rules have no spans of validity" if others else "name a line of a rule",
        )
    return tuple(
        RuleSpans(
            mapping.name,
            place.line,
            by_keyword(RuleRow(place.steps, "", place.call.span), parkey),
            periods_of(file, place),
        )
        for place in found
    )
