"""Rules that differ in one value only put together, and why some are left apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from calmap.diagnostics import TextEdit
from calmap.edit.entries import quote_of, remove_entries
from calmap.edit.literals import literal
from calmap.edit.members import (
    comment_parameters,
    conditioned,
    consequence,
    is_mergeable,
    member_text,
    rule_at,
)
from calmap.edit.refactoring import applied
from calmap.edit.shape import MATCH, Place, Shape, elements_of, meaning, shape
from calmap.model.mapping import Mapping
from calmap.model.values import alternatives, condition_element
from calmap.syntax.ast import Entry, Table


class Apart(NamedTuple):
    """Rules that lead to the same and differ in one value only, and yet are not merged.

    Parameters
    ----------
    lines
        Where they are.
    parameter
        The one that they differ in.
    reason
        Why they stay apart.
    can_be_forced
        Whether they would be merged if answers may change.
    """

    lines: tuple[int, ...]
    parameter: str
    reason: str
    can_be_forced: bool


class _Group(NamedTuple):
    """Rules of a table that are the same but for one element, by their index; and the keys of the table."""

    table: Table
    place: Place
    indices: tuple[int, ...]
    keys: dict[tuple[str, ...], int]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self.table.entries[index] for index in self.indices)

    def lines(self, there: Shape) -> tuple[int, ...]:
        return tuple(map(there.line, self.entries))


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
    if lines:
        wanted = _starts(there, lines)
        found = (tuple(_merges(there, place, wanted, strictly=strictly)) for place in _places(there))
        edits = next((edits for edits in found if edits), ())
        return applied(mapping, edits)
    while True:
        before = mapping
        for place in reversed(_places(there)):
            if mapping.file is not None:
                mapping = applied(mapping, _merges(shape(mapping.file), place, None, strictly=strictly))
        if mapping.text == before.text:
            return mapping


def left_apart(
    mapping: Mapping, lines: frozenset[int] = frozenset(), *, strictly: bool = True
) -> tuple[Apart, ...]:
    """Rules that `merge_rules` leaves apart although they lead to the same and differ in one value only.

    Parameters
    ----------
    mapping
        The rmap, after merging.
    lines, strictly
        As for `merge_rules`.
    """
    if mapping.file is None:
        return ()
    there = shape(mapping.file)
    wanted = _starts(there, lines) if lines else None
    found = (
        _apart(there, group, strictly=strictly)
        for place in _places(there)
        for group in _groups(there, place, wanted)
    )
    return tuple(apart for apart in found if apart is not None)


def _starts(there: Shape, lines: frozenset[int]) -> frozenset[int]:
    return frozenset(rule_at(there, line).entry.start for line in lines)


def _places(there: Shape) -> tuple[Place, ...]:
    """Every parameter, the outermost level first, the last of a level first."""
    levels = enumerate(there.parkey)
    return tuple(Place(level, number) for level, names in levels for number in reversed(range(len(names))))


def _groups(there: Shape, place: Place, wanted: frozenset[int] | None) -> Iterator[_Group]:
    """Rules that are the same, and lead to the same, but for their element in a place."""
    for call in there.calls(place.level):
        if call.name != MATCH:
            continue
        found: dict[object, list[int]] = {}
        keys: dict[tuple[str, ...], int] = {}
        for index, entry in enumerate(call.table.entries):
            key = conditioned(entry)
            keys[key] = index
            if place.number < len(key) and (wanted is None or entry.start in wanted):
                rest = (key[: place.number], key[place.number + 1 :], meaning(entry.value))
                found.setdefault(rest, []).append(index)
        for indices in found.values():
            if len(indices) > 1:
                yield _Group(call.table, place, tuple(indices), keys)


def _merges(
    there: Shape, place: Place, wanted: frozenset[int] | None, *, strictly: bool
) -> Iterator[TextEdit]:
    """Edits that merge the rules which differ in one parameter only."""
    gone: dict[int, tuple[Table, set[int]]] = {}
    for group in _groups(there, place, wanted):
        free = group._replace(indices=_free(there, group, strictly=strictly))
        if len(free.indices) > 1 and not _taken(there, free):
            element = elements_of(free.entries[0].key)[place.number]
            yield TextEdit(element.span, literal(_union(free), quote_of(there.source, element)))
            gone.setdefault(group.table.start, (group.table, set()))[1].update(free.indices[1:])
    for table, indices in gone.values():
        yield from remove_entries(there.source, table, frozenset(indices))


def _free(there: Shape, group: _Group, *, strictly: bool) -> tuple[int, ...]:
    """Those rules of a group that nothing keeps apart."""
    pairs = zip(group.indices, group.entries, strict=True)
    return tuple(
        index for index, entry in pairs if not _obstacle(there, group.place, entry, strictly=strictly)
    )


def _obstacle(there: Shape, place: Place, entry: Entry, *, strictly: bool) -> str:
    """What keeps a rule from being merged with others, if anything."""
    name = there.parkey[place.level][place.number]
    element = elements_of(entry.key)[place.number]
    if name.upper() in comment_parameters(there):
        return f"{name} is in comment_parkeys"
    if not is_mergeable(there, name, element):
        return f"{there.source.slice(element.span)} would mean something else among other values"
    reason = consequence(there, entry.value) if strictly else ""
    return f"where a header has N/A or * for {name} the answer would change: {reason}" if reason else ""


def _apart(there: Shape, group: _Group, *, strictly: bool) -> Apart | None:
    """What keeps rules of a group apart, or None if they all can be merged."""
    name = there.parkey[group.place.level][group.place.number]
    free = group._replace(indices=_free(there, group, strictly=strictly))
    if len(free.indices) == len(group.indices):
        taken = _taken(there, group)
        return Apart(group.lines(there), name, taken, False) if taken else None
    left = group
    if len(free.indices) > 1:
        left = group._replace(indices=tuple(index for index in group.indices if index not in free.indices))
    obstacles = (_obstacle(there, group.place, entry, strictly=strictly) for entry in group.entries)
    forced = group._replace(indices=_free(there, group, strictly=False))
    can_be_forced = len(free.indices) < len(forced.indices) > 1 and not _taken(there, forced)
    return Apart(left.lines(there), name, next(filter(None, obstacles)), can_be_forced)


def _union(group: _Group) -> str:
    elements = (elements_of(entry.key)[group.place.number] for entry in group.entries)
    return "|".join(sorted({part for element in elements for part in alternatives(member_text(element))}))


def _taken(there: Shape, group: _Group) -> str:
    """What has the merged key already, if anything."""
    number, union = group.place.number, _union(group)
    name = there.parkey[group.place.level][number]
    if union in there.substitutions.get(name, {}):
        return f"{union} is substituted"
    key = conditioned(group.entries[0])
    index = group.keys.get((*key[:number], condition_element(union), *key[number + 1 :]))
    if index is None or index in group.indices:
        return ""
    return f"line {there.line(group.table.entries[index])} has a rule for {union} already"
