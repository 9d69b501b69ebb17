"""Rules for several values of a parameter taken apart, and rules for one value each put together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits, newline_of, own_indent, quote_of, remove_entries
from calmap.edit.literals import literal
from calmap.edit.members import (
    comment_parameters,
    conditioned,
    consequence,
    is_glob,
    is_mergeable,
    is_plain,
    is_swapped,
    member_text,
)
from calmap.edit.refactoring import applied
from calmap.edit.shape import MATCH, Shape, elements_of, meaning, shape
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping
from calmap.model.values import alternatives, condition_element
from calmap.syntax.ast import Entry, SelectorCall, String, Table, Value, plain


class Rule(NamedTuple):
    """A rule of a `Match` selector and where it is."""

    table: Table
    number: int
    level: int

    @property
    def entry(self) -> Entry:
        """The rule itself."""
        return self.table.entries[self.number]


def split_rule(
    mapping: Mapping, line: int, parameter: str | None = None, *, strictly: bool = True
) -> Mapping:
    """A mapping with one rule for each value of an or-glob, each with a copy of what it leads to.

    Parameters
    ----------
    mapping
        The rmap.
    line
        Where the rule is.
    parameter
        Whose values are split; the only one with several if not told.
    strictly
        Refuse where headers with N/A or * for the parameter would get another answer.

    Raises
    ------
    RefusedError
        If there is no such rule, or the values can't be told apart.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    rule = _rule_at(there, line)
    entry = rule.entry
    number = _several(there, rule, parameter)
    element = elements_of(entry.key)[number]
    name = there.parkey[rule.level][number]
    members = tuple(dict.fromkeys(alternatives(element.value))) if isinstance(element, String) else ()
    odd = next((m for m in members if not is_plain(there, name, m) and not is_glob(m)), None)
    if odd is not None or is_swapped(there, name, element):
        shown = repr(odd) if odd is not None else literal(plain(element))
        message = f"{there.at(entry)}: {shown} would mean something else in a rule of its own"
        raise RefusedError(message, "such a rule has to be changed by hand")
    _require_new(there, rule, number, members)
    if strictly and (reason := consequence(there, entry.value)):
        message = (
            f"{there.at(entry)}: where {name} is N/A or * in a header, the answer would change: {reason}"
        )
        raise RefusedError(message, "--force splits the rule all the same")
    return applied(mapping, _copies(there, entry, element, members))


def merge_rules(mapping: Mapping, lines: frozenset[int] = frozenset(), *, strictly: bool = True) -> Mapping:
    """A mapping in which rules that differ in one value only are one rule with an or-glob.

    Parameters
    ----------
    mapping
        The rmap.
    lines
        Rules to look at, by line; all if empty.
    strictly
        Leave rules apart where headers with N/A or * for the parameter would get another answer.

    Raises
    ------
    RefusedError
        If a line has no rule.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    wanted = frozenset(_rule_at(there, line).entry.start for line in lines)
    if not wanted:
        return _merged_everywhere(mapping, strictly=strictly)
    for level, names in enumerate(there.parkey):
        for number in range(len(names)):
            edits = tuple(_merges(there, level, number, wanted, strictly=strictly))
            if edits:
                return applied(mapping, edits)
    return mapping


def _merged_everywhere(mapping: Mapping, *, strictly: bool) -> Mapping:
    while True:
        before = mapping
        for level, number in _columns(mapping):
            if mapping.file is not None:
                edits = _merges(shape(mapping.file), level, number, None, strictly=strictly)
                mapping = applied(mapping, edits)
        if mapping.text == before.text:
            return mapping


def _columns(mapping: Mapping) -> tuple[tuple[int, int], ...]:
    """Every parameter as level and place, the innermost level first."""
    if mapping.file is None:
        return ()
    parkey = shape(mapping.file).parkey
    levels = reversed(range(len(parkey)))
    return tuple((level, number) for level in levels for number in range(len(parkey[level])))


def _merges(
    there: Shape, level: int, number: int, wanted: frozenset[int] | None, *, strictly: bool
) -> Iterator[TextEdit]:
    """Edits that merge the rules of a level which differ in one element only."""
    name = there.parkey[level][number]
    if name.upper() in comment_parameters(there):
        return
    for call in there.calls(level):
        if call.name == MATCH:
            yield from _merged(there, call.table, name, number, wanted, strictly=strictly)


def _merged(
    there: Shape, table: Table, name: str, number: int, wanted: frozenset[int] | None, *, strictly: bool
) -> Iterator[TextEdit]:
    keys = {conditioned(entry) for entry in table.entries}
    gone: set[int] = set()
    for group in _alike(there, table, name, number, wanted, strictly=strictly):
        entries = [table.entries[index] for index in group]
        elements = [elements_of(entry.key)[number] for entry in entries]
        union = "|".join(
            sorted({part for element in elements for part in alternatives(member_text(element))})
        )
        key = conditioned(entries[0])
        new = (*key[:number], condition_element(union), *key[number + 1 :])
        taken = new in keys.difference(map(conditioned, entries))
        if not taken and union not in there.substitutions.get(name, {}):
            yield TextEdit(elements[0].span, literal(union, quote_of(there.source, elements[0])))
            gone.update(group[1:])
    if gone:
        yield from remove_entries(there.source, table, frozenset(gone))


def _alike(
    there: Shape, table: Table, name: str, number: int, wanted: frozenset[int] | None, *, strictly: bool
) -> tuple[tuple[int, ...], ...]:
    """Groups of rules that have the same but for one element."""
    found: dict[object, list[int]] = {}
    for index, entry in enumerate(table.entries):
        elements = elements_of(entry.key)
        if number >= len(elements) or (wanted is not None and entry.start not in wanted):
            continue
        if not is_mergeable(there, name, elements[number]):
            continue
        if strictly and consequence(there, entry.value):
            continue
        key = conditioned(entry)
        rest = (key[:number], key[number + 1 :], meaning(entry.value))
        found.setdefault(rest, []).append(index)
    return tuple(tuple(indices) for indices in found.values() if len(indices) > 1)


def _rule_at(there: Shape, line: int) -> Rule:
    """The innermost rule of a `Match` selector at a line; one whose key is there before others."""
    found = list(_rules(there, there.selector, 0))
    position = there.source.position
    by_key = [
        rule
        for rule in found
        if position(rule.entry.key.start).line <= line <= position(rule.entry.key.end).line
    ]
    around = [
        rule for rule in found if position(rule.entry.start).line <= line <= position(rule.entry.end).line
    ]
    if not by_key and not around:
        lines = sorted({there.line(rule.entry) for rule in found})
        near = min(lines, key=lambda other: abs(other - line)) if lines else None
        hint = f"the nearest is in line {near}" if near else "the file has no Match selector"
        raise RefusedError(f"{there.source.name}:{line}: no rule of a Match selector is there", hint)
    if len(by_key) > 1:
        raise RefusedError(
            f"{there.source.name}:{line}: {len(by_key)} rules begin there",
            "calmap refactor format puts each on a line",
        )
    return (by_key or around)[-1]


def _rules(there: Shape, value: Value, level: int) -> Iterator[Rule]:
    if not isinstance(value, SelectorCall):
        return
    for index, entry in enumerate(value.table.entries):
        if value.name == MATCH and level < len(there.parkey):
            yield Rule(value.table, index, level)
        yield from _rules(there, entry.value, level + 1)


def _several(there: Shape, rule: Rule, parameter: str | None) -> int:
    """Which element of a rule is to be split."""
    names = there.parkey[rule.level]
    elements = elements_of(rule.entry.key)
    where = there.at(rule.entry)
    found = [
        number
        for number, element in enumerate(elements)
        if isinstance(element, String) and len(alternatives(element.value)) > 1
    ]
    if parameter is not None:
        if parameter not in names:
            raise RefusedError(f"{where}: the rule has no {parameter}", f"it has {', '.join(names)}")
        if names.index(parameter) not in found:
            raise RefusedError(f"{where}: the rule has not several values for {parameter}")
        return names.index(parameter)
    if not found:
        raise RefusedError(f"{where}: the rule has no or-glob such as 'A|B'", "there is nothing to split")
    if len(found) > 1:
        several = ", ".join(names[number] for number in found)
        raise RefusedError(f"{where}: {several} have several values each", "choose one with --parameter")
    return found[0]


def _require_new(there: Shape, rule: Rule, number: int, members: tuple[str, ...]) -> None:
    """Refuse values for which another rule has the same key already."""
    key = conditioned(rule.entry)
    others = {conditioned(other): other for other in rule.table.entries if other is not rule.entry}
    for member in members:
        other = others.get((*key[:number], condition_element(member), *key[number + 1 :]))
        if other is not None:
            message = f"{there.at(rule.entry)}: line {there.line(other)} has a rule for {member!r} already"
            raise RefusedError(message, "only one of two equal rules can count: decide which first")


def _copies(there: Shape, entry: Entry, element: String | Value, members: tuple[str, ...]) -> Edits:
    """Edits that make a rule one for its first value, with one behind it for each other value."""
    source = there.source
    quote = quote_of(source, element)
    indent = own_indent(source, entry.start)
    between = ", " if indent is None else f",{newline_of(source)}{indent}"
    head, tail = source.text[entry.start : element.start], source.text[element.end : entry.end]
    copies = "".join(f"{between}{head}{literal(member, quote)}{tail}" for member in members[1:])
    return (
        TextEdit(element.span, literal(members[0], quote)),
        TextEdit(entry.span._replace(start=entry.end), copies),
    )
