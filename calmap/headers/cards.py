"""Cards of FITS headers: keyword and value of each, as text.

Reads what ordinary headers have, by the FITS standard 4.0, sections 4.1 and 4.2,
with the conventions for long strings and HIERARCH keywords. Anything else
raises `OddCardError`, and astropy gets to read that header.
"""

from __future__ import annotations

import re
from typing import Final

CARD: Final = 80
_KEYWORD: Final = re.compile(r"[A-Z0-9_-]{1,8} *\Z")
_STRING: Final = r"'((?:[^']|'')*)'"
_REAL: Final = r"[+-]?(?:\.\d+|\d+\.?\d*)(?:[EDed][+-]?\d+)?"
_COMMENT: Final = r" *(?:/.*)?\Z"
_VALUE: Final = re.compile(rf" *(?:{_STRING}|([TF])|([+-]?\d+)(?![.\dEDed])|({_REAL}))?{_COMMENT}", re.ASCII)
_LONG_STRING: Final = re.compile(rf" *{_STRING}{_COMMENT}", re.ASCII)
_RECORD: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*: +[+-]?[\d.]", re.ASCII)
_COMMENTARY: Final = frozenset({"COMMENT ", "HISTORY ", "        "})


class OddCardError(Exception):
    """A card that isn't ordinary."""


def card_values(text: str) -> list[tuple[str, str]]:
    """Keywords and values of the cards of a header, up to its END.

    Values are what ``str`` makes of the values that astropy gives. Keywords
    without a value, and blank ones, are left out.

    Raises
    ------
    OddCardError
        If a card isn't ordinary.
    """
    values: list[tuple[str, str]] = []
    offset, end = 0, len(text)
    while offset < end:
        card = text[offset : offset + CARD]
        offset += CARD
        name = card[:8]
        if name in _COMMENTARY:
            if name != "        ":
                values.append((name.rstrip(), card[8:].rstrip()))
            continue
        keyword, field = _split(card)
        if not keyword:
            break
        match = _VALUE.match(field)
        if match is None:
            raise OddCardError(card)
        string = match[1]
        if string is not None and text.startswith("CONTINUE", offset):
            string, offset = _continued(string, text, offset)
        value = _text_value(match) if string is None else _unquoted(string)
        if value is not None:
            values.append((keyword, value))
    return values


def is_end(card: bytes) -> bool:
    """True if a card ends its header."""
    return card[:8].rstrip() == b"END" and card[8:10] != b"= "


def _split(card: str) -> tuple[str, str]:
    """Keyword and value field of a card; no keyword for END."""
    if card[8:10] == "= ":
        if _KEYWORD.match(card[:8]):
            return card[:8].rstrip(), card[10:]
    elif card.startswith("HIERARCH ") and "=" in card:
        keyword, _, field = card[9:].partition("=")
        if keyword.strip() and keyword.isprintable():
            return keyword.strip().upper(), field
    elif card[:8].rstrip() == "END":
        return "", ""
    raise OddCardError(card)


def _unquoted(string: str) -> str:
    if ": " in string and _RECORD.match(string):
        raise OddCardError(string)
    return string.replace("''", "'").rstrip()


def _text_value(match: re.Match[str]) -> str | None:
    """Text of a value that isn't a string; None if there is none."""
    _, logical, integer, real = match.groups()
    if logical:
        return "True" if logical == "T" else "False"
    if integer:
        return str(int(integer))
    return str(float(real.replace("D", "E").replace("d", "e"))) if real else None


def _continued(string: str, text: str, offset: int) -> tuple[str, int]:
    """A string with its continuation cards, and where the next card starts."""
    parts = [_without_mark(string)]
    while text.startswith("CONTINUE", offset):
        match = _LONG_STRING.match(text[offset + 8 : offset + CARD])
        if match is None:
            raise OddCardError(text[offset : offset + CARD])
        parts.append(_without_mark(match[1]))
        offset += CARD
    return "".join(parts), offset


def _without_mark(string: str) -> str:
    return string.rstrip().removesuffix("&")
