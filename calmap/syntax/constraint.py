"""Expressions of constraints on reference files: from text to a tree, or to the reason why not.

They may call helper functions, look at the properties of arrays and calculate;
expressions of rules may not, and are refused by `calmap.syntax.expression` if they try.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from lark import Token, Transformer, v_args

from calmap.source import Span
from calmap.syntax.expression import Constant, ExpressionError, Name
from calmap.syntax.expression_text import float_value, parse_with
from calmap.syntax.literals import string_value

__all__ = ["ExpressionError", "Term", "parse_constraint", "term_functions", "term_names"]


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple, or a list where ``bracket`` is ``[``."""

    items: tuple[Term, ...]
    bracket: str = "("


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chain of comparisons, as ``a < b == c``."""

    first: Term
    rest: tuple[tuple[str, Term], ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by ``and`` or ``or``."""

    word: str
    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """``not``."""

    item: Term


@dataclass(frozen=True, slots=True)
class Alternative:
    """``a if condition else b``."""

    then: Term
    condition: Term
    otherwise: Term


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A chain of operations of one rank, as ``a + b - c``."""

    first: Term
    rest: tuple[tuple[str, Term], ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus sign before a value."""

    item: Term


@dataclass(frozen=True, slots=True)
class Call:
    """A helper function, or a method of a text, and what it is given."""

    function: Name
    arguments: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """``start:stop`` between brackets."""

    start: Term | None
    stop: Term | None


@dataclass(frozen=True, slots=True)
class Part:
    """Parts of a sequence, as ``a[0]`` or ``a[-2:]``."""

    value: Name
    subscripts: tuple[Term | Slice, ...]


Term: TypeAlias = (
    Name
    | Constant
    | Items
    | Comparison
    | Joined
    | Negation
    | Alternative
    | Arithmetic
    | Negative
    | Call
    | Part
)


@lru_cache(maxsize=4096)
def parse_constraint(text: str) -> Term:
    """Tree of an expression of a constraint.

    Raises
    ------
    ExpressionError
        If the text is no expression.
    """
    tree: Term = parse_with("constraint.lark", _Lowering, text)
    return tree


def term_names(term: Term) -> Iterator[Name]:
    """Every name that an expression uses, those of functions left out."""
    if isinstance(term, Name):
        yield term
    for part in _parts(term):
        yield from term_names(part)


def term_functions(term: Term) -> Iterator[Name]:
    """The name of every function that an expression calls."""
    if isinstance(term, Call):
        yield term.function
    for part in _parts(term):
        yield from term_functions(part)


def _parts(term: Term) -> tuple[Term, ...]:
    match term:
        case Items(items) | Joined(_, items) | Call(_, items):
            return items
        case Comparison(first, rest) | Arithmetic(first, rest):
            return (first, *(item for _, item in rest))
        case Negation(item) | Negative(item):
            return (item,)
        case Alternative(then, condition, otherwise):
            return (then, condition, otherwise)
        case Part(value, subscripts):
            return (value, *(item for subscript in subscripts for item in _indexes(subscript)))
    return ()


def _indexes(subscript: Term | Slice) -> tuple[Term, ...]:
    if isinstance(subscript, Slice):
        return tuple(item for item in (subscript.start, subscript.stop) if item is not None)
    return (subscript,)


@v_args(inline=True)
class _Lowering(Transformer[Token, Any]):
    def start(self, term: Term) -> Term:
        return term

    def either(self, *parts: Any) -> Term:
        return Joined("or", parts[::2])

    def both(self, *parts: Any) -> Term:
        return Joined("and", parts[::2])

    def negation(self, _not: Token, item: Term) -> Term:
        return Negation(item)

    def choice(self, *parts: Any) -> Term:
        return Alternative(parts[0], parts[2], parts[4])

    def comparison(self, first: Term, *rest: Any) -> Term:
        operators = (" ".join(str(operator).split()) for operator in rest[::2])
        return Comparison(first, tuple(zip(operators, rest[1::2], strict=True)))

    def sum(self, first: Term, *rest: Any) -> Term:
        return Arithmetic(first, tuple(zip(map(str, rest[::2]), rest[1::2], strict=True)))

    def product(self, first: Term, *rest: Any) -> Term:
        return self.sum(first, *rest)

    def negative(self, _minus: Token, item: Term) -> Term:
        return Negative(item)

    def name(self, token: Token) -> Name:
        start = token.start_pos or 0
        return Name(Span(start, start + len(token)), str(token))

    def call(self, function: Token, *parts: Any) -> Term:
        return Call(self.name(function), _values(parts))

    def part(self, name: Token, *subscripts: Any) -> Term:
        return Part(self.name(name), subscripts)

    def subscript(self, _open: Token, item: Term, _close: Token) -> Term:
        return item

    def slice(self, *parts: Any) -> Slice:
        ends: dict[str, Term] = dict(part for part in parts if isinstance(part, tuple))
        return Slice(ends.get("start"), ends.get("stop"))

    def start_at(self, item: Term) -> tuple[str, Term]:
        return "start", item

    def stop_at(self, item: Term) -> tuple[str, Term]:
        return "stop", item

    def string(self, *tokens: Token) -> Term:
        return Constant("".join(string_value(str(token)) for token in tokens))

    def number(self, token: Token) -> Term:
        return Constant(float_value(token))

    def constant(self, token: Token) -> Term:
        return Constant({"True": True, "False": False, "None": None}[token])

    def group(self, _open: Token, item: Term, _close: Token) -> Term:
        return item

    def sequence(self, *parts: Any) -> Term:
        return Items(_values(parts), str(parts[0]))


def _values(parts: tuple[Any, ...]) -> tuple[Term, ...]:
    return tuple(part for part in parts if not isinstance(part, Token))
