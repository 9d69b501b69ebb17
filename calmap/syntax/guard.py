"""Refuses text that is nested too deeply or has too many parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from calmap.source import Span

if TYPE_CHECKING:
    from lark import Token

MAX_CHARACTERS = 4_000_000
MAX_DEPTH = 40
MAX_NEGATIONS = 100
MAX_TOKENS = 300_000
MAX_RULES = 20_000


class TooManyTokensError(Exception):
    """The text has more parts than any sensible file."""

    def __init__(self, span: Span) -> None:
        super().__init__(f"more than {MAX_TOKENS} tokens")
        self.span = span


class DepthError(Exception):
    """Too many brackets are open."""

    def __init__(self, span: Span) -> None:
        super().__init__(f"nested more than {MAX_DEPTH} deep")
        self.span = span


class DepthGuard:
    """Lets the tokens of a text pass until too many brackets are open, or too many have passed."""

    always_accept: tuple[str, ...] = ()
    _OPEN = frozenset({"LPAR", "LSQB", "LBRACE"})
    _CLOSE = frozenset({"RPAR", "RSQB", "RBRACE"})
    _CHAINED = frozenset({"NOT", "IF"})

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Yield the tokens of a stream."""
        depth = chained = 0
        for number, token in enumerate(stream):
            if token.type in self._OPEN:
                depth += 1
            elif token.type in self._CLOSE:
                depth -= 1
            elif token.type in self._CHAINED:
                chained += 1
            if depth > MAX_DEPTH or chained > MAX_NEGATIONS:
                start = token.start_pos or 0
                raise DepthError(Span(start, start + len(token)))
            if number >= MAX_TOKENS:
                raise TooManyTokensError(Span(token.start_pos or 0, token.start_pos or 0))
            yield token
