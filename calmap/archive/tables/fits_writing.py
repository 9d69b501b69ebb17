"""Writing FITS tables row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calmap.archive.tables.spool import Spool
from calmap.errors import CacheError

_BLOCK = 2880
_PLAIN = r"^[ -~]*$"
_HINT = "write Parquet, Arrow, CSV or ECSV"


def fits_pieces(spool: Spool) -> Iterator[bytes]:
    """The bytes of a FITS file with one table of the rows of a spool.

    Raises
    ------
    CacheError
        If a text has what FITS tables can't hold.
    """
    fields = list(spool.schema)
    kinds = [_kind(field, _width(spool, field)) for field in fields]
    row = np.dtype([(f"c{number}", kind) for number, kind in enumerate(kinds)])
    yield from _headers(fields, kinds, spool.rows)
    written = 0
    for batch in spool.batches():
        rows = np.zeros(batch.num_rows, row)
        for number, column in enumerate(batch.columns):
            rows[f"c{number}"] = _cells(column)
        data = rows.tobytes()
        written += len(data)
        yield data
    yield b"\0" * (-written % _BLOCK)


def _headers(fields: Sequence[pa.Field], kinds: Sequence[str], rows: int) -> Iterator[bytes]:
    from astropy.io import fits

    columns = [
        fits.Column(field.name, "K" if kind == ">i8" else f"{kind[1:]}A")
        for field, kind in zip(fields, kinds, strict=True)
    ]
    header = fits.BinTableHDU.from_columns(columns).header
    header["NAXIS2"] = rows
    for whole in (fits.PrimaryHDU().header, header):
        yield whole.tostring().encode("ascii")


def _kind(field: pa.Field, width: int) -> str:
    return ">i8" if pa.types.is_integer(field.type) else f"S{max(width, 1)}"


def _width(spool: Spool, field: pa.Field) -> int:
    """The most letters of a text of a column."""
    if pa.types.is_integer(field.type):
        return 0
    known = spool.lexicons.get(field.name)
    if known is not None:
        arrays: Iterator[Any] = iter((pa.array(list(known.numbers), pa.string()),))
    else:
        arrays = (batch.column(field.name) for batch in spool.batches())
    most = 0
    for texts in arrays:
        plain = pc.match_substring_regex(texts, _PLAIN)
        if pc.all(plain).as_py() is False:
            odd = texts.filter(pc.invert(plain))[0].as_py()
            raise CacheError(
                f"the value {odd!r} of {field.name} has letters that FITS tables can't hold", _HINT
            )
        most = max(most, pc.max(pc.utf8_length(texts)).as_py() or 0)
    return most


def _cells(column: pa.Array) -> Any:
    if pa.types.is_integer(column.type):
        return column.to_numpy()
    if pa.types.is_dictionary(column.type):
        texts = np.array([*column.dictionary.to_pylist(), ""], dtype="S")
        return texts[column.indices.fill_null(len(texts) - 1).to_numpy()]
    return np.array(column.fill_null("").to_pylist(), dtype="S")
