"""Refuses text whose brackets or negations are nested too deeply."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from calmap.source import Span

MAX_DEPTH = 40
MAX_NEGATIONS = 100


class DepthError(Exception):
    """Too many brackets are open."""

    def __init__(self, span: Span) -> None:
        super().__init__(f"nested more than {MAX_DEPTH} deep")
        self.span = span


class DepthGuard:
    """Lets the tokens of a text pass until too many brackets are open."""

    always_accept: tuple[str, ...] = ()
    _OPEN = frozenset({"LPAR", "LSQB", "LBRACE"})
    _CLOSE = frozenset({"RPAR", "RSQB", "RBRACE"})
    _CHAINED = frozenset({"NOT", "IF"})

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Yield the tokens of a stream."""
        depth = chained = 0
        for token in stream:
            if token.type in self._OPEN:
                depth += 1
            elif token.type in self._CLOSE:
                depth -= 1
            elif token.type in self._CHAINED:
                chained += 1
            if depth > MAX_DEPTH or chained > MAX_NEGATIONS:
                start = token.start_pos or 0
                raise DepthError(Span(start, start + len(token)))
            yield token
