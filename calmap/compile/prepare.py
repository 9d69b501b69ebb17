"""From the AST of a selector to rules that can be looked up.

What CRDS drops silently at this point (a doubled key, a key that a substitution
makes equal to another) is dropped here too; `calmap check` reports it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

from calmap.compile.tree import Answer, Match, MatchRule, Node, Ordered, Row, RowKey, Terminal
from calmap.errors import MappingError
from calmap.model.dates import DateError, normal_date, parse_date
from calmap.model.names import is_na, is_omit
from calmap.model.patterns import PatternError, pattern
from calmap.model.values import ANY, NA, alternatives, condition_element, condition_value, is_esoteric
from calmap.model.versions import VersionError, version_parts, version_relation
from calmap.source import Source, Span
from calmap.syntax.ast import Entry, List, Plain, SelectorCall, Set, String, Table, Tuple, Value, plain_key
from calmap.syntax.guard import MAX_RULES

Substitutions: TypeAlias = Mapping[str, Mapping[Any, Plain]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a mapping's header says about its selector.

    Parameters
    ----------
    parkey
        The parameters of each level of selectors.
    substitutions
        For a parameter, what replaces an element of a match key.
    merge_overlaps
        Whether rules of equal weight are merged or refused.
    """

    source: Source
    parkey: tuple[tuple[str, ...], ...]
    substitutions: Substitutions
    merge_overlaps: bool = True

    def refuse(self, span: Span, message: str) -> MappingError:
        """An error that names file and line."""
        line = self.source.position(span.start).line
        return MappingError(f"{self.source.name}:{line}: {message}", "calmap check tells more")


def prepare(value: Value, terms: Terms, level: int = 0) -> Node:
    """Rules of a selector and all below it.

    Raises
    ------
    MappingError
        If a part has no meaning, as for CRDS.
    """
    if not isinstance(value, SelectorCall):
        return _terminal(value, terms)
    if level >= len(terms.parkey):
        raise terms.refuse(
            value.span, f"no parkey is given for the {value.name} selector at level {level + 1}"
        )
    parameters = terms.parkey[level]
    entries = _entries(value.table, parameters, terms)
    if value.name == "Match":
        return _match(value, parameters, entries, terms, level)
    if value.name not in _ROW_KEYS:
        raise terms.refuse(value.name_span, f"'{value.name}' is not a selector")
    rows = [
        Row(
            entry.key,
            _written(key),
            _row_key(value.name, key, entry, terms),
            prepare(entry.value, terms, level + 1),
        )
        for key, entry in entries.items()
    ]
    if value.name in _UNIQUE and len({row.key for row in rows}) < len(rows):
        raise terms.refuse(value.span, f"two keys of this {value.name} selector are the same version")
    rows.sort(key=_ORDER[value.name])
    return Ordered(value.span, value.name, parameters, tuple(rows))


def _entries(table: Table, parameters: tuple[str, ...], terms: Terms) -> dict[Plain, Entry]:
    if table.start == table.end:
        raise terms.refuse(table.span, "a selector needs a dictionary of rules, if only an empty one: ({})")
    if len(table.entries) > MAX_RULES:
        raise terms.refuse(table.span, f"more than {MAX_RULES:,} rules in one selector")
    entries: dict[Plain, Entry] = {}
    for entry in table.entries:
        key = entry.key
        if isinstance(key, SelectorCall | Table | List | Set):
            raise terms.refuse(key.span, "a key must be a string, a number or a tuple of them")
        entries[key.value if isinstance(key, String) else _plain_key(key, terms)] = entry
    for parameter in parameters:
        if swaps := terms.substitutions.get(parameter):
            _substitute(entries, parameters.index(parameter), swaps, terms)
    return entries


def _plain_key(key: Value, terms: Terms) -> Plain:
    try:
        data = plain_key(key)
        hash(data)
        return data
    except TypeError as problem:
        raise terms.refuse(
            key.span, f"a key can't have a selector or a dictionary in it: {problem}"
        ) from None


def _substitute(entries: dict[Plain, Entry], index: int, swaps: Mapping[Plain, Plain], terms: Terms) -> None:
    for key in list(entries):
        if not isinstance(key, tuple):
            if key in swaps:
                entries[swaps[key]] = entries.pop(key)
        elif index >= len(key):
            raise terms.refuse(entries[key].key.span, "the key is shorter than the parkey")
        elif key[index] in swaps:
            entries[(*key[:index], swaps[key[index]], *key[index + 1 :])] = entries.pop(key)


def _match(
    call: SelectorCall, parameters: tuple[str, ...], entries: dict[Plain, Entry], terms: Terms, level: int
) -> Match:
    rules: dict[tuple[str, ...], MatchRule] = {}
    for raw, entry in entries.items():
        key = tuple(condition_element(part) for part in (raw if isinstance(raw, tuple) else (raw,)))
        if len(key) != len(parameters):
            message = f"the key has {len(key)} elements for {len(parameters)} parameters"
            raise terms.refuse(entry.key.span, message)
        if key in rules:
            first = terms.source.position(rules[key].span.start).line
            raise terms.refuse(entry.key.span, f"the key means the same as the one in line {first}")
        try:
            patterns = tuple(pattern(element) for element in key)
        except PatternError as problem:
            raise terms.refuse(entry.key.span, str(problem)) from None
        rules[key] = MatchRule(entry.key, key, patterns, prepare(entry.value, terms, level + 1))
    ordered = tuple(rules[key] for key in sorted(rules))
    allowed = tuple(_allowed(ordered, index) for index in range(len(parameters)))
    return Match(call.span, parameters, ordered, allowed, terms.merge_overlaps)


def _allowed(rules: tuple[MatchRule, ...], index: int) -> frozenset[str] | None:
    values: set[str] = set()
    for rule in rules:
        element = rule.key[index]
        if is_esoteric(element):
            return None
        values.update(alternatives(element))
    return None if not values or values & {ANY, "ANY", NA} else frozenset(values)


def _terminal(value: Value, terms: Terms) -> Terminal:
    if isinstance(value, String):
        text = value.value
        if is_na(text):
            return Terminal(value, Answer.NOT_APPLICABLE, ())
        if is_omit(text):
            return Terminal(value, Answer.OMITTED, ())
        return Terminal(value, Answer.FOUND, (text,))
    parts: tuple[Value, ...] | None = None
    if isinstance(value, Tuple):
        parts = value.items
    elif isinstance(value, Table):
        parts = tuple(entry.value for entry in value.entries)
    if parts is not None and all(isinstance(part, String) for part in parts):
        return Terminal(value, Answer.FOUND, tuple(part.value for part in parts if isinstance(part, String)))
    raise terms.refuse(
        value.span, "a rule must end in a file name, N/A, OMIT, a tuple or a dictionary of names"
    )


def _written(key: Plain) -> str:
    return key if isinstance(key, str) else repr(key)


def row_key(kind: str, key: Plain) -> RowKey:
    """What the key of a row of an ordered selector means.

    Raises
    ------
    ValueError, TypeError, OverflowError
        If it means nothing.
    """
    return _ROW_KEYS[kind](key)


def _row_key(kind: str, key: Plain, entry: Entry, terms: Terms) -> RowKey:
    try:
        return row_key(kind, key)
    except (VersionError, TypeError, ValueError, OverflowError) as problem:
        raise terms.refuse(entry.key.span, f"{_written(key)!r} is not a key of {kind}: {problem}") from None


def _use_after(key: Plain) -> RowKey:
    text = _string(key)
    try:
        return normal_date(text)
    except DateError:
        return text


def _closest_time(key: Plain) -> RowKey:
    try:
        return parse_date(_string(key))
    except DateError:
        return None


def _nearest(key: Plain) -> RowKey:
    try:
        number = float(condition_value(key))
    except ValueError:
        return None
    return number if isfinite(number) else None


def _bracket(key: Plain) -> RowKey:
    if isinstance(key, str | int | float):
        return float(key)
    raise TypeError("a number was expected")


def _string(key: Plain) -> str:
    if isinstance(key, str):
        return key
    raise TypeError("a string was expected")


_ROW_KEYS: Mapping[str, Callable[[Plain], RowKey]] = {
    "UseAfter": _use_after,
    "ClosestTime": _closest_time,
    "VersionAfter": lambda key: version_parts(_string(key)),
    "SelectVersion": lambda key: version_relation(str(key)),
    "GeometricallyNearest": _nearest,
    "Bracket": _bracket,
}
_UNIQUE = frozenset({"VersionAfter", "SelectVersion"})
_ORDER: Mapping[str, Callable[[Row], Any]] = {
    "UseAfter": lambda row: (row.key, row.written),
    "ClosestTime": lambda row: row.written,
    "VersionAfter": lambda row: row.key,
    "SelectVersion": lambda row: row.key,
    "GeometricallyNearest": lambda row: condition_value(row.written),
    "Bracket": lambda row: row.key,
}
