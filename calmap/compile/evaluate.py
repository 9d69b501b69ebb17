"""Values of header expressions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from calmap.syntax.expression import (
    Choice,
    Compare,
    Constant,
    Either,
    Every,
    Expression,
    Name,
    Not,
    Sequence,
    names,
)

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda item, items: item in items,
    "not in": lambda item, items: item not in items,
}


class EvaluationError(ValueError):
    """An expression that has no value for a header."""


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """Value of an expression, as Python would have it.

    Raises
    ------
    EvaluationError
        If a name is not defined or two values can't be compared.
    """
    match expression:
        case Constant(value):
            return value
        case Name(_, name):
            if name not in values:
                raise EvaluationError(f"'{name}' is not defined")
            return values[name]
        case Sequence(items, bracket):
            sequence = tuple if bracket == "(" else list
            return sequence(evaluate(item, values) for item in items)
        case Compare():
            return _compare(expression, values)
        case Not(item):
            return not evaluate(item, values)
        case Choice(then, condition, otherwise):
            return evaluate(then if evaluate(condition, values) else otherwise, values)
        case Every(items) | Either(items):
            stop = isinstance(expression, Either)
            result: Any = None
            for item in items:
                result = evaluate(item, values)
                if bool(result) is stop:
                    break
            return result


Compiled: TypeAlias = Callable[[Mapping[str, Any]], Any]


def compile_expression(expression: Expression) -> Compiled:
    """The fast form of an expression: a function of the values; it raises as `evaluate` does."""
    match expression:
        case Compare(Name(_, name), ((sign, Constant() | Sequence() as right),)) if not list(names(right)):
            value = evaluate(right, {})
            if (
                sign == "in"
                and isinstance(value, tuple | list)
                and all(isinstance(item, str) for item in value)
            ):
                return _member(name, frozenset(value), expression)
            return _test(name, _OPERATORS[sign], value, expression)
        case Every(items) | Either(items):
            parts = tuple(compile_expression(item) for item in items)
            return _joined(parts, isinstance(expression, Either))
        case Not(item):
            inner = compile_expression(item)
            return lambda values: not inner(values)
        case Constant(value):
            return lambda values: value
    return lambda values: evaluate(expression, values)


def _test(name: str, compare: Callable[[Any, Any], Any], right: Any, expression: Expression) -> Compiled:
    def test(values: Mapping[str, Any]) -> Any:
        try:
            return compare(values[name], right)
        except (KeyError, TypeError):
            return evaluate(expression, values)

    return test


def _member(name: str, items: frozenset[str], expression: Expression) -> Compiled:
    def test(values: Mapping[str, Any]) -> Any:
        try:
            return values[name] in items
        except (KeyError, TypeError):
            return evaluate(expression, values)

    return test


def _joined(parts: tuple[Compiled, ...], stop: bool) -> Compiled:
    def joined(values: Mapping[str, Any]) -> Any:
        result: Any = None
        for part in parts:
            result = part(values)
            if bool(result) is stop:
                break
        return result

    return joined


def _compare(expression: Compare, values: Mapping[str, Any]) -> bool:
    left = evaluate(expression.first, values)
    for sign, item in expression.rest:
        right = evaluate(item, values)
        try:
            if not _OPERATORS[sign](left, right):
                return False
        except TypeError:
            raise EvaluationError(f"{left!r} {sign} {right!r} can't be compared") from None
        left = right
    return True
