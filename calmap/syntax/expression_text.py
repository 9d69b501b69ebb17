"""Header expressions: from text to a tree, or to the reason why not."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lark import Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from calmap.source import Span
from calmap.syntax.expression import (
    Choice,
    Compare,
    Constant,
    Either,
    Every,
    Expression,
    ExpressionError,
    Name,
    Not,
    Sequence,
)
from calmap.syntax.grammar import build
from calmap.syntax.guard import DepthError, DepthGuard, TooManyTokensError
from calmap.syntax.literals import LiteralError, number_value, string_value

MAX_EXPRESSION = 20_000


@v_args(inline=True)
class _Lowering(Transformer[Token, Any]):
    def start(self, expression: Expression) -> Expression:
        return expression

    def either(self, *parts: Any) -> Expression:
        return Either(parts[::2])

    def both(self, *parts: Any) -> Expression:
        return Every(parts[::2])

    def negation(self, _not: Token, item: Expression) -> Expression:
        return Not(item)

    def choice(self, *parts: Any) -> Expression:
        return Choice(parts[0], parts[2], parts[4])

    def comparison(self, first: Expression, *rest: Any) -> Expression:
        operators: list[Any] = [" ".join(str(operator).split()) for operator in rest[::2]]
        return Compare(first, tuple(zip(operators, rest[1::2], strict=True)))

    def name(self, token: Token) -> Expression:
        start = token.start_pos or 0
        return Name(Span(start, start + len(token)), str(token))

    def string(self, *tokens: Token) -> Expression:
        return Constant("".join(string_value(str(token)) for token in tokens))

    def number(self, token: Token) -> Expression:
        return Constant(float_value(token))

    def negative(self, _minus: Token, token: Token) -> Expression:
        return Constant(-float_value(token))

    def constant(self, token: Token) -> Expression:
        return Constant({"True": True, "False": False, "None": None}[token])

    def group(self, _open: Token, item: Expression, _close: Token) -> Expression:
        return item

    def sequence(self, *parts: Any) -> Expression:
        items = tuple(part for part in parts if not isinstance(part, Token))
        return Sequence(items, str(parts[0]))


def float_value(token: Token) -> float:
    """Value of a number token."""
    try:
        return float(number_value(str(token), real="x" not in token.lower() and not token.isdecimal()))
    except (ValueError, OverflowError):
        raise LiteralError(f"'{token}' is no number") from None


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> Expression:
    """Tree of a header expression.

    Raises
    ------
    ExpressionError
        If the text is no expression.
    """
    tree: Expression = parse_with("expression.lark", _Lowering, text)
    return tree


def parse_with(grammar: str, lowering: type[Transformer[Token, Any]], text: str) -> Any:
    """What a grammar file and its lowering make of a text.

    Raises
    ------
    ExpressionError
        If the text is no expression.
    """
    if len(text) > MAX_EXPRESSION:
        raise ExpressionError(f"an expression of more than {MAX_EXPRESSION} characters")
    try:
        return build(grammar, lowering, DepthGuard).parse(text)
    except UnexpectedToken as problem:
        shown = "its end" if problem.token.type == "$END" else f"'{problem.token}'"
        offset = len(text) if problem.token.type == "$END" else problem.token.start_pos or 0
        raise ExpressionError(f"{shown} can't stand here", offset) from None
    except UnexpectedCharacters as problem:
        offset = problem.pos_in_stream or 0
        raise ExpressionError(f"'{text[offset]}' can't stand here", offset) from None
    except UnexpectedInput:
        raise ExpressionError("it ends too early", len(text)) from None
    except (DepthError, TooManyTokensError) as problem:
        raise ExpressionError("it is nested too deeply", problem.span.start) from None
    except LiteralError as problem:
        raise ExpressionError(str(problem)) from None
    except VisitError as problem:
        raise _literal_problem(problem) from None


def _literal_problem(problem: VisitError) -> ExpressionError:
    if isinstance(problem.orig_exc, LiteralError):
        return ExpressionError(str(problem.orig_exc))
    raise problem.orig_exc
