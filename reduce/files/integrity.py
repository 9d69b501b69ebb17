"""Whether a file still has the data that it was written with; told while it is hashed, in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from reduce.errors import DataError
from reduce.files.checksums import folded, word_sum
from reduce.files.opening import UNPACKING_FAILED, damaged, packing_of, require_ordinary, unpacked
from reduce.files.structure import BLOCK, Hdu, next_hdu

_ALL_ONES: Final = 0xFFFFFFFF
_AT_ONCE: Final = 1 << 21


def checked_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal, after a look at the checksums of its data.

    DATASUM (FITS standard 4.0, section 4.4.2.7) is compared with the data of each HDU that has it. A file
    that is not FITS is hashed alone.

    Raises
    ------
    DataError
        If it can't be read, if it is packed and damaged or cut off, or if its data are not those that a
        checksum was written for.
    """
    require_ordinary(path)
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            packing = packing_of(stream.read(BLOCK))
            stream.seek(0)
            if packing is None:
                _check(path, _Read(stream, digest.update))
                return digest.hexdigest()
            digest = hashlib.file_digest(stream, "sha256")
    except OSError as problem:
        raise DataError(f"{path} can't be read: {problem.strerror or problem}") from problem
    try:
        with unpacked(path, packing) as contents:
            _check(path, _Read(contents))
    except UNPACKING_FAILED as problem:
        raise damaged(path, problem) from problem
    return digest.hexdigest()


class _Read:
    """A stream that is read once, from its beginning to its end, and what is told of each piece."""

    def __init__(self, stream: IO[bytes], told: Callable[[bytes], None] | None = None) -> None:
        self._stream = stream
        self._told = told

    def read(self, size: int) -> bytes:
        """The next bytes, as many as there are."""
        data = self._stream.read(size)
        if self._told is not None:
            self._told(data)
        return data


def _check(path: Path, stream: _Read) -> None:
    """Read all of a stream, and compare the checksums in it."""
    number = 0
    while True:
        try:
            hdu = next_hdu(path, stream)
        except DataError:
            hdu = None
        if hdu is None:
            break
        _compare(path, stream, hdu, number)
        number += 1
    while stream.read(_AT_ONCE):
        pass


def _compare(path: Path, stream: _Read, hdu: Hdu, number: int) -> None:
    """Read the data of an HDU, and compare their checksum."""
    rest, total = -(-hdu.size // BLOCK) * BLOCK, 0
    while rest:
        data = stream.read(min(rest, _AT_ONCE))
        if not data:
            return
        rest -= len(data)
        if hdu.datasum is not None:
            total += word_sum(data)
    if hdu.datasum is not None and folded(total) % _ALL_ONES != hdu.datasum % _ALL_ONES:
        what = hdu.name or f"HDU {number}"
        raise DataError(
            f"{path}: the data of {what} have changed since the checksum was written", "get the file again"
        )
