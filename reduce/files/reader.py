"""Reads frames, ramps and arrays of the layouts that Liger and IRIS have had.

The image is in SCI or DATA, or in the primary HDU of a plain file; its error in VAR_* or in ERR alone; its
quality bits in DQ of 16 or 32 bits, named by DQ_DEF if that is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image
from reduce.dq import DQ, translated
from reduce.errors import DataError
from reduce.files.contents import Contents, Extension, contents
from reduce.files.layouts import OTHER, SCIENCE_NAMES
from reduce.files.ramps import is_ramp, ramp_of
from reduce.files.tables import definitions, provenance_of
from reduce.frame import Frame, Ramp
from reduce.provenance import Provenance

if TYPE_CHECKING:
    from astropy.io.fits import Header


def open_any(path: Path) -> Ramp | Frame:
    """A ramp or a frame, by what is in a file.

    Raises
    ------
    DataError
        As `read_ramp` and `read_frame`.
    """
    found = contents(path)
    return _ramp(found) if is_ramp(found) else _frame(found)


def read_frame(path: Path) -> Frame:
    """A frame, all of it in memory.

    Pixels whose value or variance is not a number, infinite or, for a variance, negative get DO_NOT_USE.

    Raises
    ------
    DataError
        If the file is damaged or has no two-dimensional image, or its arrays do not fit together.
    """
    return _frame(contents(path))


def read_ramp(path: Path) -> Ramp:
    """A ramp, whose reads stay in the file until rows of them are asked for.

    Raises
    ------
    DataError
        If the file is damaged or has no reads, no times for them, or arrays that do not fit together.
    """
    return _ramp(contents(path))


def read_header(path: Path) -> Header:
    """The primary header, without what describes the file.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    return contents(path).primary


def read_provenance(path: Path) -> Provenance:
    """What was done to the data of a product; nothing for a file that is none.

    Raises
    ------
    DataError
        If the file or its tables are damaged.
    """
    return provenance_of(contents(path))


def _ramp(found: Contents) -> Ramp:
    return ramp_of(found, definitions(found), provenance_of(found))


def _frame(found: Contents) -> Frame:
    science = _science(found)
    sci = _floating(_whole(science))
    flags = _flags(found, sci.shape)
    variances = {name: _floating(rows[:]) for name, rows in found.variances.items()}
    if not variances:
        variances = _from_error(found, sci)
    for name, array in (("SCI", sci), *variances.items()):
        if array.shape != sci.shape:
            raise DataError(f"{found.path}: {name} has the shape {array.shape}, the image {sci.shape}")
        flags = _with_unusable(flags, array, variance=name != "SCI")
    return Frame(
        sci=sci,
        variances=variances,
        dq=flags,
        header=found.primary,
        sci_header=science.header,
        planes={name: rows[:] for name, rows in found.planes(sci.shape).items()},
        provenance=provenance_of(found),
    )


def _science(found: Contents) -> Extension:
    extension = found.find(*SCIENCE_NAMES)
    if extension is None and found.extensions[0].rows is not None:
        extension = found.extensions[0]
    if extension is None:
        raise DataError(f"{found.path} has no image SCI or DATA; it has {found.listing}")
    shape = None if extension.rows is None else extension.rows.shape
    if shape is None or len(shape) != 2 or 0 in shape:
        axes = "no data" if shape is None else f"the shape {shape}"
        raise DataError(
            f"{found.path}: a two-dimensional image was expected, and {extension.name} has {axes}",
            "a ramp has four axes, and a cube can't be reduced"
            if shape is not None and len(shape) > 2
            else None,
        )
    return extension


def _whole(extension: Extension) -> NDArray[Any]:
    assert extension.rows is not None
    return np.asarray(extension.rows[:])


def _flags(found: Contents, shape: tuple[int, ...]) -> Flags:
    rows = found.image("DQ")
    if rows is None:
        return np.zeros(shape, dtype=np.uint32)
    if rows.shape != shape:
        raise DataError(f"{found.path}: DQ has the shape {rows.shape}, the image {shape}")
    return _bits(found, rows[:])


def _bits(found: Contents, stored: NDArray[Any]) -> Flags:
    if stored.dtype.kind not in "iub":
        raise DataError(f"{found.path}: DQ has the type {stored.dtype}; whole numbers were expected")
    values = definitions(found)
    return translated(stored, values)


def _from_error(found: Contents, sci: Image) -> dict[str, Image]:
    rows = found.image("ERR")
    if rows is None:
        return {}
    error = _floating(rows[:])
    square = np.where(error < 0, np.nan, error)
    return {OTHER: np.multiply(square, square, out=square)}


def _with_unusable(flags: Flags, array: Image, *, variance: bool) -> Flags:
    bad = ~np.isfinite(array)
    if variance:
        bad |= array < 0
    return flags | np.where(bad, np.uint32(DQ.DO_NOT_USE), np.uint32(0)) if bad.any() else flags


def _floating(array: NDArray[Any]) -> Image:
    if array.dtype.kind == "f":
        return array
    return array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
