"""Counts as electrons."""

from __future__ import annotations

import numpy as np

from reduce.arrays import Counts, Image
from reduce.dq import DQ
from reduce.kernels.pixelwise import combined
from reduce.kernels.rampdata import (
    RampArrays,
    ReadFlags,
    Reads,
    checked,
    optional_flag_plane,
    value_plane,
)

_UNKNOWN = np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE)


def to_electrons(
    reads: Reads,
    groupdq: ReadFlags | None,
    pixeldq: Counts,
    *,
    gain: Image | float,
    gain_dq: Counts | None = None,
) -> RampArrays:
    """Multiply every read by the gain.

    Parameters
    ----------
    reads
        Counts, shape (ny, nx, ngroups, nreads), in DN.
    groupdq
        Bits of each read, the shape of `reads`, uint8; or None. They come back as they are.
    pixeldq
        Bits of each pixel, (ny, nx).
    gain
        In e-/DN, a number or (ny, nx).
    gain_dq
        The gain's flags, (ny, nx), or None.

    Returns
    -------
    RampArrays
        Float32 electrons. Where the gain is not finite or not positive the counts stay as they are and the
        pixel gets ``NO_GAIN_VALUE`` and ``DO_NOT_USE``.

    Raises
    ------
    DataError
        If shapes differ.
    ParameterError
        If a number given as the gain is not positive.
    """
    ramp = checked(reads, groupdq, pixeldq)
    plane = value_plane("the gain", gain, reads.shape[:2], positive=True)
    flags = ramp.pixeldq | optional_flag_plane("the gain's DQ", gain_dq, reads.shape[:2])
    known = np.isfinite(plane) & (plane > 0)
    if not known.all():
        plane = np.where(known, plane, np.float32(1))
        flags[~known] |= _UNKNOWN
    return RampArrays(combined(ramp.reads, plane, "multiply"), ramp.groupdq, flags)
