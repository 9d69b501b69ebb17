"""The bytes of mapping files."""

from __future__ import annotations

from pathlib import Path

from calmap.errors import CacheError, NotInCacheError
from calmap.syntax.guard import MAX_CHARACTERS

MAX_BYTES = 4 * MAX_CHARACTERS


def read_bytes(path: Path) -> bytes:
    """Bytes of a file, no more than a mapping may have.

    Raises
    ------
    NotInCacheError
        If there is no such file.
    CacheError
        If it can't be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise CacheError(f"{path} is not an ordinary file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotInCacheError(f"{path} does not exist") from None
    except OSError as error:
        raise CacheError(f"{path} can't be read: {error.strerror or error}") from error
