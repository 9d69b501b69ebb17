"""From text to AST, or to a finding that says what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lark import Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from calmap.diagnostics import Diagnostic, Rule
from calmap.source import Source, Span
from calmap.syntax import rules
from calmap.syntax.ast import (
    Constant,
    Entry,
    List,
    Number,
    SelectorCall,
    Set,
    String,
    Table,
    Tuple,
    Value,
)
from calmap.syntax.grammar import build
from calmap.syntax.guard import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_TOKENS,
    DepthError,
    DepthGuard,
    TooManyTokensError,
)
from calmap.syntax.literals import LiteralError, number_value, string_value

_ROW = re.compile(r"'([^'\\\r\n]*)'[ \t\f\r\n]*:[ \t\f\r\n]*'([^'\\\r\n]*)'")
_ATOM = re.compile(r"'([^'\\\r\n]*)'|(-?[0-9]+)(\.[0-9]*)?")


class Section(NamedTuple):
    """``name = value`` at the top level of a file."""

    name: str
    name_span: Span
    value: Value


@dataclass(frozen=True, slots=True)
class Parsed:
    """The sections of a file in the order they stand in it, or why there are none."""

    source: Source
    sections: tuple[Section, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


class _RefusedError(Exception):
    """Stops the parser at something it can't turn into a value."""

    def __init__(self, rule: Rule, span: Span, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.span = span
        self.message = message


def _start(token: Token) -> int:
    return token.start_pos or 0


def _end(token: Token) -> int:
    return (token.start_pos or 0) + len(token)


def _rows(token: Token) -> Iterator[Entry]:
    base = _start(token)
    for match in _ROW.finditer(token):
        start, end = match.span()
        key = String(base + start, base + match.end(1) + 1, match[1])
        value = String(base + match.start(2) - 1, base + end, match[2])
        yield Entry(base + start, base + end, key, value)


def _atoms(token: Token) -> Iterator[String | Number]:
    base = _start(token)
    for match in _ATOM.finditer(token):
        start, end = base + match.start(), base + match.end()
        text, integer, fraction = match.groups()
        if integer is None:
            yield String(start, end, text)
        elif fraction is None:
            yield Number(start, end, int(integer))
        else:
            yield Number(start, end, float(integer + fraction))


def _values(children: tuple[Any, ...]) -> tuple[Value, ...]:
    return tuple(child for child in children if not isinstance(child, Token))


@v_args(inline=True)
class _Lowering(Transformer[Token, Any]):
    """Turns the children of each grammar rule into an AST node."""

    def start(self, *children: Any) -> tuple[Section, ...]:
        return tuple(child for child in children if isinstance(child, Section))

    def section(self, name: Token, _equals: Token, value: Value, *_semicolon: Token) -> Section:
        return Section(str(name), Span(_start(name), _start(name) + len(name)), value)

    def string(self, *parts: Token) -> String:
        text = "".join([_literal(part, string_value) for part in parts])
        return String(_start(parts[0]), _end(parts[-1]), text)

    def number(self, *parts: Token) -> Number:
        digits = parts[-1]
        value = _literal(digits, lambda text: number_value(text, real=digits.type == "FLOAT"))
        return Number(_start(parts[0]), _end(digits), -value if len(parts) > 1 else value)

    def constant(self, token: Token) -> Constant:
        return Constant(_start(token), _end(token), {"True": True, "False": False, "None": None}[token])

    def plain_tuple(self, token: Token) -> Tuple:
        return Tuple(_start(token), _end(token), tuple(_atoms(token)))

    def group(self, opening: Token, value: Value, closing: Token) -> Value:
        return replace(value, start=_start(opening), end=_end(closing))

    def tuple(self, *children: Any) -> Tuple:
        return Tuple(_start(children[0]), _end(children[-1]), _values(children))

    def list(self, *children: Any) -> List:
        return List(_start(children[0]), _end(children[-1]), _values(children))

    def set(self, *children: Any) -> Set:
        return Set(_start(children[0]), _end(children[-1]), _values(children))

    def entry(self, key: Value, _colon: Token, value: Value) -> Entry:
        return Entry(key.start, value.end, key, value)

    def table(self, *children: Any) -> Table:
        entries: list[Entry] = []
        for child in children:
            if isinstance(child, Entry):
                entries.append(child)
            elif child.type == "ROWS":
                entries.extend(_rows(child))
        return Table(_start(children[0]), _end(children[-1]), tuple(entries))

    def selector(self, name: Token, opening: Token, *rest: Any) -> SelectorCall:
        table = next((child for child in rest if isinstance(child, Table)), None)
        at = _end(opening)
        name_span = Span(_start(name), _end(name))
        return SelectorCall(_start(name), _end(rest[-1]), str(name), name_span, table or Table(at, at, ()))


def _literal(token: Token, read: Callable[[str], Any]) -> Any:
    try:
        return read(str(token))
    except LiteralError as problem:
        start = (token.start_pos or 0) + problem.offset
        raise _RefusedError(rules.BAD_LITERAL, Span(start, _end(token)), str(problem)) from None


def parse(source: Source) -> Parsed:
    """Sections of a mapping file.

    Never raises for what the text holds: a file that can't be parsed gives no
    section and one finding.
    """
    try:
        if len(source.text) > MAX_CHARACTERS:
            raise _RefusedError(
                rules.TOO_LARGE, Span(0, 0), f"the file has more than {MAX_CHARACTERS:,} characters"
            )
        sections: Any = build("mapping.lark", _Lowering, DepthGuard).parse(source.text)
        return Parsed(source, sections)
    except UnexpectedInput as problem:
        return Parsed(source, (), (rules.unexpected(source, problem),))
    except VisitError as problem:
        return Parsed(source, (), (_refused(source, problem.orig_exc),))
    except DepthError as problem:
        deep = _RefusedError(rules.TOO_DEEP, problem.span, f"brackets are nested more than {MAX_DEPTH} deep")
        return Parsed(source, (), (_refused(source, deep),))
    except TooManyTokensError as problem:
        large = _RefusedError(rules.TOO_LARGE, problem.span, f"the file has more than {MAX_TOKENS:,} parts")
        return Parsed(source, (), (_refused(source, large),))
    except _RefusedError as problem:
        return Parsed(source, (), (_refused(source, problem),))


def _refused(source: Source, problem: BaseException) -> Diagnostic:
    if not isinstance(problem, _RefusedError):
        raise problem
    return Diagnostic(problem.rule, source, problem.span, problem.message)
