"""Saturation: from which read on a pixel no longer follows the light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Counts, Image
from reduce.dq import DQ, flagged
from reduce.errors import ParameterError
from reduce.kernels import acceleration
from reduce.kernels.rampdata import (
    RampArrays,
    ReadFlags,
    Reads,
    checked,
    optional_flag_plane,
    value_plane,
)

_SATURATED = np.uint8(DQ.SATURATED)
_FLOOR = np.uint8(DQ.AD_FLOOR | DQ.DO_NOT_USE)


def flag_saturation(
    reads: Reads,
    groupdq: ReadFlags | None,
    pixeldq: Counts,
    *,
    level: Image | float,
    level_dq: Counts | None = None,
    grow: int = 1,
    floor: float | None = None,
) -> RampArrays:
    """Flag reads at or above the saturation level, and all later reads of the same group.

    Charge spills into the neighbours of a saturated pixel: they get the flag in the same reads. Growth looks
    at the rows above and below. So a block of rows gives the same flags as the whole frame if it comes with
    `grow` more rows on either side, which are cut off afterwards.

    Parameters
    ----------
    reads
        Raw counts, shape (ny, nx, ngroups, nreads), in DN. NaN is below every level and above every floor.
    groupdq
        Bits of each read, the shape of `reads`, uint8; or None. They are kept; ``SATURATED`` among them is
        neither carried on to later reads nor grown.
    pixeldq
        Bits of each pixel, (ny, nx).
    level
        In DN, a number or (ny, nx). For integer reads a level above the highest number of their type is
        lowered to it.
    level_dq
        The flags of `level`, (ny, nx), or None.
    grow
        How many pixels the flag grows in each direction, 0 to 2: a square of 1, 3 or 5 pixels.
    floor
        Reads at or below this are flagged ``AD_FLOOR`` and ``DO_NOT_USE``. None is 0 for reads of unsigned
        integers, and no floor for others.

    Returns
    -------
    RampArrays
        The same reads; `groupdq` is never None. Where the level is not finite, not positive, or has the flag
        ``NO_SAT_CHECK``, the pixel gets this flag and only what grows from its neighbours is flagged.

    Raises
    ------
    DataError
        If shapes differ.
    ParameterError
        If a number given as the level is not positive, or `grow` is not 0, 1 or 2.

    Notes
    -----
    The rules are those of the saturation step for JWST (jwst-pipeline.readthedocs.io).
    """
    if grow not in (0, 1, 2):
        raise ParameterError(f"saturation can grow by 0, 1 or 2 pixels, not {grow}")
    ramp = checked(reads, groupdq, pixeldq)
    plane = value_plane("the saturation level", level, reads.shape[:2], positive=True)
    flags = optional_flag_plane("the saturation level's DQ", level_dq, reads.shape[:2])
    unknown = ~np.isfinite(plane) | (plane <= 0) | flagged(flags, DQ.NO_SAT_CHECK)
    flags = ramp.pixeldq | flags
    flags[unknown] |= np.uint32(DQ.NO_SAT_CHECK)
    if ramp.reads.dtype.kind in "ui":
        plane = np.minimum(plane, _highest(ramp.reads.dtype))
    limits = np.where(unknown, np.float32(np.inf), plane)
    find = _flags_fast if acceleration.available() else _flags_plain
    found = find(ramp.reads, ramp.groupdq, limits, _lowest(ramp.reads, floor), grow)
    return RampArrays(ramp.reads, found, flags)


def _highest(kind: np.dtype[Any]) -> np.float32:
    """The highest number of an integer type, or the one below it that single precision has."""
    most = int(np.iinfo(kind).max)
    single = np.float32(most)
    return single if int(single) <= most else np.nextafter(single, np.float32(0))


def _lowest(reads: Reads, floor: float | None) -> float:
    if floor is not None:
        return float(floor)
    return 0.0 if reads.dtype.kind == "u" else -np.inf


def _flags_plain(
    reads: Reads, groupdq: ReadFlags | None, limits: NDArray[np.float32], floor: float, grow: int
) -> ReadFlags:
    over = (reads >= limits[:, :, None, None]) & np.isfinite(limits)[:, :, None, None]
    count = reads.shape[3]
    first = np.where(over.any(axis=3), over.argmax(axis=3), count)
    saturated = np.arange(count) >= _smallest_nearby(first, grow, count)[..., None]
    found = np.where(saturated, _SATURATED, np.uint8(0))
    if np.isfinite(floor):
        found |= np.where(reads <= floor, _FLOOR, np.uint8(0))
    return found if groupdq is None else found | groupdq


def _smallest_nearby(first: NDArray[np.integer], grow: int, beyond: int) -> NDArray[np.integer]:
    rows, columns = first.shape[:2]
    padded = np.pad(first, ((grow, grow), (grow, grow), (0, 0)), constant_values=beyond)
    smallest = first
    for down in range(2 * grow + 1):
        for right in range(2 * grow + 1):
            smallest = np.minimum(smallest, padded[down : down + rows, right : right + columns])
    return smallest


def _flags_fast(
    reads: Reads, groupdq: ReadFlags | None, limits: NDArray[np.float32], floor: float, grow: int
) -> ReadFlags:
    from reduce.kernels import saturation_fast

    rows = reads.shape[0]
    found = np.zeros(reads.shape, dtype=np.uint8) if groupdq is None else groupdq.copy()
    first = np.empty(reads.shape[:3], dtype=np.int32)
    any_in_row = np.zeros(rows, dtype=np.bool_)

    def own(block: slice) -> None:
        saturation_fast.flag(
            reads[block], limits[block], floor, found[block], first[block], any_in_row[block]
        )

    def grown(block: slice) -> None:
        saturation_fast.grow(first, any_in_row, grow, block.start, block.stop, found)

    acceleration.in_blocks(rows, own)
    if grow and any_in_row.any():
        acceleration.in_blocks(rows, grown)
    return found
