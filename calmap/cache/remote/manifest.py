"""The list of a cache's files with their SHA-256, as ``sha256sum`` writes it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from calmap.cache.store import write_atomically, writing
from calmap.errors import CacheError
from calmap.model.names import is_safe

FILE_NAME: Final = "SHA256SUMS"
TOPS: Final = ("config", "mappings", "references")
MAX_BYTES: Final = 500_000_000
_LINE: Final = re.compile(r"(?P<digest>[0-9a-fA-F]{64}) [ *](?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files of a cache and their SHA-256.

    Parameters
    ----------
    digests
        Hexadecimal SHA-256 by place, such as ``mappings/hst/hst_0729.pmap``.
    """

    digests: Mapping[str, str]

    def names(self, folder: str) -> frozenset[str]:
        """Names of the files that are right in a folder."""
        lead = f"{folder}/"
        inside = (place[len(lead) :] for place in self.digests if place.startswith(lead))
        return frozenset(name for name in inside if "/" not in name)

    def folders(self, folder: str) -> frozenset[str]:
        """Names of the folders in a folder."""
        lead = f"{folder}/"
        inside = (place[len(lead) :] for place in self.digests if place.startswith(lead))
        return frozenset(name.partition("/")[0] for name in inside if "/" in name)


def parse_manifest(data: bytes, where: str) -> Manifest:
    """The list that a file holds; lines of files that no cache has are passed over.

    Parameters
    ----------
    where
        The file as it is shown.

    Raises
    ------
    CacheError
        If it is something else.
    """
    digests: dict[str, str] = {}
    text = data.decode("utf-8", errors="surrogateescape")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(("#", "\\")):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            message = f"{where}:{number}: this is no line of a list of checksums"
            raise CacheError(
                message, "a SHA-256, two blanks and a path were expected, as sha256sum writes them"
            )
        place = match["path"].removeprefix("./")
        digest = match["digest"].lower()
        if not is_place(place):
            continue
        if digests.setdefault(place, digest) != digest:
            raise CacheError(f"{where}:{number}: {place} has two checksums", "write the list anew")
    return Manifest(MappingProxyType(digests))


def is_place(place: str) -> bool:
    """True for a path below the root of a cache that leads nowhere else."""
    first, *rest = place.split("/")
    return first in TOPS and bool(rest) and all(map(is_safe, rest))


def cache_places(root: Path) -> Iterator[str]:
    """Places of a cache's files on disk, in alphabetical order; linked folders and hidden files don't count.

    Raises
    ------
    CacheError
        If a folder can't be read.
    """
    for top in TOPS:
        folder = root / top
        with writing(folder, "read"):
            if folder.is_dir():
                yield from _below(folder, top)


def _below(folder: Path, lead: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted((entry for entry in entries if is_safe(entry.name)), key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), f"{lead}/{entry.name}")
        elif entry.is_file():
            yield f"{lead}/{entry.name}"


def write_manifest(root: Path, places: Iterable[str]) -> int:
    """Write the list of some files of a cache at its root; the number of files.

    Raises
    ------
    CacheError
        If a file can't be read, or the list can't be written; the old one is then still there.
    """
    lines = []
    for place in places:
        path = root / place
        with writing(path, "read"), path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {place}\n")
    write_atomically(root / FILE_NAME, "".join(lines).encode())
    return len(lines)
