"""Plain values as the text of a mapping, and as people type them."""

from __future__ import annotations

import re

from calmap.errors import UsageError
from calmap.source import Source
from calmap.syntax.ast import Plain, plain
from calmap.syntax.parser import parse

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LITERAL = re.compile(r"\s*(?:[uUrR]?['\"]|[(\[{]|-?\.?\d|(?:True|False|None)\s*\Z)")
_NUMBER = re.compile(r"\s*-?\.?\d")


def quoted(text: str, quote: str = "'") -> str:
    """A string literal that means a text."""
    return quote + "".join(_character(char, quote) for char in text) + quote


def literal(value: Plain, quote: str = "'") -> str:
    """Text that means a plain value.

    Raises
    ------
    ValueError
        If it is a number that no literal means, such as infinity.
    """
    if isinstance(value, str):
        return quoted(value, quote)
    if isinstance(value, tuple):
        items = ", ".join(literal(item, quote) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k, quote)} : {literal(v, quote)}" for k, v in value.items()) + "}"
    if isinstance(value, float) and value - value != 0:
        raise ValueError(f"{value} can't be written in a mapping")
    return repr(value)


def value_of(text: str) -> Plain:
    """The value that a typed text means: a literal of the mapping language, or else the text as a string.

    Raises
    ------
    UsageError
        If it begins like a literal and is none.
    """
    if not _LITERAL.match(text):
        return text
    parsed = parse(Source("value", f"value = {text}"))
    if len(parsed.sections) != 1 or parsed.diagnostics:
        if _NUMBER.match(text):
            return text
        reason = parsed.diagnostics[0].message if parsed.diagnostics else "it is more than one value"
        hint = "put a text in quotes inside those of the shell"
        raise UsageError(f"the value {text} can't be read: {reason}", hint)
    try:
        return plain(parsed.sections[0].value)
    except TypeError as problem:
        raise UsageError(f"the value {text} can't be used: {problem}") from None


def _character(char: str, quote: str) -> str:
    if char == quote:
        return f"\\{quote}"
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
