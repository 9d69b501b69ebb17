"""Polynomials of single pixels with NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Mask
from reduce.dq import DQ
from reduce.kernels.rampdata import ReadFlags, Reads


def evaluate(
    reads: Reads,
    groupdq: ReadFlags | None,
    coefficients: NDArray[Any],
    is_factor: bool,
    is_derivative: bool,
    unknown: Mask,
) -> NDArray[np.float32]:
    """Corrected reads, or squares of the correction's derivative at them.

    `reads` and `groupdq` are (ny, nx, ngroups, nreads), `coefficients` is (ny, nx, ncoef). `unknown` (ny, nx)
    says which pixels have no correction; it becomes true for those with unusable coefficients.
    """
    polynomial = _polynomial(coefficients, is_factor, unknown)[:, :, None, None, :]
    if is_derivative:
        polynomial = _derivative(polynomial)
    sums = _horner(reads, polynomial)
    with np.errstate(over="ignore", invalid="ignore"):
        result = (sums * sums if is_derivative else sums).astype(np.float32)
    untouched = unknown[:, :, None, None]
    if groupdq is not None:
        untouched = untouched | ((groupdq & np.uint8(DQ.SATURATED)) != 0)
    np.copyto(result, 1.0 if is_derivative else reads, where=untouched, casting="same_kind")
    return result


def invert(
    linear: NDArray[np.float64],
    coefficients: NDArray[Any],
    is_factor: bool,
    tolerance: float,
    limit: int,
    out: NDArray[np.float64],
) -> int:
    """Newton's iterations for counts whose correction is `linear`; tells how many did not converge.

    `linear` and `out` are (ny, nx, n), `coefficients` (ny, nx, ncoef).
    """
    unknown = np.zeros(linear.shape[:2], dtype=np.bool_)
    polynomial = _polynomial(coefficients, is_factor, unknown)[:, :, None, :]
    out[:] = linear
    waiting = np.isfinite(linear)
    for _ in range(limit):
        if not waiting.any():
            break
        with np.errstate(all="ignore"):
            slope = _horner(out, _derivative(polynomial))
            step = (_horner(out, polynomial) - linear) / slope
            moved = out - step
            close = (slope > 0) & (np.abs(step) <= tolerance * np.maximum(np.abs(moved), 1.0))
        np.copyto(out, moved, where=waiting)
        waiting &= ~close
    return int(waiting.sum())


def _polynomial(coefficients: NDArray[Any], is_factor: bool, unknown: Mask) -> NDArray[np.float64]:
    wide = coefficients.astype(np.float64)
    if is_factor:
        wide = np.concatenate([np.zeros_like(wide[..., :1]), wide], axis=2)
        wide[..., 1] += 1.0
    unknown |= ~np.isfinite(coefficients).all(axis=2) | (wide[..., 1] == 0)
    identity = np.zeros(wide.shape[2])
    identity[1] = 1.0
    wide[unknown] = identity
    return wide


def _derivative(polynomial: NDArray[np.float64]) -> NDArray[np.float64]:
    derivative: NDArray[np.float64] = polynomial[..., 1:] * np.arange(1, polynomial.shape[-1])
    return derivative


def _horner(values: NDArray[Any], polynomial: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.broadcast_to(polynomial[..., -1], values.shape).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        for power in range(polynomial.shape[-1] - 2, -1, -1):
            sums *= values
            sums += polynomial[..., power]
    return sums
