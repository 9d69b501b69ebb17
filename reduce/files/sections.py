"""Arrays in files, read by rows without mapping the file into memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Rows
from reduce.dq import translated
from reduce.errors import DataError

_GROUP_BITS = np.uint32(0xFF)


@dataclass(frozen=True, slots=True)
class FileRows:
    """An image in a FITS file, of which rows are read when it is sliced.

    Each slice opens the file on its own, so that threads can share one of these.

    Parameters
    ----------
    path
        The file.
    offset
        Bytes before the first element.
    shape
        Length of each axis, the slowest first.
    stored
        Type of the elements in the file, big-endian.
    dtype
        Type of the elements that come out: unsigned where BZERO says so, with the machine's byte order.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    stored: np.dtype[Any]
    dtype: np.dtype[Any]

    def __getitem__(self, key: slice) -> NDArray[Any]:
        """Some rows, in memory of their own.

        Raises
        ------
        DataError
            If the file can't be read, or is shorter than it was.
        """
        wanted = range(self.shape[0])[key]
        if not wanted:
            return np.empty((0, *self.shape[1:]), dtype=self.dtype)
        first, last = min(wanted), max(wanted) + 1
        rows = self._native(self._read(first, last))
        return rows if wanted.step == 1 else np.ascontiguousarray(rows[:: wanted.step])

    def _read(self, first: int, last: int) -> NDArray[Any]:
        count = int(np.prod(self.shape[1:], dtype=np.int64))
        start = self.offset + first * count * self.stored.itemsize
        try:
            with self.path.open("rb", buffering=0) as stream:
                stream.seek(start)
                data = np.fromfile(stream, dtype=self.stored, count=(last - first) * count)
        except OSError as problem:
            raise DataError(f"{self.path} can't be read: {problem.strerror}") from problem
        if data.size < (last - first) * count:
            raise DataError(f"{self.path} ends before its data do", "it was cut off while it was being read")
        return data.reshape(last - first, *self.shape[1:])

    def _native(self, data: NDArray[Any]) -> NDArray[Any]:
        """The same array with the machine's byte order, changed in place."""
        if self.stored.itemsize > 1 and sys.byteorder == "little":
            data = data.byteswap(inplace=True).view(self.stored.newbyteorder())
        if self.stored.kind == self.dtype.kind:
            return data.view(self.dtype)
        unsigned = data.view(self.dtype)
        np.bitwise_xor(unsigned, sign_bit(self.dtype), out=unsigned)
        return unsigned


@dataclass(frozen=True, slots=True)
class Scaled:
    """Numbers that are stored with BLANK, or with BSCALE and BZERO other than for unsigned integers.

    Parameters
    ----------
    rows
        What is stored.
    scale, zero
        BSCALE and BZERO.
    dtype
        Floating-point type of the elements that come out.
    blank
        What is stored for a pixel without a value, which comes out as NaN; or None.
    """

    rows: Rows
    scale: float
    zero: float
    dtype: np.dtype[Any]
    blank: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.rows.shape

    def __getitem__(self, key: slice) -> NDArray[Any]:
        """Some rows."""
        stored = self.rows[key]
        values = np.asarray(stored * self.scale + self.zero, dtype=self.dtype)
        if self.blank is not None:
            values[stored == self.blank] = np.nan
        return values


@dataclass(frozen=True, slots=True)
class DetectorRows:
    """Reads stored as (integration, group, row, column), given as (row, column, integration, group).

    Parameters
    ----------
    planes
        All rows of every read below each other, shape (integrations × groups × rows, columns).
    shape
        Rows, columns, integrations and groups.
    """

    planes: Rows
    shape: tuple[int, int, int, int]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.planes.dtype

    def __getitem__(self, key: slice) -> NDArray[Any]:
        """Some rows of the detector."""
        rows, columns, integrations, groups = self.shape
        wanted = range(rows)[key]
        result = np.empty((len(wanted), columns, integrations * groups), dtype=self.dtype)
        if wanted:
            first, last = min(wanted), max(wanted) + 1
            for read in range(integrations * groups):
                plane = self.planes[slice(read * rows + first, read * rows + last)]
                result[:, :, read] = plane[:: wanted.step]
        return result.reshape(len(wanted), columns, integrations, groups)


@dataclass(frozen=True, slots=True)
class ReadFlags:
    """Bits 0 to 7 of the reads' quality, in ours, as uint8."""

    rows: Rows
    values: tuple[tuple[str, int], ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.rows.shape

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Type of the elements."""
        return np.dtype(np.uint8)

    def __getitem__(self, key: slice) -> NDArray[np.uint8]:
        """Some rows."""
        some = self.rows[key]
        if self.values:
            some = translated(some, dict(self.values)) & _GROUP_BITS
        return some.astype(np.uint8)


def sign_bit(dtype: np.dtype[Any]) -> NDArray[Any]:
    """The highest bit of an unsigned type, which FITS stores upside down."""
    return np.array(1 << (8 * dtype.itemsize - 1), dtype=dtype)


def pixel_flags(rows: Rows, values: dict[str, int], block: int) -> tuple[Flags, bool]:
    """What the quality of reads, shape (ny, nx, ngroups, nreads), says of whole pixels.

    Parameters
    ----------
    rows
        Bits of each read, any unsigned type.
    values
        What the file's DQ_DEF says, see `reduce.dq.translated`.
    block
        Rows to read at once.

    Returns
    -------
    Flags
        The bits from 8 on that one of its reads has, (ny, nx).
    bool
        True if any read has one of the bits 0 to 7.
    """
    result = np.zeros(rows.shape[:2], dtype=np.uint32)
    some_read = False
    for first in range(0, rows.shape[0], block):
        flags = rows[slice(first, first + block)]
        if not flags.any():
            continue
        flags = translated(flags, values)
        result[first : first + block] = np.bitwise_or.reduce(flags & ~_GROUP_BITS, axis=(2, 3))
        some_read = some_read or bool((flags & _GROUP_BITS).any())
    return result, some_read
