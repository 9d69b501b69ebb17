"""Nonlinearity: a polynomial for each pixel turns counts into what a linear detector would give."""

from __future__ import annotations

from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Counts, Flags, Image, Mask
from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels import acceleration, linearity_plain
from reduce.kernels.rampdata import (
    RampArrays,
    ReadFlags,
    Reads,
    checked,
    native,
    optional_flag_plane,
)

Convention: TypeAlias = Literal["sum", "factor"]
"""What coefficients c of a count x mean: ``sum`` is Σ c_k x^k, ``factor`` is (1 + Σ c_k x^k) x, k from 0."""

_TOLERANCE = 1e-9
_MOST_STEPS = 60


def linearize(
    reads: Reads,
    groupdq: ReadFlags | None,
    pixeldq: Counts,
    *,
    coefficients: Image,
    convention: Convention = "sum",
    coefficients_dq: Counts | None = None,
) -> RampArrays:
    """Correct every read by its pixel's polynomial.

    Parameters
    ----------
    reads
        Counts, shape (ny, nx, ngroups, nreads), in the unit and with the zero point that the coefficients
        are made for.
    groupdq
        Bits of each read, the shape of `reads`, uint8; or None. Reads with ``SATURATED`` are not corrected.
    pixeldq
        Bits of each pixel, (ny, nx).
    coefficients
        Shape (ny, nx, ncoef), the lowest power first.
    convention
        See `Convention`.
    coefficients_dq
        The coefficients' flags, (ny, nx), or None.

    Returns
    -------
    RampArrays
        Float32 counts. A pixel is left as it is and gets ``NO_LIN_CORR`` if a coefficient is not finite, if
        the linear term is zero, or if `coefficients_dq` has this flag.

    Raises
    ------
    DataError
        If shapes differ.
    ParameterError
        If there is no such convention.

    Notes
    -----
    The conventions are those of the JWST and of the WFC3 calibration (WFC3 Data Handbook, section on detector
    nonlinearity). Sums are taken in double precision.
    """
    ramp = checked(reads, groupdq, pixeldq)
    flags = optional_flag_plane("the linearity coefficients' DQ", coefficients_dq, reads.shape[:2])
    corrected, unknown = _evaluated(ramp, coefficients, convention, flags, derivative=False)
    flags = ramp.pixeldq | flags
    flags[unknown] |= np.uint32(DQ.NO_LIN_CORR)
    return RampArrays(corrected, ramp.groupdq, flags)


def variance_factor(
    reads: Reads,
    groupdq: ReadFlags | None = None,
    *,
    coefficients: Image,
    convention: Convention = "sum",
    coefficients_dq: Counts | None = None,
) -> NDArray[np.float32]:
    """What the correction multiplies the variance of each read by, to first order: f′(x)².

    Parameters
    ----------
    reads, groupdq, coefficients, convention, coefficients_dq
        As for `linearize`; `reads` before the correction.

    Returns
    -------
    numpy.ndarray
        The shape of `reads`; 1 where `linearize` corrects nothing.

    Raises
    ------
    DataError, ParameterError
        As `linearize`.
    """
    ramp = checked(reads, groupdq, np.zeros(reads.shape[:2], dtype=np.uint32))
    flags = optional_flag_plane("the linearity coefficients' DQ", coefficients_dq, reads.shape[:2])
    return _evaluated(ramp, coefficients, convention, flags, derivative=True)[0]


def noise_factor(
    reads: Reads,
    groupdq: ReadFlags | None = None,
    *,
    coefficients: Image,
    convention: Convention = "sum",
    coefficients_dq: Counts | None = None,
) -> NDArray[np.float32]:
    """What the correction multiplies the read noise of a pixel by: the rms of f′ over some of its reads.

    These are the first, middle and last read of each group, which weigh most in a slope.

    Parameters
    ----------
    reads, groupdq, coefficients, convention, coefficients_dq
        As for `variance_factor`.

    Returns
    -------
    numpy.ndarray
        Shape (ny, nx); 1 where `linearize` corrects nothing.

    Raises
    ------
    DataError, ParameterError
        As `linearize`.
    """
    which = sorted({0, reads.shape[-1] // 2, reads.shape[-1] - 1})
    if not acceleration.available():
        squares = variance_factor(
            np.ascontiguousarray(reads[..., which]),
            None if groupdq is None else np.ascontiguousarray(groupdq[..., which]),
            coefficients=coefficients,
            convention=convention,
            coefficients_dq=coefficients_dq,
        )
        return np.asarray(np.sqrt(squares.mean(axis=(2, 3), dtype=np.float64)), dtype=np.float32)
    from reduce.kernels import linearity_fast

    ramp = checked(reads, groupdq, np.zeros(reads.shape[:2], dtype=np.uint32))
    flags = optional_flag_plane("the linearity coefficients' DQ", coefficients_dq, reads.shape[:2])
    terms, unknown = _terms(coefficients, convention, reads.shape[:2]), flagged(flags, DQ.NO_LIN_CORR)
    skipped = np.zeros((0, 0, 0, 0), np.uint8) if ramp.groupdq is None else ramp.groupdq
    out, some = np.empty(reads.shape[:2], dtype=np.float32), np.array(which)

    def work(rows: slice) -> None:
        linearity_fast.slope(
            ramp.reads[rows],
            skipped[rows],
            terms[rows],
            convention == "factor",
            some,
            unknown[rows],
            out[rows],
        )

    acceleration.in_blocks(reads.shape[0], work)
    return out


def nonlinear(linear: Image, coefficients: Image, *, convention: Convention = "sum") -> NDArray[np.float64]:
    """The counts that `linearize` corrects to given ones.

    Parameters
    ----------
    linear
        Linear counts, shape (ny, nx, …). NaN and infinity stay.
    coefficients, convention
        As for `linearize`.

    Returns
    -------
    numpy.ndarray
        The shape of `linear`; the same counts for pixels that have no correction.

    Raises
    ------
    DataError
        If shapes differ, or no count is corrected to a given one: the polynomial ends below it. Clip such
        counts at the full well first.
    ParameterError
        If there is no such convention.

    Notes
    -----
    Newton's method from the linear count on, until a step is below 1e-9 of the count.
    """
    counts = np.ascontiguousarray(linear, dtype=np.float64)
    if counts.ndim < 2:
        raise DataError(f"linear counts have rows and columns; these have the shape {counts.shape}")
    terms = _terms(coefficients, convention, counts.shape[:2])
    out = np.empty_like(counts)
    shape = (*counts.shape[:2], prod(counts.shape[2:]))
    invert = _invert_fast if acceleration.available() else linearity_plain.invert
    lost = invert(
        counts.reshape(shape), terms, convention == "factor", _TOLERANCE, _MOST_STEPS, out.reshape(shape)
    )
    if lost:
        raise DataError(
            f"{lost} of {counts.size} linear counts have no inverse of the linearity correction",
            "clip them at the full well",
        )
    return out


def _terms(coefficients: Image, convention: Convention, shape: tuple[int, ...]) -> NDArray[Any]:
    if convention not in ("sum", "factor"):
        raise ParameterError(f"linearity coefficients are a sum or a factor, not {convention!r}")
    if coefficients.ndim != 3 or coefficients.shape[:2] != shape:
        raise DataError(
            f"the linearity coefficients have the shape {coefficients.shape}, the data {shape}",
            "they need the axes row, column, power",
        )
    if coefficients.dtype.kind != "f":
        raise DataError(f"the linearity coefficients have the type {coefficients.dtype}, not float")
    least = 2 if convention == "sum" else 1
    if coefficients.shape[2] < least:
        raise DataError(f"{coefficients.shape[2]} linearity coefficients a pixel; {least} is the least")
    return native(coefficients)


def _evaluated(
    ramp: RampArrays, coefficients: Image, convention: Convention, flags: Flags, *, derivative: bool
) -> tuple[NDArray[np.float32], Mask]:
    terms = _terms(coefficients, convention, ramp.reads.shape[:2])
    unknown = flagged(flags, DQ.NO_LIN_CORR)
    evaluate = _evaluate_fast if acceleration.available() else linearity_plain.evaluate
    return evaluate(ramp.reads, ramp.groupdq, terms, convention == "factor", derivative, unknown), unknown


def _evaluate_fast(
    reads: Reads,
    groupdq: ReadFlags | None,
    terms: NDArray[Any],
    is_factor: bool,
    is_derivative: bool,
    unknown: Mask,
) -> NDArray[np.float32]:
    from reduce.kernels import linearity_fast

    shape = (*reads.shape[:2], reads.shape[2] * reads.shape[3])
    flat = reads.reshape(shape)
    skipped = np.zeros((0, 0, 0), np.uint8) if groupdq is None else groupdq.reshape(shape)
    out = np.empty(shape, dtype=np.float32)

    def work(rows: slice) -> None:
        linearity_fast.evaluate(
            flat[rows], skipped[rows], terms[rows], is_factor, is_derivative, out[rows], unknown[rows]
        )

    acceleration.in_blocks(shape[0], work)
    return out.reshape(reads.shape)


def _invert_fast(
    linear: NDArray[np.float64],
    terms: NDArray[Any],
    is_factor: bool,
    tolerance: float,
    limit: int,
    out: NDArray[np.float64],
) -> int:
    from reduce.kernels import linearity_fast

    lost: list[int] = []

    def work(rows: slice) -> None:
        lost.append(linearity_fast.invert(linear[rows], terms[rows], is_factor, tolerance, limit, out[rows]))

    acceleration.in_blocks(linear.shape[0], work)
    return sum(lost)
