"""Trees of header expressions; light to import, and fit to be stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from calmap.source import Span

Sign: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


class Name(Struct, frozen=True, tag=True, array_like=True):
    """A keyword of the dataset; the span counts within the expression."""

    span: Span
    name: str


class Constant(Struct, frozen=True, tag=True, array_like=True):
    """A literal."""

    value: str | float | bool | None


class Sequence(Struct, frozen=True, tag=True, array_like=True):
    """A tuple, or a list where ``bracket`` is ``[``."""

    items: tuple[Expression, ...]
    bracket: str = "("


class Compare(Struct, frozen=True, tag=True, array_like=True):
    """A chain of comparisons, as ``a < b == c``."""

    first: Expression
    rest: tuple[tuple[Sign, Expression], ...]


class Every(Struct, frozen=True, tag=True, array_like=True):
    """``and``."""

    items: tuple[Expression, ...]


class Either(Struct, frozen=True, tag=True, array_like=True):
    """``or``."""

    items: tuple[Expression, ...]


class Not(Struct, frozen=True, tag=True, array_like=True):
    """``not``."""

    item: Expression


class Choice(Struct, frozen=True, tag=True, array_like=True):
    """``a if condition else b``."""

    then: Expression
    condition: Expression
    otherwise: Expression


Expression: TypeAlias = Name | Constant | Sequence | Compare | Every | Either | Not | Choice


class ExpressionError(ValueError):
    """A text that is no expression; ``offset`` counts within it."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def names(expression: Expression) -> Iterator[Name]:
    """Every keyword that an expression names."""
    match expression:
        case Name():
            yield expression
        case Sequence(items) | Every(items) | Either(items):
            for item in items:
                yield from names(item)
        case Compare(first, rest):
            yield from names(first)
            for _, item in rest:
                yield from names(item)
        case Not(item):
            yield from names(item)
        case Choice(then, condition, otherwise):
            for item in (then, condition, otherwise):
                yield from names(item)
        case Constant():
            return
