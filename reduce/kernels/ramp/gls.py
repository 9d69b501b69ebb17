"""Generalised least squares: the slope of a ramp with the full covariance of its reads.

Reads of a ramp share their photons, so their noise is correlated; differences of successive reads are
correlated with their neighbours only. The slope that is best for that covariance (Brandt 2024a,
arXiv:2309.08753) takes a time proportional to the number of reads.

The covariance needs the rate. The first guess has the weights of read noise alone, which don't depend on the
data; from its rate comes a covariance and a better rate, and from that the last one. A rate that is fitted
with the right covariance is not correlated with the residuals, so weights taken from it leave the next fit
unbiased, also where noise is as large as the signal and negative rates are taken as 0. A single pass
(``debias=False``) is a little faster and biased by up to some thousandths of σ.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Flags, Image, Rows
from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels import acceleration
from reduce.kernels.ramp import gls_reference
from reduce.kernels.ramp.fit import RampFit, give_up_overflows
from reduce.kernels.ramp.gls_sampling import Sampling, sampling
from reduce.kernels.ramp.jumps import Thresholds, thresholds

_REFERENCE_ROWS = 4


class Settings(NamedTuple):
    """What is the same for all pixels; `limits` is None if no jumps are looked for."""

    samples: Sampling
    limits: Thresholds | None
    passes: int


class Block(NamedTuple):
    """Some pixels: reads and their flags (pixels, reads) or None, noise of a frame (pixels,) or (1,)."""

    reads: NDArray[np.generic]
    flags: NDArray[np.uint8] | None
    noise: NDArray[np.float32]


class Output(NamedTuple):
    """Where the result of some pixels goes: (pixels,) each; `groupdq` is (pixels, reads)."""

    rate: Image
    var_poisson: Image
    var_rnoise: Image
    dq: Flags
    groupdq: NDArray[np.uint8]
    chi2: Image
    reads_used: NDArray[np.uint16]


def fit_gls(
    reads: Rows,
    times: ArrayLike,
    *,
    read_noise: ArrayLike,
    groupdq: Rows | None = None,
    frames: ArrayLike = 1,
    frame_time: float = 0.0,
    find_jumps: bool = False,
    jump_threshold: float = 4.5,
    debias: bool = True,
    block_rows: int = 64,
) -> RampFit:
    """Fit the slope of each pixel by generalised least squares.

    Groups are fitted together, at one rate; the level after each reset is free.

    Parameters
    ----------
    reads
        Electrons, (ny, nx, ngroups, nreads), integer or floating. NaN is a read that can't be used.
    times
        Mean times of the reads since the reset in s, (ngroups, nreads).
    read_noise
        Standard deviation of a single frame, electrons, a number or (ny, nx). Pixels where it is not
        positive and finite get ``DO_NOT_USE`` and ``UNRELIABLE_ERROR``.
    groupdq
        Bits of the reads, the shape of `reads`, uint8. Reads with ``DO_NOT_USE`` or ``SATURATED`` are left
        out, and those that follow a saturated one in its group; with ``JUMP_DET`` the charge that came since
        the read before is.
    frames
        Frames averaged to a read, a number or (nreads,).
    frame_time
        Seconds between these frames.
    find_jumps
        Whether to look for jumps of the charge and leave the differences that have them out: Brandt (2024b,
        arXiv:2404.01326), see `jumps`. Of only two differences that differ too much, the higher one has the
        jump, as in Anderson & Gordon (2011, PASP 123, 1237).
    jump_threshold
        Significance of a jump, in σ.
    debias
        Fit again with the covariance at the fitted rate; see the module.
    block_rows
        Rows worked on at a time in each thread; has no effect on the result.

    Returns
    -------
    RampFit
        In float32. Where there is no slope the rate and its variances are 0 and chi-squared is NaN, with
        ``DO_NOT_USE`` and ``UNRELIABLE_SLOPE``; with ``DO_NOT_USE`` and ``SATURATED`` where all reads are
        saturated. `var_poisson` is that of the fitted rate, but of no less than a hundredth of its σ by read
        noise: it is positive for negative rates too.

    Raises
    ------
    DataError
        If shapes don't fit, there are no reads, or times don't increase.
    ParameterError
        If a parameter has a value that is not allowed.
    """
    _check(reads, times, groupdq, block_rows)
    ny, nx = reads.shape[:2]
    noise = _noise(read_noise, (ny, nx))
    samples = sampling(times, frames=frames, frame_time=frame_time)
    settings = Settings(samples, thresholds(jump_threshold) if find_jumps else None, 2 if debias else 1)
    result = _empty(reads.shape)
    fast = acceleration.available()

    def work(rows: slice) -> None:
        block = _block(reads[rows], None if groupdq is None else groupdq[rows], noise, rows)
        output = Output._make(_flat(array[rows]) for array in result)
        if block.flags is not None:
            output.groupdq[:] = block.flags
        if fast:
            from reduce.kernels.ramp import gls_fast

            gls_fast.fit(block, output, settings)
        else:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                _fit(block, output, settings)
        give_up_overflows(RampFit._make(array[rows] for array in result))

    acceleration.in_blocks(ny, work, size=block_rows if fast else min(block_rows, _REFERENCE_ROWS))
    return result


def _check(reads: Rows, times: ArrayLike, groupdq: Rows | None, block_rows: int) -> None:
    if len(reads.shape) != 4 or 0 in reads.shape:
        raise DataError(
            f"a ramp has the axes row, column, group, read, none of them empty; not {reads.shape}"
        )
    if np.shape(times) != tuple(reads.shape[2:]):
        raise DataError(f"{np.shape(times)!r} times for {tuple(reads.shape[2:])} groups and reads")
    if reads.dtype.kind not in "iuf":
        raise DataError(f"reads have the type {reads.dtype}, not numbers")
    if groupdq is not None and (tuple(groupdq.shape) != tuple(reads.shape) or groupdq.dtype != np.uint8):
        raise DataError(
            f"the reads' DQ is {groupdq.dtype} of shape {groupdq.shape}, not uint8 of shape {reads.shape}"
        )
    if block_rows < 1:
        raise ParameterError(f"blocks of {block_rows} rows; it has to be at least one")


def _noise(read_noise: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        noise = np.asarray(read_noise, dtype=np.float32)
    if noise.shape == ():
        if not (np.isfinite(noise) and noise > 0):
            raise ParameterError(f"the read noise is {noise}; it has to be positive")
    elif noise.shape != shape:
        raise DataError(f"the read noise has the shape {noise.shape}, the image {shape}")
    return noise


def _empty(shape: tuple[int, ...]) -> RampFit:
    """A result to be filled; only what is not 0 is written to its flags."""
    image = shape[:2]
    return RampFit(
        rate=np.empty(image, np.float32),
        var_poisson=np.empty(image, np.float32),
        var_rnoise=np.empty(image, np.float32),
        dq=np.zeros(image, np.uint32),
        groupdq=np.zeros(shape, np.uint8),
        chi2=np.empty(image, np.float32),
        reads_used=np.empty(image, np.uint16),
    )


def _flat(array: NDArray[Any]) -> NDArray[Any]:
    """A view with the pixels along one axis."""
    return array.reshape(array.shape[0] * array.shape[1], *((-1,) if array.ndim > 2 else ()))


def _block(
    reads: NDArray[np.generic], flags: NDArray[np.uint8] | None, noise: NDArray[np.float32], rows: slice
) -> Block:
    """Rows in the machine's byte order, as uint16, float32 or float64."""
    native = reads.dtype.newbyteorder("=")
    if native not in (np.uint16, np.float32, np.float64):
        native = np.dtype(np.float32 if native.itemsize < np.dtype(np.float32).itemsize else np.float64)
    return Block(
        _flat(np.ascontiguousarray(reads, dtype=native)),
        None if flags is None else _flat(np.ascontiguousarray(flags)),
        noise.reshape(1) if noise.ndim == 0 else noise[rows].ravel(),
    )


def _fit(block: Block, output: Output, settings: Settings) -> None:
    """Fit a block in NumPy."""
    reads = block.reads.astype(np.float64)
    flags = np.zeros(reads.shape, np.uint8) if block.flags is None else block.flags
    noise = np.broadcast_to(block.noise.astype(np.float64), reads.shape[:1])
    good = np.isfinite(noise) & (noise > 0)
    full = _saturated(flags, settings.samples)
    unusable = full | ((flags & DQ.DO_NOT_USE) != 0) | ~np.isfinite(reads) | ~good[:, None]
    result = gls_reference.fit(
        np.where(unusable, 0, reads),
        unusable,
        (flags & DQ.JUMP_DET) != 0,
        np.where(good, noise, 1) ** 2,
        samples=settings.samples,
        limits=settings.limits,
        passes=settings.passes,
    )
    for name in ("rate", "var_poisson", "var_rnoise", "chi2", "reads_used"):
        getattr(output, name)[:] = getattr(result, name)
    output.groupdq[result.jumps] |= np.uint8(DQ.JUMP_DET)
    none = result.reads_used == 0
    for where, bits in (
        ((flags & DQ.SATURATED).any(axis=1), DQ.SATURATED),
        ((output.groupdq & DQ.JUMP_DET).any(axis=1), DQ.JUMP_DET),
        (none, DQ.DO_NOT_USE),
        (none & good & ~full.all(axis=1), DQ.UNRELIABLE_SLOPE),
        (~good, DQ.UNRELIABLE_ERROR),
    ):
        output.dq[where] |= np.uint32(bits)


def _saturated(flags: NDArray[np.uint8], samples: Sampling) -> NDArray[np.bool_]:
    """Saturated reads and those that follow one in its group."""
    full: NDArray[np.bool_] = (flags & DQ.SATURATED) != 0
    for read in range(1, full.shape[1]):
        if samples.group[read] == samples.group[read - 1]:
            full[:, read] |= full[:, read - 1]
    return full
