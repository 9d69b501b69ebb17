"""The little validator: tables of fields, and places that can complain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from string import Formatter
from typing import Any, NoReturn

from calmap.errors import ObservatoryError
from calmap.yamltree import YamlList, YamlNode, YamlTable


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a definition: its file and the keys that lead there."""

    file: str
    keys: tuple[str, ...] = ()

    @property
    def last(self) -> str:
        """The last key."""
        return self.keys[-1]

    def child(self, key: str) -> Place:
        """A place one level down."""
        return Place(self.file, (*self.keys, key))

    def fail(self, line: int, problem: str, hint: str | None = None) -> NoReturn:
        """Complain about this place.

        Raises
        ------
        ObservatoryError
            Always.
        """
        path = f"'{' > '.join(self.keys)}': " if self.keys else ""
        raise ObservatoryError(f"{self.file}:{line}: {path}{problem}", hint=hint)

    def entries(self, node: YamlNode) -> Iterator[tuple[str, YamlNode, Place]]:
        """Keys, values and places of a mapping."""
        if not isinstance(node, YamlTable):
            self.fail(node.line, "expected a mapping, 'key: value'")
        seen: set[str] = set()
        for key, value in node.entries:
            name = key.value or ""
            if not name:
                self.fail(key.line, "a key is empty")
            if name.lower() in seen:
                self.fail(key.line, f"the key {name!r} is there twice")
            seen.add(name.lower())
            yield name, value, self.child(name)

    def items(self, node: YamlNode) -> tuple[YamlNode, ...]:
        """Items of a list."""
        if not isinstance(node, YamlList):
            self.fail(node.line, "expected a list, '[a, b]'")
        return node.items

    def one_of(self, given: str, known: tuple[str, ...], line: int, what: str) -> str:
        """The given name if it is a known one; a complaint otherwise."""
        if given not in known:
            near = get_close_matches(given, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            self.fail(line, f"unknown {what} {given!r}", hint)
        return given


@dataclass(frozen=True, slots=True)
class Field:
    """One key that a mapping may have, and how its value is read."""

    name: str
    read: Callable[[YamlNode, Place], Any]
    required: bool = False


def fields_of(node: YamlNode, place: Place, fields: tuple[Field, ...]) -> dict[str, Any]:
    """Values of a mapping with fixed keys."""
    known = {field.name: field for field in fields}
    given: dict[str, Any] = {}
    for name, child, inner in place.entries(node):
        place.one_of(name, tuple(known), child.line, "key")
        given[name] = known[name].read(child, inner)
    for field in fields:
        if field.required and field.name not in given:
            place.fail(node.line, f"the key {field.name!r} is missing")
    return given


def names_in(pattern: str, node: YamlNode, place: Place) -> tuple[str, ...]:
    """Names in the braces of a template."""
    try:
        return tuple(name for _, name, _, _ in Formatter().parse(pattern) if name is not None)
    except ValueError as error:
        place.fail(node.line, f"{pattern!r}: {error}")
