"""From the section ``certify`` of a definition to constraints, with errors that name the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, Final

from calmap.observatories.constraints import (
    CHECKS,
    Certification,
    Constraint,
    Demands,
    DemandsByType,
    Presence,
    Subject,
    ValueType,
)
from calmap.observatories.fields import Field, Place, fields_of
from calmap.yamltree import YamlList, YamlNode, YamlTable, YamlText

ELEMENT_TYPES: Final = ("float", "integer", "unsigned", "complex", "boolean")
KINDS: Final = ("image", "table")
MAX_DIMENSIONS: Final = 999


def certification(node: YamlNode, place: Place) -> Certification:
    """All demands of a telescope."""
    given = fields_of(node, place, (*_BY_TYPE, Field("instruments", _by_name(by_type))))
    return Certification(_by_type_of(given), given.get("instruments") or MappingProxyType({}))


def by_type(node: YamlNode, place: Place) -> DemandsByType:
    """Demands of one instrument, or of all."""
    return _by_type_of(fields_of(node, place, _BY_TYPE))


def demands(node: YamlNode, place: Place) -> Demands:
    """Demands on one type, or on all."""
    given = fields_of(node, place, _DEMANDS)
    sections = (given.get(subject.value, ()) for subject in Subject)
    return Demands(tuple(item for section in sections for item in section), given.get("rows", ()))


def _by_type_of(given: dict[str, Any]) -> DemandsByType:
    return DemandsByType(given.get("all") or Demands(), given.get("types") or MappingProxyType({}))


def _by_name(read: Callable[[YamlNode, Place], Any]) -> Callable[[YamlNode, Place], Any]:
    def table(node: YamlNode, place: Place) -> MappingProxyType[str, Any]:
        return MappingProxyType(
            {name.lower(): read(child, inner) for name, child, inner in place.entries(node)}
        )

    return table


def _section(subject: Subject) -> Callable[[YamlNode, Place], tuple[Constraint, ...]]:
    """Reader of a section: a table of names, with one constraint or a list of them for each."""

    def read(node: YamlNode, place: Place) -> tuple[Constraint, ...]:
        return tuple(
            constraint
            for name, child, inner in place.entries(node)
            for constraint in _constraints(subject, name, child, inner)
        )

    return read


def _constraints(subject: Subject, name: str, node: YamlNode, place: Place) -> Iterator[Constraint]:
    if not isinstance(node, YamlList):
        yield _constraint(subject, name, node, place)
        return
    for number, item in enumerate(node.items):
        yield _constraint(subject, name, item, place.child(str(number)))


def _constraint(subject: Subject, name: str, node: YamlNode, place: Place) -> Constraint:
    upper = name if subject is Subject.CHECK else name.upper()
    origin = f"{place.file}:{node.line}"
    if isinstance(node, YamlText):
        return _brief(subject, upper, node, place, origin)
    given = fields_of(node, place, _FIELDS[subject])
    given["presence"], condition = given.get("presence", (Presence.REQUIRED, None))
    given["condition"] = given.pop("if", None) or condition
    _refuse_contradictions(given, node, place)
    return Constraint(subject, upper, **given, origin=origin)


def _brief(subject: Subject, name: str, node: YamlText, place: Place, origin: str) -> Constraint:
    """A constraint that is one word: a presence, or for a check the expression."""
    if subject is Subject.CHECK:
        return Constraint(subject, name, expression=expression(node, place), origin=origin)
    found, condition = presence(node, place)
    return Constraint(subject, name, found, condition, origin=origin)


def _refuse_contradictions(given: dict[str, Any], node: YamlNode, place: Place) -> None:
    if given.get("values") and given.get("range"):
        place.fail(node.line, "has 'values' and a 'range'", "one of them says what is allowed")
    kind = given.get("type")
    if given.get("range") and kind is not None and not ValueType(kind).is_numeric:
        place.fail(node.line, f"a range of type {kind!r}", "'integer', 'real' or 'double' have ranges")
    if kind is None and given.get("range"):
        given["type"] = str(ValueType.REAL)
    if given.get("kind") == "image" and given.get("columns"):
        place.fail(node.line, "is an image with columns", "only a table has columns")


def presence(node: YamlNode, place: Place) -> tuple[Presence, str | None]:
    """A word, or ``{if: expression}``."""
    if isinstance(node, YamlTable):
        given = fields_of(node, place, (Field("if", expression, required=True),))
        return Presence.REQUIRED, given["if"]
    words = tuple(str(word) for word in Presence)
    return Presence(place.one_of(_text(node, place), words, node.line, "presence")), None


def expression(node: YamlNode, place: Place) -> str:
    """An expression; it is read when it is first needed, since only certifying needs it."""
    return _text(node, place)


def _value_type(node: YamlNode, place: Place) -> str:
    return place.one_of(_text(node, place), tuple(map(str, ValueType)), node.line, "type")


def _element_type(node: YamlNode, place: Place) -> str:
    return place.one_of(_text(node, place), ELEMENT_TYPES, node.line, "type of elements")


def _kind(node: YamlNode, place: Place) -> str:
    return place.one_of(_text(node, place), KINDS, node.line, "kind")


def _check(node: YamlNode, place: Place) -> str:
    return place.one_of(_text(node, place).lower(), CHECKS, node.line, "check")


def _values(node: YamlNode, place: Place) -> tuple[str, ...]:
    texts = [item.value if isinstance(item, YamlText) else None for item in place.items(node)]
    if not texts or None in texts:
        place.fail(node.line, "expected a list of values, '[A, B]'")
    return tuple(text or "" for text in texts)


def _names(node: YamlNode, place: Place) -> tuple[str, ...]:
    items = place.items(node) if isinstance(node, YamlList) else (node,)
    return tuple(_text(item, place).upper() for item in items)


def _range(node: YamlNode, place: Place) -> tuple[str, str]:
    text = _text(node, place)
    low, colon, high = (part.strip() for part in text.partition(":"))
    try:
        in_order = bool(colon) and float(low) <= float(high)
    except ValueError:
        in_order = False
    if not in_order:
        place.fail(node.line, f"{text!r} is no range", "write 'lowest:highest' in quotes, such as '1:2048'")
    return low, high


def _ndim(node: YamlNode, place: Place) -> tuple[int, ...]:
    items = place.items(node) if isinstance(node, YamlList) else (node,)
    return tuple(_count(item, place) for item in items)


def _shape(node: YamlNode, place: Place) -> tuple[int | None, ...]:
    return tuple(
        None if isinstance(item, YamlText) and item.value == "*" else _count(item, place, 2**40)
        for item in place.items(node)
    )


def _count(node: YamlNode, place: Place, highest: int = MAX_DIMENSIONS) -> int:
    text = _text(node, place)
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text) <= highest):
        place.fail(node.line, f"{text!r} is no whole number up to {highest}")
    return int(text)


def _text(node: YamlNode, place: Place) -> str:
    if not isinstance(node, YamlText) or not node.value:
        place.fail(node.line, "expected a text")
    return node.value


_COMMON: Final = (Field("presence", presence), Field("if", expression))
_VALUES: Final = (
    *_COMMON,
    Field("type", _value_type),
    Field("values", _values),
    Field("range", _range),
    Field("check", _check),
)
_FIELDS: Final = MappingProxyType(
    {
        Subject.KEYWORD: _VALUES,
        Subject.GROUP: _VALUES,
        Subject.COLUMN: (*_VALUES, Field("expression", expression)),
        Subject.CHECK: (*_COMMON, Field("expression", expression, required=True)),
        Subject.ARRAY: (
            *_COMMON,
            Field("kind", _kind),
            Field("ndim", _ndim),
            Field("shape", _shape),
            Field("type", _element_type),
            Field("columns", _names),
            Field("check", _check),
            Field("expression", expression),
        ),
    }
)
_DEMANDS: Final = (
    *(Field(subject.value, _section(subject)) for subject in Subject),
    Field("rows", _names),
)
_BY_TYPE: Final = (Field("all", demands), Field("types", _by_name(demands)))
