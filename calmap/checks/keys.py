"""Keys of tables: which ones Python takes to be equal, and what they come to when conditioned."""

from __future__ import annotations

from collections.abc import Hashable

from calmap.model.values import condition_element
from calmap.syntax.ast import Constant, List, Number, Plain, SelectorCall, Set, String, Table, Tuple, Value

_MAX_BITS = 8_000


def identity(value: Value) -> Hashable:
    """What is equal for values that a Python dictionary takes as one key: ``1``, ``1.0`` and ``True``."""
    match value:
        case String() | Number() | Constant():
            return value.value
        case Tuple(_, items):
            return tuple(identity(item) for item in items)
        case List(_, items) | Set(_, items):
            return type(value), tuple(identity(item) for item in items)
        case Table(_, entries):
            return Table, tuple((identity(entry.key), identity(entry.value)) for entry in entries)
        case SelectorCall(_, name, _, table):
            return SelectorCall, name, identity(table)


def is_key(value: Value) -> bool:
    """True if a value can be the key of a dictionary."""
    match value:
        case String() | Constant():
            return True
        case Number(_, number):
            return not isinstance(number, int) or number.bit_length() < _MAX_BITS
        case Tuple(_, items):
            return all(is_key(item) for item in items)
    return False


def key_data(value: Value) -> Plain:
    """Plain data of a value that `is_key`."""
    match value:
        case Tuple(_, items):
            return tuple(key_data(item) for item in items)
        case String() | Number() | Constant():
            return value.value
    raise TypeError("not a key")


def elements(key: Value) -> tuple[Value, ...]:
    """Elements of the key of a Match rule; a key that is no tuple is its own only element."""
    return key.items if isinstance(key, Tuple) else (key,)


def conditioned(value: Value) -> str:
    """Conditioned text of an element that `is_key`."""
    return condition_element(key_data(value))


def shown(value: Value) -> str:
    """A key as people would write it, cut to a sensible length."""
    if not is_key(value):
        return "it"
    text = repr(_beginning(value))
    return text if len(text) <= 60 else text[:57] + "..."


def _beginning(value: Value) -> Plain:
    """What the first characters of a key depend on."""
    match value:
        case String(_, text):
            return text[:61]
        case Tuple(_, items):
            return tuple(_beginning(item) for item in items[:31])
    return key_data(value)
