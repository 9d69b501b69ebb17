"""Frames whose arrays stay in the file until rows of them are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image, Rows
from reduce.dq import DQ, translated
from reduce.errors import DataError
from reduce.files.cards import without_structure
from reduce.files.contents import contents
from reduce.files.layouts import OTHER, SCIENCE_NAMES
from reduce.files.tables import definitions, provenance_of
from reduce.frame import FrameRows


def open_rows(path: Path) -> FrameRows:
    """A frame whose arrays are read by rows.

    Raises
    ------
    DataError
        If the file is damaged, has no two-dimensional image, or arrays of different shapes.
    """
    found = contents(path)
    science = found.find(*SCIENCE_NAMES)
    if science is None or science.rows is None or len(science.rows.shape) != 2:
        raise DataError(f"{path} has no two-dimensional image SCI or DATA; it has {found.listing}")
    shape = science.rows.shape
    variances: dict[str, Rows] = {name: Floats(rows) for name, rows in found.variances.items()}
    error, bits = found.image("ERR"), found.image("DQ")
    if not variances and error is not None:
        variances = {OTHER: Squares(Floats(error))}
    if bits is not None and bits.dtype.kind not in "iu":
        raise DataError(f"{path}: DQ has the type {bits.dtype}; whole numbers were expected")
    image = Floats(science.rows)
    dq = CheckedFlags(image, tuple(variances.values()), bits, definitions(found))
    for name, rows in (("DQ", bits), *variances.items()):
        if rows is not None and rows.shape != shape:
            raise DataError(f"{path}: {name} has the shape {rows.shape}, the image {shape}")
    header, sci_header = without_structure(found.primary), without_structure(science.header)
    planes = found.planes(shape)
    return FrameRows(image, variances, dq, header, sci_header, str(path), provenance_of(found), planes)


@dataclass(frozen=True, slots=True)
class Floats:
    """Rows as floating-point numbers of the machine's byte order."""

    rows: Rows

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.rows.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        stored = self.rows.dtype
        if stored.kind == "f":
            return stored.newbyteorder("=")
        return np.dtype(np.float32 if stored.itemsize < 4 else np.float64)

    def __getitem__(self, key: slice) -> Image:
        array: NDArray[Any] = self.rows[key]
        return np.asarray(array, dtype=self.dtype)


@dataclass(frozen=True, slots=True)
class Squares:
    """Variances of rows of errors; not a number where an error is negative."""

    errors: Floats

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.errors.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.errors.dtype

    def __getitem__(self, key: slice) -> Image:
        errors = self.errors[key]
        return np.square(np.where(errors < 0, np.nan, errors))


@dataclass(frozen=True, slots=True)
class CheckedFlags:
    """Quality bits in ours, with DO_NOT_USE where the image or its variance is not usable."""

    sci: Floats
    variances: tuple[Rows, ...]
    bits: Rows | None
    values: Mapping[str, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.sci.shape

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        """Type of the elements."""
        return np.dtype(np.uint32)

    def __getitem__(self, key: slice) -> Flags:
        bad = ~np.isfinite(self.sci[key])
        for rows in self.variances:
            variance = rows[key]
            bad |= ~(np.isfinite(variance) & (variance >= 0))
        flags = np.zeros(bad.shape, dtype=np.uint32)
        if self.bits is not None:
            stored = self.bits[key]
            flags = translated(stored, self.values)
        return flags | np.where(bad, np.uint32(DQ.DO_NOT_USE), np.uint32(0))
