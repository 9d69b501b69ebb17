"""HDUs written one after the other, with little more memory than a few rows need."""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Rows
from reduce.errors import DataError
from reduce.files.atomic import write_all
from reduce.files.checksums import array_sum, encoded, folded, word_sum
from reduce.files.sections import sign_bit

if TYPE_CHECKING:
    from astropy.io.fits import Header

_BLOCK: Final = 2880
_PIECE_BYTES: Final = 16_000_000
_ZERO: Final = "0" * 16
_BITPIX: Final = {"f4": -32, "f8": -64, "u1": 8, "i2": 16, "i4": 32, "i8": 64, "u2": 16, "u4": 32, "u8": 64}


class Hdu(NamedTuple):
    """An HDU to be written.

    Parameters
    ----------
    header
        Its cards, without those that describe the data.
    data
        An image, a structured array for a table, or None.
    name
        EXTNAME; empty for the primary HDU.
    """

    header: Header
    data: Rows | None
    name: str


def write_hdu(stream: FileIO, hdu: Hdu) -> None:
    """Write an HDU with its checksums, the same bytes whenever it is written.

    The data go through memory in pieces of some megabytes. Their sum is known only then; so the header is
    written again at the end.
    """
    header = _table_header(hdu) if _is_table(hdu.data) else _image_header(hdu)
    header.extend(hdu.header.cards, end=True)
    header.append(("CHECKSUM", _ZERO, "checksum of this HDU"), end=True)
    header.append(("DATASUM", "0", "checksum of its data"), end=True)
    start = stream.tell()
    write_all(stream, _bytes(header))
    total = 0 if hdu.data is None else _write_data(stream, hdu.data)
    end = stream.tell()
    header["DATASUM"] = str(total)
    header["CHECKSUM"] = encoded(folded(total + word_sum(_bytes(header))))
    stream.seek(start)
    write_all(stream, _bytes(header))
    stream.seek(end)


def _write_data(stream: FileIO, data: Rows) -> int:
    """Write an image or a table, filled up to whole blocks; gives the sum of its words."""
    total = size = 0
    for piece in _pieces(data):
        total += _piece_sum(piece)
        write_all(stream, _big_endian(piece).data)
        size += piece.nbytes
    write_all(stream, bytes(-size % _BLOCK))
    return folded(total)


def _pieces(data: Rows) -> Iterator[NDArray[Any]]:
    """Some rows after the other, each but the last a whole number of 32-bit words long."""
    if not data.shape or 0 in data.shape:
        return
    row_bytes = int(np.prod(data.shape[1:], dtype=np.int64)) * data.dtype.itemsize
    step = max(4, _PIECE_BYTES // row_bytes // 4 * 4)
    for first in range(0, data.shape[0], step):
        yield _stored(np.ascontiguousarray(data[slice(first, first + step)]))


def _stored(piece: NDArray[Any]) -> NDArray[Any]:
    """Numbers as FITS stores them, still with the machine's byte order."""
    if piece.dtype.names:
        return piece
    native: NDArray[Any] = piece.astype(_storable(piece.dtype), copy=False)
    if native.dtype.kind == "u" and native.dtype.itemsize > 1:
        native = np.bitwise_xor(native, sign_bit(native.dtype))
    return native


def _piece_sum(piece: NDArray[Any]) -> int:
    return word_sum(_big_endian(piece).tobytes()) if piece.dtype.names else array_sum(piece)


def _big_endian(piece: NDArray[Any]) -> NDArray[Any]:
    if piece.dtype.names:
        return piece.astype(piece.dtype.newbyteorder(">")).view(np.uint8)
    return piece.astype(piece.dtype.newbyteorder(">"), copy=False).reshape(-1).view(np.uint8)


def _storable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type with the machine's byte order in which FITS can store another."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype == np.float16:
        return np.dtype(np.float32)
    if dtype == np.int8:
        return np.dtype(np.int16)
    plain = dtype.newbyteorder("=")
    if plain.str[1:] not in _BITPIX:
        raise DataError(f"an image of the type {dtype} can't be stored in a FITS file")
    return plain


def _is_table(data: Rows | None) -> bool:
    return data is not None and data.dtype.names is not None


def _image_header(hdu: Hdu) -> Header:
    from astropy.io import fits

    dtype = np.dtype(np.uint8) if hdu.data is None else _storable(hdu.data.dtype)
    axes = () if hdu.data is None else tuple(reversed(hdu.data.shape))
    header = fits.Header()
    if hdu.name:
        header["XTENSION"] = ("IMAGE", "Image extension")
    else:
        header["SIMPLE"] = (True, "conforms to FITS standard")
    header["BITPIX"] = (_BITPIX[dtype.str[1:]], "array data type")
    header["NAXIS"] = (len(axes), "number of array dimensions")
    for number, length in enumerate(axes, 1):
        header[f"NAXIS{number}"] = length
    if not hdu.name:
        header["EXTEND"] = True
        return header
    header["PCOUNT"] = (0, "number of parameters")
    header["GCOUNT"] = (1, "number of groups")
    if dtype.kind == "u" and dtype.itemsize > 1:
        header["BSCALE"] = 1
        header["BZERO"] = int(sign_bit(dtype))
    header["EXTNAME"] = (hdu.name, "extension name")
    return header


def _table_header(hdu: Hdu) -> Header:
    from astropy.io import fits

    assert hdu.data is not None
    table = fits.BinTableHDU(np.empty(0, dtype=hdu.data.dtype), name=hdu.name)
    header = table.header.copy()
    header["NAXIS2"] = hdu.data.shape[0]
    return header


def _bytes(header: Header) -> bytes:
    text: str = header.tostring()
    return text.encode("ascii")
