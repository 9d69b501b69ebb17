"""Values of the expressions of constraints."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from types import MappingProxyType
from typing import Any, Final, Protocol

from calmap.certify.arrays import PROPERTIES, ArrayInfo, is_array_word
from calmap.certify.finding import LONGEST
from calmap.certify.helpers import HELPERS, METHODS, SUBARRAY_KEYWORDS, HelperError
from calmap.errors import HeaderError
from calmap.model.values import UNDEFINED
from calmap.syntax.constraint import (
    Alternative,
    Arithmetic,
    Call,
    Comparison,
    Items,
    Joined,
    Negation,
    Negative,
    Part,
    Slice,
    Term,
    term_names,
)
from calmap.syntax.expression import Constant, Name

_SUBARRAY: Final = "subarray_defined"
_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "in": lambda item, items: item in items,
        "not in": lambda item, items: item not in items,
    }
)
_CALCULATE: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod}
)


class EvaluationError(ValueError):
    """An expression that has no value for a file."""


class Names(Protocol):
    """What names stand for."""

    def value(self, name: str) -> Any:
        """Value of a keyword or an array; UNDEFINED if there is none."""


def undefined_names(term: Term, names: Names) -> tuple[str, ...]:
    """Keywords and arrays that an expression needs and the file does not have."""
    used = dict.fromkeys(_owner(name.name) for name in term_names(term))
    return tuple(name for name in used if is_undefined(names.value(name)))


def is_undefined(value: Any) -> bool:
    """True for what has no value."""
    return isinstance(value, str) and value == UNDEFINED


def evaluate(term: Term, names: Names) -> Any:
    """Value of an expression, as Python would have it.

    Raises
    ------
    EvaluationError
        If it has none.
    """
    try:
        return _Evaluation(names).value(term)
    except (HelperError, HeaderError) as problem:
        raise EvaluationError(str(problem)) from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as problem:
        if isinstance(problem, EvaluationError):
            raise
        raise EvaluationError(str(problem).split("\n")[0] or type(problem).__name__) from None


def truth(value: Any) -> bool:
    """Whether a value counts as true.

    Raises
    ------
    EvaluationError
        If it is neither true nor false: a keyword that is not defined, or many values at once.
    """
    if is_undefined(value):
        raise EvaluationError("a keyword that has no value is neither true nor false")
    try:
        return bool(value)
    except ValueError:
        raise EvaluationError(
            "many values at once are neither true nor false: use np.all or np.any"
        ) from None


def shown_value(name: str, names: Names) -> str | None:
    """Value of a name in words; None for what is an array or too long."""
    if name.endswith(".DATA"):
        return None
    value = _named(name, names)
    return None if isinstance(value, ArrayInfo) or len(repr(value)) > LONGEST else _shown(value)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    names: Names

    def value(self, term: Term) -> Any:
        match term:
            case Constant(value):
                return value
            case Name(_, name):
                return _named(name, self.names)
            case Items(items, bracket):
                sequence = tuple if bracket == "(" else list
                return sequence(map(self.value, items))
            case Comparison(first, rest):
                return self._compared(first, rest)
            case Arithmetic(first, rest):
                return self._calculated(first, rest)
            case Negative(item):
                return -_number(self.value(item))
            case Call(function, arguments):
                return self._called(function.name, tuple(map(self.value, arguments)))
            case Part(value, subscripts):
                return self._part(self.value(value), subscripts)
        return self._logical(term)

    def _logical(self, term: Joined | Negation | Alternative) -> Any:
        match term:
            case Negation(item):
                return not truth(self.value(item))
            case Alternative(then, condition, otherwise):
                return self.value(then if truth(self.value(condition)) else otherwise)
            case Joined(word, items):
                result: Any = None
                for item in items:
                    result = self.value(item)
                    if truth(result) is (word == "or"):
                        break
                return result

    def _compared(self, first: Term, rest: tuple[tuple[str, Term], ...]) -> Any:
        left = self.value(first)
        result: Any = True
        for sign, item in rest:
            right = self.value(item)
            try:
                result = _COMPARE[sign](left, right)
            except TypeError:
                raise EvaluationError(f"{_shown(left)} {sign} {_shown(right)} can't be compared") from None
            if len(rest) > 1 and not truth(result):
                return False
            left = right
        return result

    def _calculated(self, first: Term, rest: tuple[tuple[str, Term], ...]) -> Any:
        result = _number(self.value(first))
        for sign, item in rest:
            result = _calculate(sign, result, _number(self.value(item)))
        return result

    def _called(self, name: str, arguments: tuple[Any, ...]) -> Any:
        helper = HELPERS.get(name)
        if helper is not None:
            _require_arguments(name, helper, arguments)
            return helper(*arguments)
        if name == _SUBARRAY:
            _require_arguments(name, self._knows_subarray, arguments)
            return self._knows_subarray()
        text, _, method = name.rpartition(".")
        if not text or method not in METHODS:
            raise EvaluationError(f"there is no function '{name}'")
        value = _named(text, self.names)
        if not isinstance(value, str):
            raise EvaluationError(f"{text} is {_shown(value)}, which is no text")
        return getattr(value, method)(*(_text(argument) for argument in arguments))

    def _knows_subarray(self) -> bool:
        return not any(is_undefined(self.names.value(keyword)) for keyword in SUBARRAY_KEYWORDS)

    def _part(self, value: Any, subscripts: tuple[Term | Slice, ...]) -> Any:
        for subscript in subscripts:
            if isinstance(subscript, Slice):
                ends = (subscript.start, subscript.stop)
                start, stop = (None if end is None else _index(self.value(end)) for end in ends)
                value = value[start:stop]
            else:
                index = self.value(subscript)
                value = value[index if isinstance(value, dict) else _index(index)]
        return value


def is_function(name: str) -> bool:
    """True if expressions can call a function of this name."""
    text, _, method = name.rpartition(".")
    return name in HELPERS or name == _SUBARRAY or bool(text and method in METHODS)


def _require_arguments(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        signature(function).bind(*arguments)
    except TypeError as problem:
        raise EvaluationError(f"{name}(): {problem}") from None


def _named(name: str, names: Names) -> Any:
    owner = _owner(name)
    value = names.value(owner)
    if owner == name:
        return value
    return value.value(name[len(owner) + 1 :]) if isinstance(value, ArrayInfo) else UNDEFINED


def _owner(name: str) -> str:
    """The array whose property a name is, or the name itself."""
    owner, _, last = name.rpartition(".")
    return owner if last in PROPERTIES and is_array_word(owner) else name


def _calculate(sign: str, left: Any, right: Any) -> Any:
    if not (hasattr(left, "dtype") or hasattr(right, "dtype")):
        return _CALCULATE[sign](left, right)
    import numpy as np

    with np.errstate(all="ignore"):
        return _CALCULATE[sign](left, right)


def _number(value: Any) -> Any:
    if is_undefined(value):
        raise EvaluationError("a keyword that has no value can't be calculated with")
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        return value
    raise EvaluationError(f"{_shown(value)} is no number")


def _index(value: Any) -> int:
    if isinstance(value, int | float) and value == int(value):
        return int(value)
    raise EvaluationError(f"{_shown(value)} is no whole number")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise EvaluationError(f"{_shown(value)} is no text")
    return value


def _shown(value: Any) -> str:
    text = "the array" if isinstance(value, ArrayInfo) or hasattr(value, "dtype") else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
