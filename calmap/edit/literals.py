"""Values as the text of a mapping."""

from __future__ import annotations

from calmap.syntax.ast import Plain

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


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


def _character(char: str, quote: str) -> str:
    if char == quote:
        return f"\\{quote}"
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
