"""A block of rows of a ramp as plain arrays, and checks of what comes with it."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Counts, Flags
from reduce.errors import DataError, ParameterError

Reads: TypeAlias = NDArray[Any]
"""Integer or floating-point counts, shape (ny, nx, ngroups, nreads)."""
ReadFlags: TypeAlias = NDArray[np.uint8]
"""Bits 0 to 7 of `reduce.dq.DQ`, the shape of the reads."""


class RampArrays(NamedTuple):
    """Reads with their flags.

    Parameters
    ----------
    reads
        Counts, shape (ny, nx, ngroups, nreads).
    groupdq
        Bits of each read, the shape of `reads`, uint8; None if none is set.
    pixeldq
        Bits of each pixel, (ny, nx), uint32.
    """

    reads: Reads
    groupdq: ReadFlags | None
    pixeldq: Flags


def checked(reads: Reads, groupdq: ReadFlags | None, pixeldq: Counts) -> RampArrays:
    """The same arrays in native byte order and without gaps, if they fit together.

    Raises
    ------
    DataError
        If the shapes differ, the reads are not numbers, or the flags are of a wrong type.
    """
    if reads.ndim != 4:
        raise DataError(f"reads have the axes row, column, group, read; these have the shape {reads.shape}")
    if reads.dtype.kind not in "uif":
        raise DataError(f"reads are integers or floating-point numbers, not {reads.dtype}")
    if groupdq is not None and groupdq.shape != reads.shape:
        raise DataError(f"the reads' DQ has the shape {groupdq.shape}, the reads {reads.shape}")
    if groupdq is not None and groupdq.dtype != np.uint8:
        raise DataError(f"the reads' DQ has the type {groupdq.dtype}, not uint8")
    flags = flag_plane("the pixels' DQ", pixeldq, reads.shape[:2])
    return RampArrays(native(reads), None if groupdq is None else native(groupdq), flags)


def native(array: NDArray[Any]) -> NDArray[Any]:
    """The array in native byte and C order, floats in 4 or 8 bytes; itself if it is so."""
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        return np.ascontiguousarray(array, dtype=np.float64)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def flag_plane(name: str, flags: Counts, shape: tuple[int, ...]) -> Flags:
    """A plane of flags as uint32.

    Parameters
    ----------
    name
        What it is, for messages.
    flags
        Integers of any type, none negative, none wider than 32 bits.
    shape
        The shape it has to have, (ny, nx).

    Raises
    ------
    DataError
        If the shape is another one or the numbers are no flags.
    """
    if flags.shape != shape:
        raise DataError(f"{name} has the shape {flags.shape}, the data {shape}")
    if flags.dtype == np.uint32:
        return native(flags)
    if flags.dtype.kind not in "ui":
        raise DataError(f"{name} has the type {flags.dtype}; flags are unsigned integers")
    if flags.size and (flags.min() < 0 or flags.max() > np.iinfo(np.uint32).max):
        raise DataError(f"{name} has numbers that are not 32 unsigned bits")
    return np.ascontiguousarray(flags, dtype=np.uint32)


def optional_flag_plane(name: str, flags: Counts | None, shape: tuple[int, ...]) -> Flags:
    """A plane of flags as uint32, or zeros for None; see `flag_plane`."""
    return np.zeros(shape, dtype=np.uint32) if flags is None else flag_plane(name, flags, shape)


def value_plane(
    name: str, values: ArrayLike, shape: tuple[int, ...], *, positive: bool = False
) -> NDArray[np.float32]:
    """A number for each pixel as float32, from a scalar or from a plane.

    Parameters
    ----------
    name
        What it is, for messages.
    values
        One number, or an array (ny, nx); in a plane anything is allowed, NaN too.
    shape
        (ny, nx).
    positive
        A scalar has to be greater than zero.

    Raises
    ------
    DataError
        If a plane has another shape or does not hold numbers.
    ParameterError
        If a scalar is not finite, or not positive where it has to be.
    """
    plane = np.asarray(values)
    if plane.dtype.kind not in "uif":
        raise DataError(f"{name} has the type {plane.dtype}; it has to be numbers")
    if plane.ndim == 0:
        number = float(plane)
        if not np.isfinite(number) or (positive and number <= 0):
            raise ParameterError(f"{name} is {number}; it has to be {'positive' if positive else 'finite'}")
        return np.full(shape, number, dtype=np.float32)
    if plane.shape != shape:
        raise DataError(f"{name} has the shape {plane.shape}, the data {shape}")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(plane, dtype=np.float32)
