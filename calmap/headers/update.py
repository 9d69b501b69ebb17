"""Writing keywords into the primary header of a FITS file, all or nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from calmap.cache.store import write_atomically
from calmap.errors import CacheError, FileChangedError, HeaderError
from calmap.headers.checksum import ZERO, encoded, ones_complement_sum
from calmap.headers.fitsfile import primary_header
from calmap.headers.input import open_file

if TYPE_CHECKING:
    from astropy.io.fits import Header

_CHUNK: Final = 2**20
_KEYWORD: Final = re.compile(r"[A-Z0-9_-]{1,8}\Z")
_STRUCTURE: Final = re.compile(
    r"(SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS|EXTEND|END|CONTINUE|COMMENT|HISTORY|HIERARCH)\Z"
)


def update_header(path: Path, updates: Mapping[str, str]) -> None:
    """Write keywords into the primary header of a FITS file.

    The new file is written beside the old one and then takes its place, so that
    a failure leaves the old one as it was. Data, other HDUs, cards that aren't
    named and the permissions stay as they are; a CHECKSUM is brought up to date.

    Raises
    ------
    HeaderError
        If the file can't be updated.
    FileChangedError
        If the file was changed by somebody else in the meantime.
    """
    _check(path, updates)
    if not updates:
        return
    with open_file(path) as stream:
        before = os.fstat(stream.fileno())
        old = primary_header(path, stream)
        header = _updated(path, old, updates)
        stream.seek(len(old))
        try:
            write_atomically(path, _chunks(header, stream), guard=partial(_refuse_if_changed, path, before))
        except FileChangedError:
            raise
        except CacheError as problem:
            raise HeaderError(problem.message, problem.hint) from problem


def _check(path: Path, updates: Mapping[str, str]) -> None:
    if path.is_symlink():
        raise HeaderError(f"{path} is a symbolic link", hint=f"update {path.resolve()} itself")
    for keyword, value in updates.items():
        if not _KEYWORD.match(keyword) or _STRUCTURE.match(keyword):
            raise HeaderError(f"{keyword!r} is no keyword that can be written into {path}")
        if not (value.isascii() and (value.isprintable() or not value)):
            raise HeaderError(f"{keyword}={value!r} can't be written: a FITS header holds printable ASCII")
    if path.exists() and not os.access(path, os.W_OK):
        raise HeaderError(f"{path} is read-only")


def _updated(path: Path, old: bytes, updates: Mapping[str, str]) -> bytes:
    import warnings

    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = fits.Header.fromstring(old)
            for keyword, value in updates.items():
                header[keyword] = value
            return _with_checksum(header)
        except Exception as error:  # whatever astropy makes of a damaged header
            raise HeaderError(f"{path}: the header can't be updated: {error}") from None


def _with_checksum(header: Header) -> bytes:
    """Bytes of a header; its CHECKSUM is made right, or dropped where there is no DATASUM to go by."""
    if "CHECKSUM" in header:
        datasum = str(header.get("DATASUM", "")).strip()
        if datasum.isdigit():
            header["CHECKSUM"] = ZERO
            header["CHECKSUM"] = encoded(ones_complement_sum(_bytes(header), int(datasum)))
        else:
            del header["CHECKSUM"]
    return _bytes(header)


def _bytes(header: Header) -> bytes:
    data: bytes = header.tostring(sep="", endcard=True, padding=True).encode("ascii")
    return data


def _chunks(header: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    yield header
    while data := rest.read(_CHUNK):
        yield data


def _refuse_if_changed(path: Path, before: os.stat_result) -> None:
    now = path.stat()
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
        raise FileChangedError(f"{path} was changed by somebody else", hint="try again")
