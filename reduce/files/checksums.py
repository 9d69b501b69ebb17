"""CHECKSUM and DATASUM of an HDU (FITS standard 4.0, section 4.4.2.7 and appendix J)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_ALL_ONES: Final = 0xFFFFFFFF
_PUNCTUATION: Final = frozenset(b":;<=>?@[\\]^_`")


def folded(total: int) -> int:
    """A sum of 32-bit words with its carries added again, which is the ones'-complement sum."""
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def word_sum(data: bytes) -> int:
    """Sum of the big-endian 32-bit words of some bytes, filled up with zeros."""
    padded = data + bytes(-len(data) % 4)
    return int(np.frombuffer(padded, dtype=">u4").sum(dtype=np.uint64))


def array_sum(array: NDArray[Any]) -> int:
    """Sum of the words that an array with the machine's byte order has when it is stored big-endian.

    The bytes of a number that is a word, or two, need not be swapped for this.
    """
    size = array.dtype.itemsize
    flat = array.reshape(-1)
    if size in (4, 8):
        return int(flat.view(np.uint32).sum(dtype=np.uint64))
    if size == 2 and flat.size % 2 == 0:
        pairs = flat.view(np.uint16).reshape(-1, 2)
        high, low = pairs.sum(axis=0, dtype=np.uint64)
        return (int(high) << 16) + int(low)
    return word_sum(flat.astype(array.dtype.newbyteorder(">")).tobytes())


def encoded(total: int) -> str:
    """The 16 characters that make the sum of an HDU all ones, given its sum with zeros in their place."""
    value = _ALL_ONES - total
    columns = [_four_characters(byte) for byte in value.to_bytes(4, "big")]
    text = bytes(column[row] for row in range(4) for column in columns)
    return (text[-1:] + text[:-1]).decode("ascii")


def _four_characters(byte: int) -> list[int]:
    """Four letters or digits that add up to a byte and four zeros."""
    quotient, rest = divmod(byte, 4)
    characters = [quotient + 48 + rest, quotient + 48, quotient + 48, quotient + 48]
    while any(character in _PUNCTUATION for character in characters):
        for one in (0, 2):
            if characters[one] in _PUNCTUATION or characters[one + 1] in _PUNCTUATION:
                characters[one] += 1
                characters[one + 1] -= 1
    return characters
