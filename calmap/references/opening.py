"""FITS files opened with astropy: no warnings and no tracebacks, whatever the headers say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from calmap.errors import CalmapError, HeaderError
from calmap.headers.fitsfile import read_fits
from calmap.headers.input import open_bytes, open_file
from calmap.references.fitsfile import FitsFile, first_line
from calmap.references.hdu import (
    column_type,
    image_type,
    is_compressed,
    item_size,
    kind_of,
    table_rows,
)

_CHUNK: Final = 2**20
_MAX_AXES: Final = 999
_COMPRESSED: Final = (b"\x1f\x8b", b"BZh")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what astropy and numpy would say to themselves."""
    import warnings

    import numpy as np
    from astropy import log

    level = log.level
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        log.setLevel("CRITICAL")
        try:
            yield
        finally:
            log.setLevel(level)


def is_fits(path: Path) -> bool:
    """True if a file begins as a FITS file does, compressed or not.

    Raises
    ------
    HeaderError
        If the file can't be read.
    """
    with open_file(path) as stream:
        return stream.read(9).startswith((b"SIMPLE  =", *_COMPRESSED))


@contextmanager
def open_fits(path: Path, *, raw: bool = False) -> Iterator[FitsFile]:
    """Open a FITS file for reading.

    Parameters
    ----------
    path
        The file, which may be compressed with gzip or bzip2.
    raw
        Show compressed images as the tables that they are stored in.

    Raises
    ------
    HeaderError
        If it is not readable as FITS.
    """
    length = _length(path)
    read_fits(path)
    with quiet():
        if not raw:
            with _opened(path, length, raw=True):
                pass
        with _opened(path, length, raw=raw) as file:
            yield file


@contextmanager
def _opened(path: Path, length: int, *, raw: bool) -> Iterator[FitsFile]:
    """A file of which all headers were found usable."""
    from astropy.io import fits

    hdus = None
    stream = path.open("rb")
    try:
        hdus = fits.open(stream, mode="readonly", disable_image_compression=raw)
        for index in range(len(hdus)):
            _check(path, hdus[index], index, length)
        yield FitsFile(path, hdus, length)
    except CalmapError:
        raise
    except Exception as error:
        if not _is_of_astropy(error):
            raise
        hint = "the file is damaged"
        raise HeaderError(f"{path}: not readable as FITS: {first_line(error)}", hint) from None
    finally:
        if hdus is not None:
            with suppress(Exception):
                hdus.close()
        stream.close()


def _check(path: Path, hdu: Any, index: int, length: int) -> None:
    """Refuse headers that would keep astropy busy for ages, or that say nothing useful of the data."""
    if not hasattr(hdu, "fileinfo"):
        raise HeaderError(f"{path}: HDU {index} can't be read", hint="the file is damaged")
    for keyword in ("NAXIS", "ZNAXIS", "TFIELDS"):
        value = hdu.header.get(keyword, 0)
        if type(value) is not int or not 0 <= value <= _MAX_AXES:
            raise HeaderError(f"{path}: HDU {index} has {keyword}={value!r}", hint="the file is damaged")
    if is_compressed(hdu) and any(type(axis) is not int or axis < 1 for axis in hdu.shape):
        raise HeaderError(
            f"{path}: HDU {index} is an image of an impossible shape", hint="the file is damaged"
        )
    kind = kind_of(hdu)
    if kind == "image":
        _ = image_type(hdu), item_size(hdu)
    elif kind == "table":
        _ = [(str(column.name), column_type(column)) for column in hdu.columns]
        if table_rows(hdu) > length:
            raise HeaderError(f"{path}: HDU {index} has more rows than bytes", hint="the file is damaged")


def _is_of_astropy(error: BaseException) -> bool:
    """True if an error was raised in astropy, or is for lack of memory."""
    frame = error.__traceback__
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__", "")).startswith("astropy."):
            return True
        frame = frame.tb_next
    return isinstance(error, MemoryError)


def _length(path: Path) -> int:
    """Bytes of a file when decompressed."""
    with open_file(path) as stream:
        head = stream.read(9)
        if head.startswith(b"SIMPLE  ="):
            return os.fstat(stream.fileno()).st_size
    with open_bytes(path) as inflated:
        data = inflated.read(_CHUNK)
        if not data.startswith(b"SIMPLE  ="):
            raise HeaderError(f"{path} is not a FITS file", hint="it should begin with the keyword SIMPLE")
        length = 0
        while data:
            length += len(data)
            data = inflated.read(_CHUNK)
    return length
