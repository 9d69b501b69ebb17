"""The rules of an rmap as refactorings see them: parameters by level, and the selectors of a level."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from calmap.compile.prepare import Substitutions
from calmap.compile.terms import reference_terms
from calmap.edit.sequences import Items
from calmap.errors import MappingError, RefusedError
from calmap.model.mapping import Mapping
from calmap.source import Source
from calmap.syntax.ast import (
    Entry,
    List,
    MappingFile,
    Plain,
    SelectorCall,
    Set,
    String,
    Table,
    Tuple,
    Value,
    header_entry,
    plain_key,
)

MATCH = "Match"


class Place(NamedTuple):
    """Where a parameter is in the parkey, counted from zero."""

    level: int
    number: int


class Shape(NamedTuple):
    """What a refactoring has to know of an rmap.

    Parameters
    ----------
    file
        The rmap.
    selector
        Its rules.
    parkey
        Parameters of each level.
    places
        The tuples of the header that give them.
    substitutions
        As look-ups use them.
    merges
        Whether rules of equal weight are merged.
    """

    file: MappingFile
    selector: SelectorCall
    parkey: tuple[tuple[str, ...], ...]
    places: tuple[Items, ...]
    substitutions: Substitutions
    merges: bool

    @property
    def source(self) -> Source:
        """Its text."""
        return self.file.source

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters."""
        return tuple(name for level in self.parkey for name in level)

    def find(self, parameter: str) -> Place:
        """Where a parameter is.

        Raises
        ------
        RefusedError
            If it is not there, or on several levels.
        """
        found = [
            Place(level, names.index(parameter))
            for level, names in enumerate(self.parkey)
            if parameter in names
        ]
        if len(found) == 1:
            return found[0]
        where = f"{self.source.name}: {parameter!r} is"
        if found:
            raise RefusedError(f"{where} on {len(found)} levels of parkey", "that has to be changed by hand")
        near = get_close_matches(parameter.upper(), self.parameters, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.parameters)}"
        raise RefusedError(f"{where} not in parkey", hint)

    def matched(self, parameter: str) -> Place:
        """Where a parameter is that `Match` selectors look at.

        Raises
        ------
        RefusedError
            If it is not there, or other selectors look at it.
        """
        place = self.find(parameter)
        self.require_match(place.level)
        return place

    def require_match(self, level: int) -> None:
        """Refuse a level that has other selectors than `Match`."""
        other = next((call for call in self.calls(level) if call.name != MATCH), None)
        if other is not None:
            line = self.source.position(other.start).line
            message = f"{self.source.name}:{line}: level {level + 1} of parkey has a {other.name} selector"
            raise RefusedError(message, "parameters come and go in Match selectors only")

    def calls(self, level: int) -> Iterator[SelectorCall]:
        """The selectors of a level."""
        return calls_at(self.selector, level)

    def entries(self, level: int) -> Iterator[tuple[Entry, tuple[Value, ...]]]:
        """The rules of the `Match` selectors of a level, with the elements of their keys.

        Raises
        ------
        MappingError
            If a key does not fit the parkey.
        """
        for call in self.calls(level):
            for entry in call.table.entries:
                elements = elements_of(entry.key)
                if len(elements) != len(self.parkey[level]):
                    count = f"{len(elements)} elements for {len(self.parkey[level])} parameters"
                    raise MappingError(f"{self.at(entry)}: the key has {count}", "calmap check tells more")
                yield entry, elements

    def at(self, entry: Entry) -> str:
        """File and line of a rule."""
        return f"{self.source.name}:{self.line(entry)}"

    def line(self, entry: Entry) -> int:
        """Line of a rule."""
        return self.source.position(entry.start).line


def shape(file: MappingFile) -> Shape:
    """The shape of an rmap.

    Raises
    ------
    MappingError
        If it can't be understood.
    """
    terms = reference_terms(file, None)
    if not isinstance(file.selector, SelectorCall):
        raise terms.selector.refuse(
            file.selector.span, "the selector of an rmap must be one like Match({...})"
        )
    places = items_of(header_entry(file.header, "parkey"))
    if places is None or not all(isinstance(place, Tuple | List | Set) for place in places.items):
        raise MappingError(f"{file.source.name}: parkey must be a tuple of tuples", "calmap check tells more")
    levels = tuple(place for place in places.items if isinstance(place, Tuple | List | Set))
    found = terms.selector
    return Shape(file, file.selector, found.parkey, levels, found.substitutions, found.merge_overlaps)


def has_parameter(mapping: Mapping, parameter: str) -> bool:
    """True if rules of an rmap look at a parameter."""
    if mapping.file is None or not isinstance(mapping.file.selector, SelectorCall):
        return False
    try:
        return parameter in shape(mapping.file).parameters
    except MappingError:
        return False


def calls_at(selector: Value, level: int) -> Iterator[SelectorCall]:
    """The selectors that a number of others are around."""
    if not isinstance(selector, SelectorCall):
        return
    if level == 0:
        yield selector
        return
    for entry in selector.table.entries:
        yield from calls_at(entry.value, level - 1)


def elements_of(key: Value) -> tuple[Value, ...]:
    """The elements of a match key; one that is no tuple has one."""
    return key.items if isinstance(key, Tuple) else (key,)


def items_of(entry: Entry | None) -> Items | None:
    """The tuple that a header key has, if it has one."""
    value = entry.value if entry is not None else None
    return value if isinstance(value, Tuple | List | Set) else None


def table_of(entry: Entry | None) -> Table | None:
    """The dictionary that a header key has, if it has one."""
    value = entry.value if entry is not None else None
    return value if isinstance(value, Table) else None


def is_string(value: Value, text: str) -> bool:
    """True if a value is a string that says something, in whatever case."""
    return isinstance(value, String) and value.value.upper() == text.upper()


def meaning(value: Value) -> object:
    """What a rule leads to, however it is written, to be compared."""
    if isinstance(value, SelectorCall):
        rules = tuple((_key(entry.key), meaning(entry.value)) for entry in value.table.entries)
        return value.name, rules
    return _key(value)


def _key(value: Value) -> object:
    try:
        data: Plain = plain_key(value)
    except TypeError:
        return value.start
    return repr(data)
