"""The compiled fit of a single ramp in double precision, for ramps with flagged reads or jumps.

The same computation as `gls_reference`, one pixel at a time. A ramp is a float64 array `q` with a row for
each quantity and a column for each difference; column 0 stays 0, the first difference is in column 1, and the
column after the last is 0 too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reduce.kernels.ramp.gls_reference import FLOOR

Array = NDArray[Any]

QUANTITIES = 15
VALUE, SPAN, NOISE, PHOTONS, NOISE_LINK, PHOTONS_LINK = 0, 1, 2, 3, 4, 5
FACTOR, INVERSE, Y, Z, RESPONSE, RESIDUAL, PRECISION, FIRST, LAST = 6, 7, 8, 9, 10, 11, 12, 13, 14

DO_NOT_USE, SATURATED, JUMP = 1, 2, 4
UNRELIABLE_ERROR, UNRELIABLE_SLOPE = 1 << 8, 1 << 24


@njit(nogil=True, cache=True, error_model="numpy")
def gather(values: Array, flags: Array, samples: Array, q: Array) -> int:
    """Put the usable differences of reads into a ramp; gives their number.

    `samples` has the rows times, blur, share and group of `gls_sampling.Sampling`.
    """
    number, before = 0, -1
    broken = full = False
    for read in range(values.size):
        if read == 0 or samples[3, read] != samples[3, read - 1]:
            before, broken, full = -1, False, False
        full = full or (flags[read] & SATURATED) != 0
        broken = broken or (flags[read] & JUMP) != 0
        if full or (flags[read] & DO_NOT_USE) != 0 or not math.isfinite(values[read]):
            continue
        if before >= 0 and not broken:
            number += 1
            linked = number > 1 and q[LAST, number - 1] == before
            span = samples[0, read] - samples[0, before]
            q[VALUE, number] = values[read] - values[before]
            q[SPAN, number] = span
            q[NOISE, number] = samples[2, before] + samples[2, read]
            q[PHOTONS, number] = span - samples[1, before] - samples[1, read]
            q[NOISE_LINK, number] = -samples[2, before] if linked else 0.0
            q[PHOTONS_LINK, number] = samples[1, before] if linked else 0.0
            q[FIRST, number] = before
            q[LAST, number] = read
        before, broken = read, False
    return number


@njit(nogil=True, cache=True, error_model="numpy")
def solve(q: Array, number: int, photons: float, rate: float) -> tuple[float, float, float]:
    """Fit with a given covariance: rate, information and chi-squared, in units of the noise of a frame."""
    information = along = chi2 = 0.0
    for i in range(1, number + 1):
        link = q[NOISE_LINK, i] + photons * q[PHOTONS_LINK, i]
        factor = link * q[INVERSE, i - 1]
        inverse = 1 / (q[NOISE, i] + photons * q[PHOTONS, i] - factor * link)
        y = q[SPAN, i] - factor * q[Y, i - 1]
        z = q[VALUE, i] - rate * q[SPAN, i] - factor * q[Z, i - 1]
        information += y * y * inverse
        along += y * z * inverse
        chi2 += z * z * inverse
        q[FACTOR, i], q[INVERSE, i], q[Y, i], q[Z, i] = factor, inverse, y, z
    step = along / information
    return rate + step, information, max(chi2 - step * step * information, 0.0)


@njit(nogil=True, cache=True, error_model="numpy")
def substitute(q: Array, number: int, step: float) -> None:
    """Response, residual and precision of the last `solve`, whose rate grew by `step`."""
    for row in (FACTOR, RESPONSE, RESIDUAL, PRECISION):
        q[row, number + 1] = 0.0
    for i in range(number, 0, -1):
        factor = q[FACTOR, i + 1]
        q[RESPONSE, i] = q[Y, i] * q[INVERSE, i] - factor * q[RESPONSE, i + 1]
        z = q[Z, i] - step * q[Y, i]
        q[RESIDUAL, i] = z * q[INVERSE, i] - factor * q[RESIDUAL, i + 1]
        q[PRECISION, i] = q[INVERSE, i] + factor * factor * q[PRECISION, i + 1]


@njit(nogil=True, cache=True, error_model="numpy")
def suspect(q: Array, number: int, samples: Array, information: float, limits: Array) -> tuple[int, int]:
    """The likeliest jump: its first difference or 0, and how many; see `jumps.suspects`.

    `limits` are the thresholds in units of the reads.
    """
    one, one_at, two, two_at = -math.inf, 0, -math.inf, 0
    for i in range(1, number + 1):
        g, h = q[RESIDUAL, i], q[RESPONSE, i]
        m = q[PRECISION, i] - h * h / information
        fall = (g * g / m if m > 0 else 0.0) - limits[0]
        if fall > one:
            one, one_at = fall, i
        if i == number or number < 4 or q[FIRST, i + 1] != q[LAST, i]:
            continue
        if samples[2, int(q[LAST, i])] == 1:
            continue
        g_next, h_next = q[RESIDUAL, i + 1], q[RESPONSE, i + 1]
        m_next = q[PRECISION, i + 1] - h_next * h_next / information
        mixed = -q[FACTOR, i + 1] * q[PRECISION, i + 1] - h * h_next / information
        determinant = m * m_next - mixed * mixed
        if determinant > 0:
            fall = (g * g * m_next - 2 * g * g_next * mixed + g_next * g_next * m) / determinant - limits[1]
            if fall > two:
                two, two_at = fall, i
    if two > one:
        return (two_at if two > 0 else 0), 2
    return (one_at if one > 0 else 0), 1


@njit(nogil=True, cache=True, error_model="numpy")
def drop(q: Array, number: int, at: int, count: int) -> int:
    """Leave differences out; gives how many remain."""
    for i in range(at, number - count + 1):
        for row in range(q.shape[0]):
            q[row, i] = q[row, i + count]
    if at <= number - count:
        q[NOISE_LINK, at] = 0.0
        q[PHOTONS_LINK, at] = 0.0
    return number - count


@njit(nogil=True, cache=True, error_model="numpy")
def fit(
    q: Array, number: int, samples: Array, variance: float, limits: Array, passes: int, jumped: Array
) -> tuple[int, float, float, float]:
    """Fit a ramp and leave out its jumps; `limits` is empty to look for none.

    Gives the number of differences that remain, rate, information and chi-squared. The reads that end a
    difference with a jump get ``JUMP_DET`` in `jumped`.
    """
    while True:
        rate, information, chi2 = solve(q, number, 0.0, 0.0)
        before = rate
        for _ in range(passes):
            before = rate
            rate, information, chi2 = solve(q, number, max(rate, 0.0) / variance, rate)
        substitute(q, number, rate - before)
        if limits.size == 0 or number < 2:
            break
        if number == 2:
            at, count = 0, 1
            if chi2 > limits[0] * variance:
                at = 1 + (q[VALUE, 2] * q[SPAN, 1] > q[VALUE, 1] * q[SPAN, 2])
        else:
            at, count = suspect(q, number, samples, information, limits * variance)
        if at == 0:
            break
        for i in range(at, at + count):
            jumped[int(q[LAST, i])] |= JUMP
        number = drop(q, number, at, count)
    return number, rate, information, chi2 / variance


@njit(nogil=True, cache=True, error_model="numpy")
def parts(q: Array, number: int, samples: Array, information: float) -> tuple[float, float, int]:
    """Variance by read noise for unit noise, by photons for unit rate, and the number of reads."""
    noise = photons = 0.0
    reads = 0
    for i in range(1, number + 1):
        weight = q[RESPONSE, i] / information
        before = q[RESPONSE, i - 1] / information if q[NOISE_LINK, i] != 0 else 0.0
        noise += q[NOISE, i] * weight * weight + 2 * q[NOISE_LINK, i] * weight * before
        photons += q[PHOTONS, i] * weight * weight + 2 * q[PHOTONS_LINK, i] * weight * before
        reads += 1 if q[NOISE_LINK, i] != 0 else 2
    return noise, photons, reads


@njit(nogil=True, cache=True, error_model="numpy")
def quality(flags: Array, jumped: Array, samples: Array, number: int) -> int:
    """Bits of the pixel."""
    bits = 0
    full, all_full = False, True
    for read in range(flags.size):
        bits |= (flags[read] & SATURATED) | ((flags[read] | jumped[read]) & JUMP)
        if read == 0 or samples[3, read] != samples[3, read - 1]:
            full = False
        full = full or (flags[read] & SATURATED) != 0
        all_full = all_full and full
    if number == 0:
        bits |= DO_NOT_USE
        if not all_full:
            bits |= UNRELIABLE_SLOPE
    return bits


@njit(nogil=True, cache=True, error_model="numpy")
def pixel(
    q: Array,
    values: Array,
    flags: Array,
    jumped: Array,
    samples: Array,
    noise: float,
    limits: Array,
    passes: int,
    out: Array,
) -> int:
    """Fit a pixel: rate, variances, chi-squared and number of reads go to `out`; gives its bits."""
    for i in range(out.size):
        out[i] = 0.0
    out[3] = np.nan
    if not (math.isfinite(noise) and noise > 0):
        return (quality(flags, jumped, samples, 0) & ~UNRELIABLE_SLOPE) | UNRELIABLE_ERROR
    variance = noise * noise
    number = gather(values, flags, samples, q)
    if number > 0:
        number, rate, information, chi2 = fit(q, number, samples, variance, limits, passes, jumped)
        by_noise, by_photons, reads = parts(q, number, samples, information)
        out[0] = rate
        out[2] = by_noise * variance
        out[1] = by_photons * max(rate, FLOOR * math.sqrt(out[2]))
        out[3] = chi2 if number > 1 else np.nan
        out[4] = reads
    return quality(flags, jumped, samples, number)
