"""What is in a FITS file: its headers, and where its images are."""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Rows
from reduce.errors import DataError
from reduce.files.cards import without_structure
from reduce.files.layouts import NOT_PLANES, VARIANCE
from reduce.files.opening import packing_of, require_ordinary, require_unpackable
from reduce.files.sections import FileRows, Scaled
from reduce.files.structure import CUT_OFF, DAMAGED, require_whole

if TYPE_CHECKING:
    from astropy.io.fits import Header

_BLOCK = 2880
_MAGIC = b"SIMPLE  ="
_MISREAD = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError),
    *(zlib.error, AssertionError, RuntimeError),
)
_ENDS = (OSError, EOFError, zlib.error)
_DAMAGE = ("truncated", "Error validating header", "END card", "corrupt", "Unexpected bytes")
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_UNSIGNED = {16: 2**15, 32: 2**31, 64: 2**63}


@dataclass(frozen=True, slots=True)
class Extension:
    """One HDU.

    Parameters
    ----------
    name
        EXTNAME in upper case; ``PRIMARY`` for the first HDU.
    header
        Its cards, without those that describe how the data are stored.
    rows
        Its image, or None without.
    table
        A binary table as a structured array, or None without.
    """

    name: str
    header: Header
    rows: Rows | None = None
    table: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """All HDUs of a file, in order."""

    path: Path
    extensions: tuple[Extension, ...]

    def find(self, *names: str) -> Extension | None:
        """The first extension with one of some names, the first name before the others; None without."""
        for name in names:
            for extension in self.extensions:
                if extension.name == name.upper():
                    return extension
        return None

    def image(self, *names: str) -> Rows | None:
        """The first image of some names, or None."""
        extension = self.find(*names)
        return None if extension is None else extension.rows

    def table(self, name: str) -> NDArray[Any] | None:
        """The table of a name, or None."""
        extension = self.find(name)
        return None if extension is None else extension.table

    @property
    def variances(self) -> dict[str, Rows]:
        """Parts of the variance by their origin."""
        return {
            extension.name.removeprefix(VARIANCE): extension.rows
            for extension in self.extensions
            if extension.rows is not None and extension.name.startswith(VARIANCE)
        }

    def planes(self, shape: tuple[int, ...]) -> dict[str, Rows]:
        """More images of the size of a frame, by name."""
        return {
            extension.name: extension.rows
            for extension in self.extensions
            if extension.rows is not None
            and extension.rows.shape == shape
            and extension.name not in NOT_PLANES
            and not extension.name.startswith(VARIANCE)
        }

    @property
    def primary(self) -> Header:
        """The primary header."""
        return self.extensions[0].header

    @property
    def listing(self) -> str:
        """Names and shapes, for messages."""
        return ", ".join(
            extension.name + (f" {extension.rows.shape}" if extension.rows is not None else "")
            for extension in self.extensions
        )


def contents(path: Path) -> Contents:
    """What is in a FITS file; its images are read later, unless it is packed.

    Raises
    ------
    DataError
        If the file can't be read, is not FITS, is damaged or was cut off.
    """
    packed = _looked_at(path)
    if not packed:
        require_whole(path)
    with _opened(path) as hdus:
        extensions = tuple(_extension(path, hdu, packed=packed) for hdu in hdus)
    return Contents(path, extensions)


def _looked_at(path: Path) -> bool:
    """True if the file is packed; an error if it is not FITS at all."""
    require_ordinary(path)
    try:
        with path.open("rb") as stream:
            start = stream.read(_BLOCK)
    except OSError as problem:
        raise DataError(f"{path} can't be read: {problem.strerror}") from problem
    if not start:
        raise DataError(f"{path} is empty", "a FITS file was expected; get it again")
    packing = packing_of(start)
    if packing is not None:
        require_unpackable(path, packing)
        return True
    if not start.startswith(_MAGIC):
        raise DataError(f"{path} is not a FITS file: it begins with {start[:9]!r} and not with {_MAGIC!r}")
    return False


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The HDUs of a file as astropy has them; damage of any kind is a `DataError`."""
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with path.open("rb") as stream, fits.open(stream, memmap=False, uint=True) as hdus:
                len(hdus)
                _require_sound(
                    path, [str(w.message) for w in caught if issubclass(w.category, AstropyUserWarning)]
                )
                yield hdus
    except (*_MISREAD, fits.VerifyError) as problem:
        hint = CUT_OFF if isinstance(problem, _ENDS) else DAMAGED
        raise DataError(f"{path} can't be read as FITS: {_first_line(problem)}", hint) from problem


def _require_sound(path: Path, messages: list[str]) -> None:
    for message in messages:
        if any(word in message for word in _DAMAGE):
            hint = DAMAGED if "validating" in message else CUT_OFF
            raise DataError(f"{path} is not a whole FITS file: {message.splitlines()[0]}", hint)


def _first_line(problem: BaseException) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0] if lines else type(problem).__name__


def _extension(path: Path, hdu: Any, *, packed: bool) -> Extension:
    header = hdu.header
    cards = without_structure(header)
    name = str(hdu.name).upper()
    compressed = hasattr(hdu, "compressed_data")
    if header.get("XTENSION") == "BINTABLE" and not compressed:
        return Extension(name, cards, table=None if name == "ASDF" else _plain(hdu.data))
    if header.get("XTENSION", "IMAGE") != "IMAGE" or int(header.get("NAXIS", 0)) == 0:
        return Extension(name, cards)
    if packed or compressed:
        return Extension(name, cards, rows=hdu.data.astype(hdu.data.dtype.newbyteorder("=")))
    return Extension(name, cards, rows=_rows(path, header, hdu.fileinfo()["datLoc"]))


def _rows(path: Path, header: Header, offset: int) -> Rows:
    bitpix = header["BITPIX"]
    if bitpix not in _TYPES:
        raise ValueError(f"BITPIX is '{bitpix}'")
    axes = [header[f"NAXIS{axis}"] for axis in range(header["NAXIS"], 0, -1)]
    if not all(type(length) is int and length >= 0 for length in axes):
        raise ValueError(f"the axes have the lengths {axes}")
    scale, zero = header.get("BSCALE", 1), header.get("BZERO", 0)
    if not all(isinstance(each, (int, float)) and math.isfinite(each) for each in (scale, zero)):
        raise ValueError(f"BSCALE is '{scale}' and BZERO '{zero}'")
    stored = np.dtype(_TYPES[bitpix])
    plain = stored.newbyteorder("=")
    blank = header.get("BLANK") if bitpix > 0 else None
    if scale == 1 and zero == 0 and blank is None:
        return FileRows(path, offset, tuple(axes), stored, plain)
    if scale == 1 and zero == _UNSIGNED.get(bitpix):
        return FileRows(path, offset, tuple(axes), stored, np.dtype(f"u{stored.itemsize}"))
    real = np.dtype(np.float32 if abs(bitpix) < 32 or bitpix == -32 else np.float64)
    return Scaled(FileRows(path, offset, tuple(axes), stored, plain), float(scale), float(zero), real, blank)


def _plain(records: Any) -> NDArray[Any]:
    """A table's columns without astropy's views of them."""
    columns = {name: np.asarray(records[name]) for name in records.names}
    types = [(name, column.dtype.newbyteorder("="), column.shape[1:]) for name, column in columns.items()]
    result = np.empty(len(records), dtype=types)
    for name, column in columns.items():
        result[name] = column
    return result
