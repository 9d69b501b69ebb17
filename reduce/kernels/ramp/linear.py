"""Slopes that are weighted sums of the reads: CDS, MCDS and least squares, with exact variances.

A slope Σ wᵢ rᵢ whose weights sum to 0 does not depend on the pedestal, and neither does its variance
wᵀ C w, where C is the covariance of the reads at the fitted rate, see `reduce.kernels.ramp.covariance`.
For least squares with evenly spaced reads this is equation 1 of Rauscher et al. 2007, PASP 119, 768.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Mask, Rows
from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.acceleration import in_blocks
from reduce.kernels.ramp.covariance import checked_frames
from reduce.kernels.ramp.fit import NO_SLOPE, RampFit, give_up_overflows
from reduce.kernels.ramp.pieces import WEIGHTS, Method, Pieces, pieces, slopes

_UNUSABLE = np.uint8(DQ.SATURATED | DQ.DO_NOT_USE)
_OF_PIXEL = np.uint8(DQ.SATURATED | DQ.JUMP_DET)
_MEANT = _UNUSABLE | _OF_PIXEL
_NO_ERROR = np.uint32(DQ.DO_NOT_USE | DQ.UNRELIABLE_ERROR)


def fit_linear(
    reads: Rows,
    times: ArrayLike,
    *,
    method: str,
    read_noise: ArrayLike,
    groupdq: Rows | None = None,
    frames: ArrayLike = 1,
    frame_time: float = 0.0,
    coadd: int = 3,
    block_rows: int = 64,
) -> RampFit:
    """Fit slopes by a linear method.

    Reads that are not numbers or are flagged ``DO_NOT_USE`` are left out, and so are ``SATURATED`` ones and
    those that follow them in their group. ``JUMP_DET`` parts a group before the read that has it: ``ols``
    fits each part alone and combines them; ``cds`` and ``mcds`` take the part that lasts longest. Groups are
    combined with the inverse of the variances they would have at one common rate as weights.

    The part of the variance by photons is that of the fitted rate, or 0 if that is negative. On average this
    is too much where the rate is lost in the read noise: for n reads in the dark, the error of least squares
    is larger than the scatter by the share 0.07 √n / (read noise in e-), 5 % for 50 reads of 10 e-.

    Parameters
    ----------
    reads
        e-, shape (ny, nx, ngroups, nreads), floating or integer; a group is what lies between two resets.
    times
        Seconds from the reset to each read, (ngroups, nreads), increasing in a group; the mean time of its
        frames if a read is a mean.
    method
        ``ols`` or ``utr``: least squares, all reads alike. ``mcds``: mean of the last reads less that of the
        first ones (Fowler sampling). ``cds``: last read less first read.
    read_noise
        e- of one frame, a number or (ny, nx).
    groupdq
        Bits of each read, the shape of `reads`; None if none is set.
    frames
        Frames that were averaged for a read, a number or (nreads,).
    frame_time
        Seconds from one of these frames to the next.
    coadd
        Reads averaged at either end by ``mcds``; at most half of those there are.
    block_rows
        Rows worked on at a time; makes no difference to the result.

    Returns
    -------
    fit
        float64 if the reads are, else float32. A pixel without a slope has ``DO_NOT_USE``, and
        ``UNRELIABLE_SLOPE`` unless it is saturated in all reads; one whose read noise is not positive and
        finite has ``DO_NOT_USE`` and ``UNRELIABLE_ERROR``. Flags of reads are those given. There is no
        chi-squared.

    Raises
    ------
    DataError
        Shapes don't go together, there are no reads, or times don't increase.
    ParameterError
        A method that there is not, or a value that is not allowed.
    """
    if method not in WEIGHTS:
        raise ParameterError(f"there is no linear method {method!r}", f"methods are {', '.join(WEIGHTS)}")
    if coadd < 1:
        raise ParameterError(f"mcds averages at least one read at either end, not {coadd}")
    if block_rows < 1:
        raise ParameterError(f"a block has at least one row, not {block_rows}")
    seconds = np.asarray(times, dtype=np.float64)
    _check(reads, seconds, groupdq)
    number = checked_frames(seconds, frames=frames, frame_time=frame_time)
    noise = _noise(read_noise, reads.shape[:2])
    work = _Work(reads, groupdq, noise, Method(method, seconds, number, frame_time, coadd), _empty(reads))
    in_blocks(reads.shape[0], lambda rows: _fit_rows(rows, work), size=block_rows)
    return work.fit


class _Work(NamedTuple):
    """What is fitted, how, and where the result goes."""

    reads: Rows
    groupdq: Rows | None
    noise: NDArray[Any]
    method: Method
    fit: RampFit


class _Pixels(NamedTuple):
    """Pixels of a block: reads (n, ngroups * nreads), square of the read noise (n,), and what came out."""

    values: NDArray[Any]
    noise: NDArray[np.float64]
    fit: RampFit


def _fit_rows(rows: slice, work: _Work) -> None:
    """Fit all pixels as if they were good, then those with flags again, pattern by pattern."""
    shape = work.method.times.shape
    values = work.reads[rows].reshape(-1, work.method.times.size)
    noise = work.noise[rows].reshape(-1).astype(np.float64)
    known = (noise > 0) & np.isfinite(noise)
    fit = _flat(work.fit, rows, len(values))
    with np.errstate(over="ignore"):
        pixels = _Pixels(values, np.where(known, noise, 1.0) ** 2, fit)
    if work.groupdq is not None:
        fit.groupdq[:] = work.groupdq[rows].reshape(values.shape)
    _fit(pixels, slice(None), pieces(np.ones(shape, dtype=np.intp), work.method))
    flagged = np.flatnonzero((_union(fit.groupdq) & _MEANT).astype(np.bool_) | _not_finite(values))
    if flagged.size:
        flags = _usability(fit.groupdq[flagged], values[flagged], shape)
        for some in _alike(flags):
            _fit(pixels, flagged[some], pieces(_labels(flags[some[0]], shape), work.method))
        fit.dq[flagged] |= _union(flags) & _OF_PIXEL
        everywhere = ((flags & np.uint8(DQ.SATURATED)) != 0).all(axis=1)
        fit.dq[flagged[everywhere]] &= ~np.uint32(DQ.UNRELIABLE_SLOPE)
    give_up_overflows(fit)
    if not known.all():
        fit.rate[~known] = fit.var_poisson[~known] = fit.var_rnoise[~known] = fit.reads_used[~known] = 0
        fit.dq[~known] = (fit.dq[~known] & np.uint32(_OF_PIXEL)) | _NO_ERROR


def _fit(pixels: _Pixels, some: slice | NDArray[np.intp], made_of: Pieces) -> None:
    """Fit pixels that are made of the same pieces and write down what comes out."""
    fit = pixels.fit
    fit.reads_used[some] = min(made_of.used, np.iinfo(fit.reads_used.dtype).max)
    if not made_of.reads:
        fit.rate[some] = fit.var_poisson[some] = fit.var_rnoise[some] = 0
        fit.dq[some] = NO_SLOPE
        return
    with np.errstate(
        invalid="ignore", over="ignore", divide="ignore"
    ):  # of flagged reads; their pixels are fitted again
        result = slopes(pixels.values[some], made_of, noise=pixels.noise[some])
        fit.rate[some], fit.var_poisson[some], fit.var_rnoise[some] = result
    fit.dq[some] = 0


def _not_finite(values: NDArray[Any]) -> Mask:
    """Pixels with a read that is not a number."""
    found: Mask = np.zeros(len(values), dtype=np.bool_)
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        found = ~finite.all(axis=1)
    return found


def _union(flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bits that are set in any read of each pixel."""
    union = np.zeros(len(flags), dtype=np.uint8)
    if flags.any():
        for read in range(flags.shape[1]):  # much faster than along so short an axis
            union |= flags[:, read]
    return union


def _usability(flags: NDArray[np.uint8], values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Flags with SATURATED also in what follows a saturated read, DO_NOT_USE in what is not a number."""
    of_groups = flags.reshape(-1, *shape)
    spread = np.bitwise_or.accumulate(of_groups & np.uint8(DQ.SATURATED), axis=2) | of_groups
    usability = spread.reshape(flags.shape)
    usability[~np.isfinite(values)] |= np.uint8(DQ.DO_NOT_USE)
    return usability


def _labels(flags: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Of each read of a pixel, which piece of its group it belongs to, from 1; 0 if it can't be used."""
    of_groups = flags.reshape(shape)
    numbers = 1 + np.cumsum((of_groups & np.uint8(DQ.JUMP_DET)) != 0, axis=1)
    labels: NDArray[np.intp] = np.where((of_groups & _UNUSABLE) != 0, 0, numbers)
    return labels


def _alike(flags: NDArray[np.uint8]) -> list[NDArray[np.intp]]:
    """Indices of the pixels whose reads have the same flags, for each way they are flagged."""
    bits = np.concatenate([(flags & _UNUSABLE) != 0, (flags & np.uint8(DQ.JUMP_DET)) != 0], axis=1)
    packed = np.packbits(bits, axis=1)
    words = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)
    number = np.zeros(len(flags), dtype=np.int64)
    for word in words.T:  # sorting numbers is much faster than sorting rows
        distinct, which = np.unique(word, return_inverse=True)
        number = np.unique(number * distinct.size + which, return_inverse=True)[1]
    return np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1])


def _empty(reads: Rows) -> RampFit:
    shape = reads.shape[:2]
    real = np.float64 if reads.dtype == np.float64 else np.float32
    return RampFit(
        rate=np.zeros(shape, dtype=real),
        var_poisson=np.zeros(shape, dtype=real),
        var_rnoise=np.zeros(shape, dtype=real),
        dq=np.zeros(shape, dtype=np.uint32),
        groupdq=np.zeros(reads.shape, dtype=np.uint8),
        chi2=np.full(shape, np.nan, dtype=real),
        reads_used=np.zeros(shape, dtype=np.uint16),
    )


def _flat(fit: RampFit, rows: slice, n: int) -> RampFit:
    """Some rows of the result as one row; what is written there is written to the result."""
    return RampFit(
        rate=fit.rate[rows].reshape(n),
        var_poisson=fit.var_poisson[rows].reshape(n),
        var_rnoise=fit.var_rnoise[rows].reshape(n),
        dq=fit.dq[rows].reshape(n),
        groupdq=fit.groupdq[rows].reshape(n, -1),
        chi2=fit.chi2[rows].reshape(n),
        reads_used=fit.reads_used[rows].reshape(n),
    )


def _check(reads: Rows, times: NDArray[np.float64], groupdq: Rows | None) -> None:
    if len(reads.shape) != 4 or 0 in reads.shape:
        raise DataError(
            f"a ramp has the axes row, column, group, read, none of them empty; not {reads.shape}"
        )
    if reads.dtype.kind not in "iuf":
        raise DataError(f"reads have the type {reads.dtype}, not that of real numbers")
    if times.shape != tuple(reads.shape[2:]):
        raise DataError(f"{times.shape} times for {tuple(reads.shape[2:])} groups and reads")
    if not (np.isfinite(times).all() and (np.diff(times, axis=1) > 0).all()):
        raise DataError("the times of the reads do not increase within each group")
    if groupdq is not None and (tuple(groupdq.shape) != tuple(reads.shape) or groupdq.dtype != np.uint8):
        raise DataError(
            f"the reads' DQ is {groupdq.dtype} of the shape {groupdq.shape}, not uint8 of {reads.shape}"
        )


def _noise(read_noise: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    noise = np.asarray(read_noise)
    if noise.ndim == 0 and not (np.isfinite(noise) and noise > 0):
        raise ParameterError(f"the read noise is {noise}; it has to be a positive number of electrons")
    if noise.shape not in ((), shape):
        raise DataError(f"the read noise has the shape {noise.shape}, the detector {shape}")
    return np.broadcast_to(noise, shape)
