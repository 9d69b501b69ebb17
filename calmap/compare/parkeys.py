"""The parameters of rules, and how those of two mappings go together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from types import MappingProxyType
from typing import TypeAlias

from calmap.compare.meaning import key_meaning
from calmap.compare.rows import RuleRow, Step
from calmap.model.values import NA
from calmap.syntax.ast import List, MappingFile, String, Tuple, Value, header_entry

Parkey: TypeAlias = tuple[tuple[str, ...], ...]
_MATCH = "Match"
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class ParkeyChange:
    """What became of the parameters.

    Parameters
    ----------
    old, new
        The parameters of each level of selectors.
    renamed
        New names by old ones: parameters at the same place with much the same values.
    """

    old: Parkey
    new: Parkey
    renamed: Mapping[str, str]

    @property
    def added(self) -> tuple[str, ...]:
        """Parameters that only the new mapping has."""
        kept = {*_flat(self.old), *self.renamed.values()}
        return tuple(name for name in _flat(self.new) if name not in kept)

    @property
    def removed(self) -> tuple[str, ...]:
        """Parameters that only the old mapping has."""
        kept = {*_flat(self.new), *self.renamed}
        return tuple(name for name in _flat(self.old) if name not in kept)

    @property
    def reordered(self) -> bool:
        """Whether those in both stand in another order, or on other levels."""
        gone, come = set(self.removed), set(self.added)
        old = [[self.renamed.get(name, name) for name in level if name not in gone] for level in self.old]
        new = [[name for name in level if name not in come] for level in self.new]
        return list(filter(None, old)) != list(filter(None, new))


def parkey(file: MappingFile) -> Parkey:
    """The parameters of each level, in upper case; what isn't understood is left out."""
    entry = header_entry(file.header, "parkey")
    items = _items(entry.value) if entry else ()
    if items and all(isinstance(item, String) for item in items):
        return (_names(items),)
    return tuple(_names(_items(item) or (item,)) for item in items)


def named_keys(row: RuleRow, levels: Parkey) -> tuple[tuple[str, str], ...]:
    """Parameters and elements on the way to a file, for people; a key that has no parameter is called so."""
    return tuple(pair for number, step in enumerate(row.steps) for pair in named_key(step, levels, number))


def named_key(step: Step, levels: Parkey, number: int) -> tuple[tuple[str, str], ...]:
    """Parameters and elements of one key."""
    names = levels[number] if number < len(levels) else ()
    if len(names) == len(step.key):
        return tuple(zip(names, step.key, strict=True))
    if len(step.key) == 1 and names:
        return ((" ".join(names), step.key[0]),)
    return tuple(
        (name or f"element {place}", element)
        for place, (name, element) in enumerate(zip_longest(names[: len(step.key)], step.key), 1)
    )


def parkey_change(
    old: Parkey, new: Parkey, old_rows: Sequence[RuleRow], new_rows: Sequence[RuleRow]
) -> ParkeyChange | None:
    """How the parameters changed, or None if they did not."""
    if old == new:
        return None
    renamed: dict[str, str] = {}
    old_names, new_names = set(_flat(old)), set(_flat(new))
    for level, (before, after) in enumerate(zip(old, new, strict=False)):
        if len(before) != len(after):
            continue
        for place, (name, other) in enumerate(zip(before, after, strict=True)):
            lone = name not in new_names and other not in old_names
            if lone and _alike(_column(old_rows, level, place), _column(new_rows, level, place)):
                renamed[name] = other
    return ParkeyChange(old, new, MappingProxyType(renamed))


def identity_by_name(
    row: RuleRow, levels: Parkey, renamed: Mapping[str, str], lone: Iterable[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, ...], ...]]:
    """What makes a rule the same under another parkey: elements by parameter, and other keys in order.

    Parameters
    ----------
    row, levels
        The rule and its parameters.
    renamed
        Names to use in place of those.
    lone
        Parameters that only one of the mappings has; there N/A is as good as nothing.
    """
    elements: list[tuple[str, str]] = []
    others = []
    for number, step in enumerate(row.steps):
        meaning = key_meaning(step)
        if step.selector != _MATCH:
            others.append(meaning)
            continue
        names = [name for name, _ in named_key(step, levels, number)]
        pairs = zip(names, meaning, strict=False)
        elements += (
            (renamed.get(name, name), value) for name, value in pairs if (name not in lone or value != NA)
        )
    return tuple(sorted(elements)), tuple(others)


def _column(rows: Sequence[RuleRow], level: int, place: int) -> frozenset[str]:
    """The values that a parameter has in rules."""
    keys = (key_meaning(row.steps[level]) for row in rows if len(row.steps) > level)
    return frozenset(key[place] for key in keys if place < len(key))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return one == other or len(one & other) >= _ALIKE * max(len(one), len(other))


def _flat(levels: Parkey) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for level in levels for name in level))


def _items(value: Value) -> tuple[Value, ...]:
    return value.items if isinstance(value, Tuple | List) else ()


def _names(items: Sequence[Value]) -> tuple[str, ...]:
    return tuple(item.value.upper() for item in items if isinstance(item, String))
