"""From when on rules that match have an answer, and headers that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from calmap.compile.tree import Match, Node, Ordered, RowKey, Terminal
from calmap.model.dates import DateError, normal_date

FROM_FIRST = ("UseAfter", "VersionAfter")
"""Selectors that have no answer before their first row; all others end the search."""


_SOME: Mapping[str, RowKey] = {"UseAfter": "2000-01-01 00:00:00", "VersionAfter": (1, 0, 0)}


class Asked(NamedTuple):
    """What is asked of selectors below a Match.

    Parameters
    ----------
    kind, key
        Kind of selector and row's key; an empty kind where it does not matter.
    header
        Header values that say so.
    """

    kind: str
    key: RowKey
    header: dict[str, str]


def leads_to_files(match: Match) -> bool:
    """True if no selector below the rules has further selectors in it."""
    ordered = [rule.choice for rule in match.rules if isinstance(rule.choice, Ordered)]
    return all(isinstance(row.choice, Terminal) for selector in ordered for row in selector.rows)


def always_answers(choice: Node, since: RowKey, kind: str) -> bool:
    """True if nothing is looked at after this, for any date or version from a row's key on.

    Parameters
    ----------
    choice
        What a rule leads to; if that is rows, they lead to files.
    since, kind
        The row's key, and the kind of its selector; None if the date may be any.
    """
    if isinstance(choice, Terminal):
        return True
    if isinstance(choice, Match):
        return False
    if choice.kind not in FROM_FIRST:
        return True
    first: Any = choice.rows[0].key if choice.rows else None
    return choice.kind == kind and None not in (since, first) and not first > since


def asked_of_both(match: Match, first: Node, second: Node) -> Asked | None:
    """What to ask for so that two rules of a Match both have an answer; None if that can't be said."""
    selectors = [choice for choice in (first, second) if isinstance(choice, Ordered)]
    if not all(selector.rows for selector in selectors):
        return None
    if not selectors:
        return _asked_of_others(match)
    chosen = selectors[0]
    keys: list[Any] = [selector.rows[0].key for selector in selectors if selector.kind == chosen.kind]
    key = max(keys) if None not in keys else None
    header = header_for(chosen, key)
    return None if header is None else Asked(chosen.kind, key, header)


def _asked_of_others(match: Match) -> Asked:
    """Early enough for as few rules as possible to have an answer."""
    selectors = [
        rule.choice
        for rule in match.rules
        if isinstance(rule.choice, Ordered) and rule.choice.kind in FROM_FIRST
    ]
    if not selectors:
        return Asked("", None, {})
    chosen = next((selector for selector in selectors if selector.rows), selectors[0])
    keys: list[Any] = [s.rows[0].key for s in selectors if s.rows and s.kind == chosen.kind]
    key = _before(min(keys)) if keys else _SOME[chosen.kind]
    return Asked(chosen.kind, key, header_for(chosen, key) or {})


def _before(key: Any) -> RowKey:
    """A date or version before that of a row, if there is any."""
    if isinstance(key, tuple):
        return (0, 0, 0)
    year = key[:4]
    return (
        f"{int(year) - 1:04}-01-01 00:00:00" if year.isascii() and year.isdigit() and year > "0001" else key
    )


def header_for(choice: Ordered, key: RowKey) -> dict[str, str] | None:
    """Values of a header for which a selector chooses by a key, or None if that can't be written."""
    text, separator = _written(choice.kind, key), "." if choice.kind == "VersionAfter" else " "
    if not text or not choice.parameters:
        return None
    values = text.split(separator, len(choice.parameters) - 1)
    if len(values) != len(choice.parameters):
        return None
    return dict(zip(choice.parameters, values, strict=True))


def _written(kind: str, key: Any) -> str:
    if kind in ("UseAfter", "ClosestTime"):
        try:
            return normal_date(str(key))
        except DateError:
            return ""
    if kind == "VersionAfter":
        return ".".join(map(str, key))
    number = key[0] if kind == "SelectVersion" else key
    return "" if number is None else str(number) if isfinite(number) else "1.0"
