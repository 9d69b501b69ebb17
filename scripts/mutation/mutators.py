"""Ways of damaging the text of a mapping, each decided by a random generator alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeAlias

from mutation.fragments import BRACKETS, NUMBERS, TOKENS, VALUES

Mutator: TypeAlias = Callable[[bytes, Random], bytes]

MAX_BYTES = 1_500_000
_TOKEN = re.compile(rb"'[^'\n]*'|\"[^\"\n]*\"|\w+|[^\s\w]|\s+")
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")
_STRING = re.compile(rb"'[^'\n]*'")


def mutate(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """A damaged copy; ``others`` are texts to borrow from."""
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        if rng.random() < 0.08:
            data = _spliced(data, rng.choice(others), rng)
        else:
            data = MUTATORS[rng.choice(_NAMES)](data, rng)
        data = data[:MAX_BYTES]
    return data


def _at(data: bytes, rng: Random) -> int:
    return rng.randrange(len(data) + 1)


def _part(data: bytes, rng: Random) -> tuple[int, int]:
    """Start and end of some part, more often a short one."""
    start = _at(data, rng)
    return start, min(len(data), start + int(len(data) ** rng.random()))


def flip_bytes(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20)) if changed else 0):
        place = rng.randrange(len(changed))
        changed[place] = rng.choice((changed[place] ^ (1 << rng.randrange(8)), rng.randrange(256)))
    return bytes(changed)


def swap_tokens(data: bytes, rng: Random) -> bytes:
    tokens = _TOKEN.findall(data)
    for _ in range(rng.choice((1, 1, 3, 10)) if tokens else 0):
        one, two = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        tokens[one], tokens[two] = tokens[two], tokens[one]
    return b"".join(tokens)


def swap_strings(data: bytes, rng: Random) -> bytes:
    strings = [match.span() for match in _STRING.finditer(data)]
    if len(strings) < 2:
        return data
    (a, b), (c, d) = sorted(rng.sample(strings, 2))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def truncate(data: bytes, rng: Random) -> bytes:
    start, end = _part(data, rng)
    return rng.choice((data[:start], data[start:], data[:start] + data[end:]))


def insert_tokens(data: bytes, rng: Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = _at(data, rng)
        data = data[:place] + rng.choice(TOKENS) * rng.choice((1, 1, 1, 2)) + data[place:]
    return data


def repeat_part(data: bytes, rng: Random) -> bytes:
    start, end = _part(data, rng)
    times = max(1, min(rng.choice((1, 2, 10, 1000)), MAX_BYTES // (end - start + 1)))
    return data[:end] + data[start:end] * times + data[end:]


def repeat_line(data: bytes, rng: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    place = rng.randrange(len(lines))
    size = rng.choice((1, 1, 2, 5, 20))
    block = lines[place : place + size]
    return b"".join([*lines[: place + size], *block * rng.choice((1, 2, 30)), *lines[place + size :]])


def nest_deeply(data: bytes, rng: Random) -> bytes:
    opening, closing = rng.choice(BRACKETS)
    depth = rng.choice((5, 39, 41, 100, 3000, 20000))
    strings = list(_STRING.finditer(data))
    start, end = rng.choice(strings).span() if strings and rng.random() < 0.8 else _part(data, rng)
    middle = opening * depth + data[start:end] + closing * (depth if rng.random() < 0.7 else depth - 1)
    return data[:start] + middle + data[end:]


def grow_number(data: bytes, rng: Random) -> bytes:
    numbers = list(_NUMBER.finditer(data))
    huge = rng.choice(NUMBERS)
    start, end = rng.choice(numbers).span() if numbers else (0, 0)
    return data[:start] + huge + data[end:]


def lengthen_line(data: bytes, rng: Random) -> bytes:
    place = _at(data, rng)
    return (
        data[:place]
        + rng.choice((b"x", b" ", b"'", b"#", b"('", b"|", b"\\", b"9")) * rng.choice((3000, 100_000))
        + data[place:]
    )


def replace_string(data: bytes, rng: Random) -> bytes:
    strings = list(_STRING.finditer(data))
    for _ in range(rng.choice((1, 2, 4)) if strings else 0):
        strings = list(_STRING.finditer(data))
        if not strings:
            break
        start, end = rng.choice(strings).span()
        data = data[: start + 1] + rng.choice(VALUES).replace(b"'", b"\\'") + data[end - 1 :]
    return data


def change_line_ends(data: bytes, rng: Random) -> bytes:
    return data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"")))


MUTATORS: Mapping[str, Mutator] = {
    mutator.__name__: mutator
    for mutator in (
        *(flip_bytes, swap_tokens, swap_strings, truncate, insert_tokens, repeat_part, repeat_line),
        *(nest_deeply, grow_number, lengthen_line, replace_string, change_line_ends),
    )
}
_NAMES = (*MUTATORS, *("replace_string", "swap_strings", "repeat_line") * 3, "grow_number")


def _spliced(data: bytes, other: bytes, rng: Random) -> bytes:
    place = _at(data, rng)
    start, end = _part(other, rng)
    return data[:place] + other[start:end] + data[place:]
