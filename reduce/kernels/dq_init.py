"""The first flags of a ramp: what is known of its pixels, and which reads are no numbers."""

from __future__ import annotations

import numpy as np

from reduce.arrays import Counts
from reduce.dq import DQ
from reduce.kernels.rampdata import RampArrays, ReadFlags, Reads, checked, native, optional_flag_plane


def initialize_dq(
    reads: Reads, groupdq: ReadFlags | None, pixeldq: Counts, *, reference_dq: Counts | None = None
) -> RampArrays:
    """Add the bad-pixel map to the pixels' flags, and flag reads that are not finite.

    Parameters
    ----------
    reads
        Counts, shape (ny, nx, ngroups, nreads); they come back as they are, NaN too.
    groupdq
        Bits of each read, the shape of `reads`, uint8; or None.
    pixeldq
        Bits of each pixel, (ny, nx), unsigned of any width.
    reference_dq
        The bad-pixel map, (ny, nx), unsigned of any width, in the bits of `reduce.dq.DQ` (see
        `reduce.dq.translated` for maps with other bits); or None.

    Returns
    -------
    RampArrays
        `pixeldq` with the map's bits; `groupdq` with ``DO_NOT_USE`` on each read that is NaN or infinite,
        None only if it was None and all reads are finite.

    Raises
    ------
    DataError
        If shapes differ or flags are no unsigned integers.
    """
    ramp = checked(reads, groupdq, pixeldq)
    known = optional_flag_plane("the bad-pixel map", reference_dq, reads.shape[:2])
    return RampArrays(ramp.reads, _with_broken_reads(ramp), ramp.pixeldq | known)


def _with_broken_reads(ramp: RampArrays) -> ReadFlags | None:
    if ramp.reads.dtype.kind != "f":
        return ramp.groupdq
    finite = np.isfinite(ramp.reads)
    if finite.all():
        return ramp.groupdq
    broken = native(~finite).view(np.uint8) * np.uint8(DQ.DO_NOT_USE)
    return broken if ramp.groupdq is None else broken | ramp.groupdq
