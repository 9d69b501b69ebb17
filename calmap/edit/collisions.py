"""Rules of which only one can count, because their keys mean the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from calmap.edit.keys import key_meaning
from calmap.edit.shape import MATCH, Shape, elements_of
from calmap.model.values import condition_element
from calmap.syntax.ast import Entry, SelectorCall, Value, plain_key

Path: TypeAlias = tuple[int, ...]


class Collision(NamedTuple):
    """Two rules whose keys mean the same."""

    first: Entry
    second: Entry


def new_collisions(old: Shape, new: Shape) -> tuple[Collision, ...]:
    """Rules, as they stand in the old text, whose keys mean the same in a new text only.

    Both must have the same rules in the same order, whatever their keys.
    """
    before, after = _pairs(old), _pairs(new)
    rules = dict(_rules(old))
    return tuple(Collision(rules[a], rules[b]) for a, b in sorted(after - before))


def collision_count(shape: Shape) -> int:
    """How many rules have a key that means the same as an earlier one."""
    return sum(len(group) - 1 for group in _groups(shape))


def equal_rules(shape: Shape) -> Iterator[tuple[Entry, ...]]:
    """Rules of a selector whose keys mean the same."""
    rules = dict(_rules(shape))
    return (tuple(rules[path] for path in group) for group in _groups(shape))


def _groups(shape: Shape) -> Iterator[tuple[Path, ...]]:
    """Places of the rules of each selector whose keys mean the same; the place is one index a level."""
    found: dict[tuple[Path, Any], list[Path]] = {}
    for path, entry, call, level in _walk(shape.selector, ()):
        found.setdefault((path[:-1], _meaning(shape, entry.key, call, level)), []).append(path)
    return (tuple(paths) for paths in found.values() if len(paths) > 1)


def _pairs(shape: Shape) -> set[tuple[Path, Path]]:
    return {(group[0], path) for group in _groups(shape) for path in group[1:]}


def _rules(shape: Shape) -> Iterator[tuple[Path, Entry]]:
    return ((path, entry) for path, entry, _, _ in _walk(shape.selector, ()))


def _walk(value: Value, path: Path) -> Iterator[tuple[Path, Entry, SelectorCall, int]]:
    if not isinstance(value, SelectorCall):
        return
    for index, entry in enumerate(value.table.entries):
        here = (*path, index)
        yield here, entry, value, len(path)
        yield from _walk(entry.value, here)


def _meaning(shape: Shape, key: Value, call: SelectorCall, level: int) -> Any:
    """A key substituted and conditioned, as look-ups do it."""
    try:
        elements = [plain_key(element) for element in elements_of(key)]
    except TypeError:
        return key.start
    names = shape.parkey[level] if level < len(shape.parkey) else ()
    for number, name in enumerate(names[: len(elements)]):
        swaps = shape.substitutions.get(name, {})
        if elements[number] in swaps:
            elements[number] = swaps[elements[number]]
    if call.name == MATCH:
        return tuple(map(condition_element, elements))
    return key_meaning(call.name, elements[0] if len(elements) == 1 else tuple(elements))
