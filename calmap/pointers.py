"""Git-LFS pointers: small texts that stand for files whose content is yet to be fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Final

LFS_MARK: Final = b"version https://git-lfs.github.com/spec/"
"""What every pointer begins with."""


def is_pointer(path: Path) -> bool:
    """True if a file is a Git-LFS pointer; looks at its first bytes only.

    Raises
    ------
    OSError
        If the file can't be read.
    """
    with path.open("rb") as file:
        return file.read(len(LFS_MARK)) == LFS_MARK
