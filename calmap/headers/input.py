"""Bytes of a file read from its beginning onwards, compressed or not, never more than needed."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from calmap.errors import HeaderError
from calmap.model.pointers import LFS_MARK

MAX_INFLATED: Final = 2**30
"""Bytes that a compressed file may have when decompressed."""

_CHUNK: Final = 2**20
_REFUSED: Final = {
    b"\x1f\x9d": "compressed with 'compress'",
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\xfd7zXZ\x00": "compressed with xz",
}


class ByteInput:
    """A stream that can be read and skipped.

    Parameters
    ----------
    path
        For messages.
    stream
        Where the bytes come from.
    size
        Length of the file, or None if it is compressed.
    """

    __slots__ = ("_path", "_position", "_size", "_stream")

    def __init__(self, path: Path, stream: IO[bytes], size: int | None) -> None:
        self._path = path
        self._stream = stream
        self._size = size
        self._position = 0

    def read(self, count: int) -> bytes:
        """The next bytes; fewer at the end.

        Raises
        ------
        HeaderError
            If the file is damaged, or too large when decompressed.
        """
        try:
            data = self._stream.read(count)
        except (EOFError, zlib.error, OSError) as error:
            raise HeaderError(f"{self._path}: damaged or cut off: {error}") from None
        self._position += len(data)
        if self._size is None and self._position > MAX_INFLATED:
            raise HeaderError(
                f"{self._path} has more than {MAX_INFLATED // 2**20} MiB when decompressed",
                hint="decompress the file first",
            )
        return data

    def skip(self, count: int) -> bool:
        """Pass over bytes; False if the file ends before.

        Raises
        ------
        HeaderError
            If the file is too large when decompressed.
        """
        if self._size is not None:
            if self._position + count > self._size:
                return False
            self._position = self._stream.seek(self._position + count)
            return True
        while count:
            try:
                data = self.read(min(count, _CHUNK))
            except HeaderError:
                if self._position > MAX_INFLATED:
                    raise
                return False
            if not data:
                return False
            count -= len(data)
        return True


@contextmanager
def open_bytes(path: Path) -> Iterator[ByteInput]:
    """Open a file for reading, decompressing gzip and bzip2 on the way.

    Raises
    ------
    HeaderError
        If there is no such file, or it is of a kind that holds no header.
    """
    with open_file(path) as raw:
        magic = raw.read(6)
        raw.seek(0)
        for prefix, kind in _REFUSED.items():
            if magic.startswith(prefix):
                raise HeaderError(f"{path} is {kind}", hint="decompress it first")
        stream: IO[bytes] | None = None
        if magic.startswith(b"\x1f\x8b"):
            import gzip

            stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw))
        elif magic.startswith(b"BZh"):
            import bz2

            stream = bz2.BZ2File(raw)
        size = os.fstat(raw.fileno()).st_size if stream is None else None
        yield ByteInput(path, stream or raw, size)


@contextmanager
def open_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file; anything else could block or never end.

    Raises
    ------
    HeaderError
        If it can't be opened, or is an empty file or a Git-LFS pointer.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
            raise HeaderError(f"{path} is {kind}", hint="name a file")
        stream = path.open("rb")
    except FileNotFoundError:
        raise HeaderError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        raise HeaderError(f"{path} can't be opened: {getattr(error, 'strerror', None) or error}") from None
    with stream:
        head = stream.read(len(LFS_MARK))
        if not head:
            raise HeaderError(f"{path} is empty")
        if head == LFS_MARK:
            raise HeaderError(f"{path} is only a Git-LFS pointer", hint="run 'git lfs pull'")
        stream.seek(0)
        yield stream
