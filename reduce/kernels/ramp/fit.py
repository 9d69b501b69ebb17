"""What a fit of a ramp gives."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image
from reduce.dq import DQ

NO_SLOPE = np.uint32(DQ.DO_NOT_USE | DQ.UNRELIABLE_SLOPE)
"""Bits of pixels whose slope can't be told."""


class RampFit(NamedTuple):
    """Slopes with their variances.

    Parameters
    ----------
    rate
        Slope in e-/s, shape (ny, nx); 0 where it can't be told, with ``DO_NOT_USE`` set.
    var_poisson, var_rnoise
        Parts of its variance by photons and by read noise, (e-/s)².
    dq
        Bits to add to the pixels': ``SATURATED``, ``JUMP_DET``, ``DO_NOT_USE``, ``UNRELIABLE_SLOPE``.
    groupdq
        Bits of each read, (ny, nx, ngroups, nreads) uint8, with the jumps that were found.
    chi2
        Chi-squared of the fit, (ny, nx); NaN where the method has none or no degree of freedom is left.
    reads_used
        Number of reads that the slope rests on, (ny, nx) uint16.
    """

    rate: Image
    var_poisson: Image
    var_rnoise: Image
    dq: Flags
    groupdq: NDArray[np.uint8]
    chi2: Image
    reads_used: NDArray[np.unsignedinteger[Any]]


def give_up_overflows(fit: RampFit) -> None:
    """Take away slopes that the result's type has no number for, or no variance above 0.

    Parameters
    ----------
    fit
        A result that is being made, of any shape; it is changed.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = fit.var_poisson + fit.var_rnoise
        told = np.isfinite(fit.rate) & (total > 0) & (total < np.inf)
    lost = ~told & ((fit.dq & np.uint32(DQ.DO_NOT_USE)) == 0)
    if lost.any():
        fit.rate[lost] = fit.var_poisson[lost] = fit.var_rnoise[lost] = fit.reads_used[lost] = 0
        fit.chi2[lost] = np.nan
        fit.dq[lost] |= NO_SLOPE
