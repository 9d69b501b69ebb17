"""The CHECKSUM keyword of FITS files (FITS standard 4.0, section 4.4.2.7 and appendix J)."""

from __future__ import annotations

from typing import Final

_ALL_ONES: Final = 0xFFFFFFFF
_PUNCTUATION: Final = frozenset(b":;<=>?@[\\]^_`")
ZERO: Final = "0" * 16


def ones_complement_sum(data: bytes, start: int = 0) -> int:
    """The 32-bit ones'-complement sum of big-endian words; the length is a multiple of four."""
    words = memoryview(data).cast("B")
    total = start + sum(int.from_bytes(words[i : i + 4], "big") for i in range(0, len(data), 4))
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def encoded(total: int) -> str:
    """The 16 characters whose sum is the complement of a total, all letters or digits."""
    value = _ALL_ONES - total
    columns = [_four_characters(byte) for byte in value.to_bytes(4, "big")]
    text = bytes(column[row] for row in range(4) for column in columns)
    return (text[-1:] + text[:-1]).decode("ascii")


def _four_characters(byte: int) -> list[int]:
    """Four characters at or above ``0`` that add up to a byte and four zeros."""
    quotient, rest = divmod(byte, 4)
    chars = [quotient + 48 + rest, quotient + 48, quotient + 48, quotient + 48]
    while any(char in _PUNCTUATION for char in chars):
        for one in (0, 2):
            if chars[one] in _PUNCTUATION or chars[one + 1] in _PUNCTUATION:
                chars[one] += 1
                chars[one + 1] -= 1
    return chars
