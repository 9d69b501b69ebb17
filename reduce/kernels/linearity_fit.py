"""The linearity correction of each pixel from ramps of a steady lamp.

Corrected counts have to grow evenly: ``f(raw) = raw + c_2 raw**2 + … = F t + pedestal``. Its difference from
read to read is linear in F and the c_k,

    Δraw = F Δt - Σ c_k Δ(raw**k),

whose noise is that of the photons of one step, so a cosmic ray spoils one step only and the pedestal drops
out. The noise of raw is also on the right, which would bias least squares. Powers of time stand in for those
of raw as instruments: the normal equations are ``Zᵀ X c = Zᵀ y`` with Z from Δ(t**k) (Wooldridge 2010,
Econometric Analysis of Cross Section and Panel Data, chapter 5).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Flags, Image, Mask
from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.acceleration import in_blocks
from reduce.kernels.medians import median

_UNIT = 65536.0
"""Counts in this unit keep the equations well conditioned."""
_FLAT = 0.3
"""A ramp has stopped growing where a step is shorter than this, in units of its first steps."""
_BELOW = 0.98
"""What is taken as saturated, in units of the counts where it stopped."""
_SURELY = 0.99
"""The middle ramp chooses the reads, this much below saturation: each ramp's own noise would bias them."""
_JUMP = 6.0
_SIGNIFICANT = 10.0
_ROWS = 16


class LinearityFit(NamedTuple):
    """The correction ``linear = sum(c_k raw**k)`` of each pixel, for DN above the bias.

    Parameters
    ----------
    coefficients
        c_0 = 0, c_1 = 1 and those that were fitted, (ny, nx, order + 1).
    errors
        Standard deviations of them, the same shape; 0 for what was not fitted.
    saturation
        DN above the bias from which counts can't be used, (ny, nx); the highest that was seen if the ramp
        never stopped, with ``NO_SAT_CHECK``.
    rate
        DN/s of the lamp, (ny, nx).
    dq
        ``NO_LIN_CORR`` where the fit was not possible or its result is of no use, so that the correction
        there changes nothing, (ny, nx).
    """

    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64]
    saturation: NDArray[np.float64]
    rate: NDArray[np.float64]
    dq: Flags


class _Ramps(NamedTuple):
    """Ramps (n, rows, nx, nreads) in `_UNIT`, times from 0 to 1, and noise in `_UNIT`, (rows, nx)."""

    raw: NDArray[np.float64]
    times: NDArray[np.float64]
    photon: NDArray[np.float64]
    noise: NDArray[np.float64]
    limit: NDArray[np.float64]


class _Solution(NamedTuple):
    """Rate and c_2… in `_UNIT`, (rows, nx, order), their covariance, and whether there is one."""

    terms: NDArray[np.float64]
    covariance: NDArray[np.float64]
    solved: Mask


def linearity_fit(
    ramps: Image,
    times: ArrayLike,
    *,
    gain: float | Image,
    read_noise: float | Image,
    order: int = 3,
    saturation: Image | None = None,
    tolerance: float = 0.02,
) -> LinearityFit:
    """Fit the linearity correction.

    Parameters
    ----------
    ramps
        DN above the bias, corrected for reference pixels, (n, ny, nx, nreads): n ramps of the same lamp,
        which has to be steady within each of them. They should go to saturation: beyond the highest counts
        the correction is a guess. With 3 or more, cosmic rays are left out.
    times
        Seconds from the reset, (nreads,).
    gain
        e-/DN, a number or (ny, nx).
    read_noise
        e- rms of a read, a number or (ny, nx).
    order
        The highest power.
    saturation
        DN above the bias from which counts are left out, (ny, nx); estimated from the ramps by default.
    tolerance
        A correction whose error at the highest counts is a larger share of them is of no use.

    Raises
    ------
    DataError
        If shapes don't fit, times don't increase, or reads are too few.
    """
    clock = np.asarray(times, dtype=np.float64)
    _check(ramps, clock, order, saturation)
    shape = ramps.shape[1:3]
    gains = np.broadcast_to(np.asarray(gain, dtype=np.float64), shape) * _UNIT
    noises = np.broadcast_to(np.asarray(read_noise, dtype=np.float64), shape) / gains
    coefficients, errors = np.zeros((2, *shape, order + 1))
    levels, rate = np.zeros((2, *shape))
    dq = np.zeros(shape, dtype=np.uint32)

    def work(rows: slice) -> None:
        raw = ramps[:, rows].astype(np.float64) / _UNIT
        limit, seen = _saturation(raw) if saturation is None else _given(saturation[rows] / _UNIT)
        some = _Ramps(raw, clock / clock[-1], 1 / gains[rows], noises[rows], limit)
        part = _fitted(some, order, tolerance)
        coefficients[rows], errors[rows], levels[rows], rate[rows], dq[rows] = part
        rate[rows] /= clock[-1]
        lost = ~seen if saturation is not None else ~seen | (part.dq != 0)
        dq[rows] |= np.where(lost, DQ.NO_SAT_CHECK, 0).astype(np.uint32)

    in_blocks(shape[0], work, size=_ROWS)
    return LinearityFit(coefficients, errors, levels, rate, dq)


def _check(ramps: Image, times: NDArray[np.float64], order: int, saturation: Image | None) -> None:
    if ramps.ndim != 4 or 0 in ramps.shape:
        raise DataError(f"ramps have the axes ramp, row, column, read; these have the shape {ramps.shape}")
    if times.shape != ramps.shape[3:]:
        raise DataError(f"{times.shape} times for {ramps.shape[3]} reads")
    if not (np.diff(times, prepend=0) >= 0).all() or not (np.diff(times) > 0).all():
        raise DataError("the times don't increase from the reset")
    if order < 2:
        raise ParameterError(f"a correction of the order {order} corrects nothing; the lowest is 2")
    if ramps.shape[3] < order + 2:
        raise DataError(f"{ramps.shape[3]} reads are too few for the order {order}; {order + 2} are needed")
    if saturation is not None and saturation.shape != ramps.shape[1:3]:
        raise DataError(f"the saturation has the shape {saturation.shape}, the ramps {ramps.shape[1:3]}")


def _fitted(ramps: _Ramps, order: int, tolerance: float) -> LinearityFit:
    """The fit of some rows, with the rate a duration of the ramp."""
    solution = _solution(ramps, order)
    useful = solution.solved & _is_useful(solution, ramps, tolerance)
    units = _UNIT ** (1.0 - np.arange(2, order + 1))
    deviations = np.sqrt(np.maximum(np.diagonal(solution.covariance, axis1=2, axis2=3)[..., 1:], 0))
    coefficients, errors = np.zeros((2, *useful.shape, order + 1))
    coefficients[..., 1] = 1
    coefficients[..., 2:] = np.where(useful[..., None], solution.terms[..., 1:] * units, 0)
    errors[..., 2:] = np.where(useful[..., None], deviations * units, 0)
    rate = np.where(solution.solved, solution.terms[..., 0], 0) * _UNIT
    dq = np.where(useful, 0, DQ.NO_LIN_CORR).astype(np.uint32)
    return LinearityFit(coefficients, errors, ramps.limit * _UNIT, rate, dq)


def _given(saturation: Image) -> tuple[NDArray[np.float64], Mask]:
    known = np.isfinite(saturation) & (saturation > 0)
    return np.where(known, saturation, 0).astype(np.float64), known


def _saturation(raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], Mask]:
    """Where ramps stop growing, and whether they do, (rows, nx)."""
    mean = np.nan_to_num(median(raw))
    steps = np.diff(mean, axis=-1)
    start = np.maximum(np.median(steps[..., :3], axis=-1, keepdims=True), 0)
    short = steps < _FLAT * start
    stays = np.logical_and.accumulate(short[..., ::-1], axis=-1)[..., ::-1]
    plateau = np.where(stays, mean[..., 1:], 0).sum(axis=-1) / np.maximum(stays.sum(axis=-1), 1)
    stopped = stays[..., -1] & (plateau > 0)
    return np.where(stopped, _BELOW * plateau, mean.max(axis=-1)), stopped


def _solution(ramps: _Ramps, order: int) -> _Solution:
    """Solve for the rate and the coefficients of each pixel."""
    use = _usable(ramps)
    instruments = np.diff(np.power.outer(ramps.times, np.arange(1, order + 1)), axis=0)
    steps = np.diff(ramps.times)
    raw = np.where(np.isfinite(ramps.raw), ramps.raw, 0)
    columns = [np.broadcast_to(steps, use.shape), *(-np.diff(raw**k, axis=-1) for k in range(2, order + 1))]
    normal = np.stack([np.einsum("mrcs,sk->rck", column * use, instruments) for column in columns], axis=-1)
    right = np.einsum("mrcs,sk->rck", np.diff(raw, axis=-1) * use, instruments)
    count = use.any(axis=0).sum(axis=-1)
    solved = (count > order) & (np.linalg.cond(normal) < 1e12)
    normal[~solved] = np.eye(order)
    terms = np.linalg.solve(normal, right[..., None])[..., 0]
    inverse = np.linalg.inv(normal)
    spread = _spread(ramps, use, instruments, terms)
    return _Solution(terms, inverse @ spread @ np.swapaxes(inverse, -1, -2), solved)


def _usable(ramps: _Ramps) -> Mask:
    """Steps between two reads below saturation, without a cosmic ray, (n, rows, nx, nreads - 1)."""
    with np.errstate(invalid="ignore"):
        limit = ramps.limit[..., None]
        below = (ramps.raw < limit) & (median(ramps.raw) < _SURELY * limit)
        fine = np.logical_and.accumulate(below, axis=-1)
        use: Mask = fine[..., 1:] & fine[..., :-1]
        if len(ramps.raw) >= 3:
            steps = np.diff(ramps.raw, axis=-1)
            middle = np.nan_to_num(median(steps))
            expected = np.maximum(middle, 0) * ramps.photon[..., None] + 2 * ramps.noise[..., None] ** 2
            use &= np.abs(steps - middle) <= _JUMP * np.sqrt(expected)
    return use


def _spread(
    ramps: _Ramps, use: Mask, instruments: NDArray[np.float64], terms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Covariance of ``Zᵀ y``: photons of each step, and the read noise that two steps share."""
    powers = np.arange(2, terms.shape[-1] + 1)
    level = np.where(np.isfinite(ramps.raw), ramps.raw, 0).mean(axis=0)
    gradient = 1 + np.einsum(
        "rcsk,rck->rcs", powers * np.power.outer(level, powers - 1), terms[..., 1:], optimize=True
    )
    photons = np.maximum(terms[..., :1], 0) * np.diff(ramps.times) * ramps.photon[..., None] * use.sum(axis=0)
    result = np.einsum("rcs,sk,sl->rckl", photons, instruments, instruments, optimize=True)
    for one in use:
        weighted = one[..., None] * instruments
        shared = np.pad(weighted, ((0, 0), (0, 0), (1, 0), (0, 0))) - np.pad(
            weighted, ((0, 0), (0, 0), (0, 1), (0, 0))
        )
        shared *= (gradient * ramps.noise[..., None])[..., None]
        result += np.swapaxes(shared, -1, -2) @ shared
    return np.asarray(result)


def _is_useful(solution: _Solution, ramps: _Ramps, tolerance: float) -> Mask:
    """Where the correction grows all the way to the highest counts and is well known there."""
    order = solution.terms.shape[-1]
    powers = np.arange(2, order + 1)
    seen = np.where(np.isfinite(ramps.raw), ramps.raw, 0).max(axis=(0, 3))
    highest = np.clip(seen, 1e-9, np.maximum(ramps.limit, 1e-9))
    grid = np.linspace(0, 1, 17)[:, None, None, None] * highest[..., None]
    gradient = 1 + (powers * grid ** (powers - 1) * solution.terms[..., 1:]).sum(axis=-1)
    direction = highest[..., None] ** powers
    covariance = solution.covariance[..., 1:, 1:]
    variance = np.einsum("rck,rckl,rcl->rc", direction, covariance, direction, optimize=True)
    known = np.sqrt(np.maximum(variance, 0)) <= tolerance * highest
    grows = (gradient > 0).all(axis=0)
    lit = solution.terms[..., 0] > _SIGNIFICANT * np.sqrt(np.maximum(solution.covariance[..., 0, 0], 0))
    return np.asarray(grows & known & lit)
