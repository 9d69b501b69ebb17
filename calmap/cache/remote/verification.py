"""Is a file what it ought to be."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from calmap.cache.remote.trouble import DamagedError
from calmap.model.checksum import checksum
from calmap.model.mapping import parse_mapping
from calmap.model.names import mapping_kind

_SHOWN: Final = 12
_KEY: Final = "sha1sum"
_BLOCK: Final = 2880
_PAGES: Final = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<error")
_BEGINNINGS: Final = (
    (".fits", (b"SIMPLE  =",)),
    (".fits.gz", (b"\x1f\x8b",)),
    (".asdf", (b"#ASDF",)),
)


class Proof(StrEnum):
    """What shows that a file is right; some are digests."""

    SHA256 = "SHA256SUMS"
    SHA1 = "its own sha1sum"
    MD5 = "MD5 of the bucket"
    FITS = "its own CHECKSUM"
    SIZE = "its length"
    NONE = "nothing"

    @property
    def is_digest(self) -> bool:
        """True if no damage could go unseen."""
        return self in (Proof.SHA256, Proof.SHA1, Proof.MD5)


class Expected(NamedTuple):
    """What is known of a file beforehand."""

    sha256: str | None = None
    md5: str | None = None
    size: int | None = None


def verify(path: Path, name: str, expected: Expected) -> Proof:
    """What shows that a file is right.

    Parameters
    ----------
    path
        The file.
    name
        Name of the file that it is, or shall become.
    expected
        What it must be.

    Raises
    ------
    DamagedError
        If it is anything else.
    OSError
        If it can't be read.
    """
    size = path.stat().st_size
    if expected.size is not None and size != expected.size:
        raise DamagedError(f"{name} has {size:,} bytes", f"{expected.size:,} bytes were expected")
    if expected.sha256 is not None:
        _require("SHA-256", _hash(path, "sha256"), expected.sha256, name)
        return Proof.SHA256
    if mapping_kind(name) and _require_own(path, name):
        return Proof.SHA1
    if expected.md5 is not None:
        _require("MD5", _hash(path, "md5"), expected.md5, name)
        return Proof.MD5
    _require_kind(path, name)
    return Proof.NONE if expected.size is None else Proof.SIZE


def _require(kind: str, found: str, expected: str, name: str) -> None:
    if found != expected:
        raise DamagedError(f"{name} has the {kind} {found[:_SHOWN]}…", f"{expected[:_SHOWN]}… was expected")


def _hash(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        if kind == "md5":
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        return hashlib.file_digest(file, kind).hexdigest()


def _require_own(path: Path, name: str) -> bool:
    """See that a mapping has the checksum that it records; False if it records none."""
    data = path.read_bytes()
    text = data.decode("utf-8", errors="replace")
    found = checksum(text)
    if any(found in line for line in text.splitlines() if _KEY in line):
        return True
    mapping = parse_mapping(Path(name), data)
    if mapping.file is None:
        raise DamagedError(f"{name} is no mapping: {mapping.diagnostics[0].message}")
    recorded = mapping.recorded_checksum
    if recorded:
        _require("SHA-1", found, recorded.lower(), name)
    return False


def _require_kind(path: Path, name: str) -> None:
    """See that a file begins as its name says, and is no page that tells of an error."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.lstrip()[:9].lower().startswith(_PAGES) and not name.lower().endswith((".html", ".htm", ".xml")):
        raise DamagedError(f"{name} is a page of a server", "is the URL right, and need one log in there?")
    for suffix, beginnings in _BEGINNINGS:
        if name.lower().endswith(suffix) and not head.lstrip().startswith(beginnings):
            raise DamagedError(f"{name} begins with {head[:16]!r}", f"no {suffix} file begins like this")
    size = path.stat().st_size
    if name.lower().endswith(".fits") and size % _BLOCK:
        raise DamagedError(f"{name} has {size:,} bytes", f"a FITS file has a multiple of {_BLOCK:,}")
