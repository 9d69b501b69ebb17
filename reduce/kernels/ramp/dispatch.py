"""One front for all methods of fitting ramps."""

from __future__ import annotations

from numpy.typing import ArrayLike

from reduce.arrays import Rows
from reduce.errors import ParameterError
from reduce.kernels.ramp.fit import RampFit

METHODS = ("gls", "ols", "utr", "mcds", "cds")
"""Generalized least squares, least squares under two names, averaged and plain difference of two reads."""


def fit_ramps(
    reads: Rows,
    times: ArrayLike,
    *,
    method: str = "gls",
    read_noise: ArrayLike,
    groupdq: Rows | None = None,
    frames: ArrayLike = 1,
    frame_time: float = 0.0,
    find_jumps: bool = False,
    jump_threshold: float = 4.5,
    coadd: int = 3,
    block_rows: int = 64,
) -> RampFit:
    """Fit the slope of each pixel's reads.

    Parameters
    ----------
    reads
        e-, shape (ny, nx, ngroups, nreads), floating or integer; a group is what lies between two resets.
    times
        Seconds from the reset to each read, (ngroups, nreads), increasing in a group; the mean time of its
        frames if a read is a mean.
    method
        One of `METHODS`: ``gls`` weights reads by their covariance (`reduce.kernels.ramp.gls.fit_gls`); for
        the others see `reduce.kernels.ramp.linear.fit_linear`.
    read_noise
        e- of one frame, a number or (ny, nx).
    groupdq
        Bits of each read, the shape of `reads`; None if none is set.
    frames
        Frames that were averaged for a read, a number or (nreads,).
    frame_time
        Seconds from one of these frames to the next.
    find_jumps
        Whether to look for jumps. For a linear method they are found by the likelihood-ratio test of ``gls``
        first, which takes as long as that.
    jump_threshold
        In standard deviations.
    coadd
        Reads averaged at either end by ``mcds``.
    block_rows
        Rows worked on at a time; makes no difference to the result.

    Returns
    -------
    fit
        Rates in e-/s, their variances, and flags.

    Raises
    ------
    DataError
        Shapes don't go together, there are no reads, or times don't increase.
    ParameterError
        A method that there is not, or a value that is not allowed.
    """
    if method not in METHODS:
        raise ParameterError(
            f"there is no method {method!r} to fit ramps", f"methods are {', '.join(METHODS)}"
        )
    if method == "gls" or find_jumps:
        from reduce.kernels.ramp.gls import fit_gls

        fit = fit_gls(
            reads,
            times,
            read_noise=read_noise,
            groupdq=groupdq,
            frames=frames,
            frame_time=frame_time,
            find_jumps=find_jumps,
            jump_threshold=jump_threshold,
            block_rows=block_rows,
        )
        if method == "gls":
            return fit
        groupdq = fit.groupdq
    from reduce.kernels.ramp.linear import fit_linear

    return fit_linear(
        reads,
        times,
        method=method,
        read_noise=read_noise,
        groupdq=groupdq,
        frames=frames,
        frame_time=frame_time,
        coadd=coadd,
        block_rows=block_rows,
    )
