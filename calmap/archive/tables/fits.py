"""Reading the first table of a FITS file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from calmap.archive.tables.locations import is_url, opened
from calmap.archive.tables.shape import Shape
from calmap.errors import HeaderError
from calmap.headers.reading import require_whole

_UNIT_ROWS = 1 << 17


def shape(place: str) -> Shape:
    """Columns and sizes of a table."""
    with _table(place) as table:
        rows = int(table.header["NAXIS2"])
        names = tuple(table.columns.names)
    if place.lower().endswith(".gz"):
        return Shape(names, (rows,) if rows else ())
    return Shape(names, tuple(min(_UNIT_ROWS, rows - first) for first in range(0, rows, _UNIT_ROWS)))


def read(
    place: str, columns: Sequence[str], start: int, stop: int | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of some columns; blanks at the end of texts are cut off, undefined values are missing."""
    with _table(place) as table:
        data, size = table.data, int(table.header["NAXIS2"])
        last = size if stop is None or place.lower().endswith(".gz") else min(size, stop * _UNIT_ROWS)
        nulls = {column.name: column.null for column in table.columns}
        for first in range(start * _UNIT_ROWS, last, rows):
            part = data[first : min(first + rows, last)]
            raw = part.view(np.ndarray)
            found = {
                name: _column(np.asarray(part.field(name)), _undefined(raw[name], nulls[name]))
                for name in columns
            }
            yield pa.RecordBatch.from_arrays(list(found.values()), names=list(found))


@contextmanager
def _table(place: str) -> Iterator[Any]:
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    if not is_url(place):
        require_whole(Path(place))
    memory = not is_url(place) and not place.lower().endswith(".gz")
    with opened(place) as file, fits.open(file, memmap=memory, character_as_bytes=True) as hdus:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            kinds = (fits.BinTableHDU, fits.TableHDU)
            table = next((hdu for hdu in hdus if isinstance(hdu, kinds)), None)
        if table is None:
            raise HeaderError(f"{place} has no table")
        yield table


def _undefined(stored: Any, null: object) -> Any:
    """Rows where a whole number, as it is stored before it is scaled, is the one that means none."""
    return stored == null if isinstance(null, int) and stored.dtype.kind in "iu" else None


def _column(values: Any, undefined: Any) -> pa.Array:
    if values.ndim > 1 or values.dtype.kind not in "SUbiuf":
        return pa.nulls(len(values), pa.list_(pa.int8()))
    if values.dtype.kind in "SU":
        texts = np.char.rstrip(values.astype("S") if values.dtype.kind == "U" else values, b" \0")
        return pa.array([text.decode("latin-1") or None for text in texts.tolist()], pa.string())
    return pa.array(values.astype(values.dtype.newbyteorder("=")), mask=undefined)
