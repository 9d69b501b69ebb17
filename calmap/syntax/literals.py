"""Values of string and number literals, as the Python language reference (2.4, "Literals") defines them."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(
    r"\\(?:\r?\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|(?s:.))"
)
_SIMPLE = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f",
    "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
MAX_DIGITS = 3_000


class LiteralError(ValueError):
    """A literal that has no value; ``offset`` is counted from the literal's start."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


def string_value(literal: str) -> str:
    """Value of one string literal with its quotes and prefix.

    Raises
    ------
    LiteralError
        If it has an escape sequence that stands for no character.
    """
    body = literal.lstrip("uUrR")
    prefix = len(literal) - len(body)
    quotes = 3 if body[:3] in ("'''", '"""') else 1
    text = body[quotes:-quotes]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\\" not in text or literal[0] in "rR":
        return text
    start = prefix + quotes
    return _ESCAPE.sub(lambda match: _unescape(match, start), text)


def _unescape(match: re.Match[str], start: int) -> str:
    body = match[0][1:]
    kind = body[0]
    if kind in "\r\n":
        return ""
    if kind in _SIMPLE and len(body) == 1:
        return _SIMPLE[kind]
    try:
        if kind in "01234567":
            return chr(int(body, 8))
        if kind in "xuU" and len(body) > 1:
            return chr(int(body[1:], 16))
        if kind == "N" and len(body) > 1:
            return unicodedata.lookup(body[2:-1])
    except (KeyError, ValueError, OverflowError):
        kind = "x"
    if kind in "xuUN":
        raise LiteralError(f"\\{body} is no character", start + match.start())
    return match[0]


def number_value(literal: str, *, real: bool) -> int | float:
    """Value of a number literal without sign.

    Raises
    ------
    LiteralError
        If it has more digits than any sensible number.
    """
    if len(literal) > MAX_DIGITS:
        raise LiteralError(f"a number of more than {MAX_DIGITS} digits")
    return float(literal) if real else int(literal, 0)
