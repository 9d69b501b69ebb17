"""Subtraction of the bias: the counts of a pixel just after its reset."""

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

_UNKNOWN = np.uint32(DQ.UNRELIABLE_BIAS | DQ.DO_NOT_USE)


def subtract_bias(
    reads: Reads,
    groupdq: ReadFlags | None,
    pixeldq: Counts,
    *,
    bias: Image | float,
    bias_dq: Counts | None = None,
) -> RampArrays:
    """Take the bias from every read.

    Parameters
    ----------
    reads
        Counts, shape (ny, nx, ngroups, nreads), in DN.
    groupdq
        Bits of each read, the shape of `reads`, uint8; or None. They come back as they are.
    pixeldq
        Bits of each pixel, (ny, nx).
    bias
        In DN, a number or (ny, nx).
    bias_dq
        The bias's flags, (ny, nx), or None.

    Returns
    -------
    RampArrays
        Float32 counts, negative ones too. Where the bias is not finite 0 is subtracted and the pixel gets
        ``UNRELIABLE_BIAS`` and ``DO_NOT_USE``.

    Raises
    ------
    DataError
        If shapes differ.
    ParameterError
        If a number given as the bias is not finite.
    """
    ramp = checked(reads, groupdq, pixeldq)
    plane = value_plane("the bias", bias, reads.shape[:2])
    flags = ramp.pixeldq | optional_flag_plane("the bias's DQ", bias_dq, reads.shape[:2])
    known = np.isfinite(plane)
    if not known.all():
        plane = np.where(known, plane, np.float32(0))
        flags[~known] |= _UNKNOWN
    return RampArrays(combined(ramp.reads, plane, "subtract"), ramp.groupdq, flags)
