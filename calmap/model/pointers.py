"""Git-LFS pointers: what stands in a checkout for a file that was not fetched."""

from __future__ import annotations

from pathlib import Path

LFS_MARK = b"version https://git-lfs.github.com/spec/"
_MAX_POINTER = 1024


def is_lfs_pointer(path: Path) -> bool:
    """True if a file is only the pointer that Git LFS keeps for it; False if it can't be read."""
    try:
        if path.stat().st_size > _MAX_POINTER:
            return False
        with path.open("rb") as file:
            return file.read(len(LFS_MARK)) == LFS_MARK
    except OSError:
        return False
