"""Data of an open FITS file, of which no more is read than the file can hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calmap.errors import HeaderError
from calmap.headers.input import MAX_INFLATED
from calmap.references.hdu import (
    column_type,
    image_shape,
    is_compressed,
    item_size,
    label,
)

BLOCK: Final = 2880
SLAB: Final = 16 * 2**20
"""Bytes of an image that are read at a time."""

_UNSUSPICIOUS: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class FitsFile:
    """An open FITS file.

    Parameters
    ----------
    path
        For messages.
    hdus
        The HDUs, by astropy.
    length
        Bytes of the file when decompressed.
    """

    path: Path
    hdus: Any
    length: int

    def missing(self, index: int) -> int:
        """Bytes of data that an HDU declares but the file does not have."""
        info = self.hdus[index].fileinfo()
        return max(0, int(info["datLoc"]) + self._stored(index) - self.length)

    def end(self) -> int:
        """Where the last HDU ends."""
        info = self.hdus[-1].fileinfo()
        return int(info["datLoc"]) + int(info["datSpan"])

    def slab(self, index: int, part: tuple[int | slice, ...]) -> Any:
        """A part of an image.

        Raises
        ------
        HeaderError
            If it can't be read.
        """
        try:
            return self.hdus[index].section[part]
        except Exception as error:  # whatever astropy makes of damaged data
            raise self.damaged(index, error) from None

    def slabs(self, index: int) -> Iterator[Any]:
        """Parts of an image in order, of at most `SLAB` bytes.

        Raises
        ------
        HeaderError
            If the file lacks some of the data.
        """
        self.require(index)
        hdu = self.hdus[index]
        for part in parts(image_shape(hdu), item_size(hdu)):
            yield self.slab(index, part)

    def image(self, index: int) -> Any:
        """A whole image.

        Raises
        ------
        HeaderError
            If the file lacks some of the data.
        """
        self.require(index)
        try:
            return self.hdus[index].data
        except Exception as error:  # whatever astropy makes of damaged data
            raise self.damaged(index, error) from None

    def column(self, index: int, name: str) -> Any:
        """Values of a column of a table; those of texts have no blanks at the end.

        Raises
        ------
        HeaderError
            If the file lacks some of the data.
        """
        import numpy as np

        self.require(index)
        hdu = self.hdus[index]
        try:
            number = [column.name for column in hdu.columns].index(name)
            values = _raw_text(hdu, number)
            if column_type(hdu.columns[number]) == "object":
                self._check_heap(index, number)
            if values is None:
                values = np.asarray(hdu.data.field(number))
            if values.dtype.kind == "S":
                values = np.char.decode(values, "latin-1")
            return np.char.rstrip(values) if values.dtype.kind == "U" else values
        except HeaderError:
            raise
        except Exception as error:  # whatever astropy makes of damaged data
            raise self.damaged(index, error) from None

    def require(self, index: int) -> None:
        """Refuse an HDU whose data are not all there, or far larger than what is stored.

        Raises
        ------
        HeaderError
            In either case.
        """
        missing = self.missing(index)
        if missing:
            raise HeaderError(
                f"{self.path}: {label(self.hdus[index], index)} lacks {missing} bytes of its data",
                hint="the file was cut off",
            )
        hdu = self.hdus[index]
        stored = int(hdu.fileinfo()["datSpan"])
        if is_compressed(hdu) and hdu.size > min(MAX_INFLATED, max(_UNSUSPICIOUS, 1000 * stored)):
            raise HeaderError(
                f"{self.path}: {label(hdu, index)} would have {hdu.size // 2**20} MiB when decompressed",
                hint="is the file damaged? If not, store the image uncompressed",
            )

    def damaged(self, index: int, error: Exception) -> HeaderError:
        """What to raise for data that astropy can't read."""
        return HeaderError(
            f"{self.path}: {label(self.hdus[index], index)} can't be read: {first_line(error)}"
        )

    def _check_heap(self, index: int, number: int) -> None:
        """Refuse arrays of variable length that are together far longer than the file."""
        import numpy as np

        data = self.hdus[index].data
        descriptors = data.view(data.dtype, np.ndarray)[data.dtype.names[number]]
        lengths = descriptors[..., 0].astype(np.float64)
        if lengths.size and (lengths.min() < 0 or lengths.sum() > 16 * self.length):
            raise HeaderError(
                f"{self.path}: {label(self.hdus[index], index)} has arrays longer than the file",
                hint="the file is damaged",
            )

    def _stored(self, index: int) -> int:
        hdu = self.hdus[index]
        span = int(hdu.fileinfo()["datSpan"])
        return max(0, span - BLOCK + 1) if is_compressed(hdu) else min(span, int(hdu.size))


def parts(shape: tuple[int, ...], size: int) -> Iterator[tuple[int | slice, ...]]:
    """Places of the parts of an array, in order, none of more than `SLAB` bytes.

    Examples
    --------
    >>> list(parts((2, 3), 1))
    [(slice(0, 2, None),)]
    """
    import numpy as np

    if not shape or 0 in shape:
        return
    axis = next(i for i in range(len(shape)) if math.prod(shape[i + 1 :]) * size <= SLAB)
    step = max(1, SLAB // (math.prod(shape[axis + 1 :]) * size))
    for lead in np.ndindex(shape[:axis]):
        for start in range(0, shape[axis], step):
            yield (*lead, slice(start, min(start + step, shape[axis])))


def first_line(said: BaseException | str) -> str:
    """The first line of what an error or a warning says."""
    lines = [line.strip() for line in str(said).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(said).__name__


def _raw_text(hdu: Any, number: int) -> Any:
    """A column of texts of a binary table, whatever bytes it holds; None if the column is of another type."""
    import numpy as np

    column = hdu.columns[number]
    if type(hdu).__name__ == "TableHDU" or column_type(column) != "str":
        return None
    raw = hdu.data.view(hdu.data.dtype, np.ndarray)[hdu.data.dtype.names[number]]
    if raw.dtype.kind != "S":
        return None
    return np.char.decode(raw, "latin-1")
