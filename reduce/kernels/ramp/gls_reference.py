"""The generalised-least-squares fit of ramps in plain NumPy: short, slow, what the compiled one has to equal.

Arrays of differences have the axes (differences, pixels). Each pixel's usable differences come first; what
follows them has no weight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.kernels.ramp.gls_sampling import Sampling
from reduce.kernels.ramp.jumps import MINIMUM_FOR_ONE, Suspects, Thresholds, suspects

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Truth = NDArray[np.bool_]

FLOOR = 0.01
"""The rate that the variance by photons is taken from is at least so many of its σ by read noise."""


class Ramps(NamedTuple):
    """Usable differences, each (differences, pixels); see `gls_sampling.Differences`."""

    value: Floats
    span: Floats
    noise: Floats
    photons: Floats
    noise_link: Floats
    photons_link: Floats
    linked: Truth
    first: Numbers
    last: Numbers


class Solution(NamedTuple):
    """A fit with a given covariance, in units of the read noise's variance.

    `rate`, `information` and `chi2` are (pixels,); `residual` g, `response` h, `precision` and
    `next_precision` are (differences, pixels), see `jumps`. `_solved` gives `chi2` and `residual` without
    units.
    """

    rate: Floats
    information: Floats
    chi2: Floats
    residual: Floats
    response: Floats
    precision: Floats
    next_precision: Floats


class Pixels(NamedTuple):
    """The result for some pixels; `jumps` is (pixels, reads)."""

    rate: Floats
    var_poisson: Floats
    var_rnoise: Floats
    chi2: Floats
    reads_used: Numbers
    jumps: Truth


def fit(
    reads: Floats,
    unusable: Truth,
    broken: Truth,
    variance: Floats,
    *,
    samples: Sampling,
    limits: Thresholds | None,
    passes: int,
) -> Pixels:
    """Fit ramps of some pixels.

    Parameters
    ----------
    reads, unusable, broken
        Each (pixels, reads): the value, if it must not be used, if charge jumped before it.
    variance
        Of the noise of one frame, (pixels,).
    limits
        Where jumps begin, or None to look for none.
    passes
        How often the covariance is taken from the rate of the fit before.
    """
    ramps = _ramps(reads, unusable, broken, samples)
    jumps = np.zeros(reads.shape, dtype=bool)
    solution = _solved(ramps, variance, passes)
    searched = np.arange(reads.shape[0])
    while limits is not None and searched.size:
        some = Ramps._make(array[:, searched] for array in ramps)
        found = _suspects(some, _columns(solution, searched), samples, limits)
        hit = found.first >= 0
        searched = searched[hit]
        dropped = _dropped(found.first[hit], found.length[hit], len(ramps.last))
        slot, pixel = np.nonzero(dropped)
        jumps[searched[pixel], ramps.last[slot, searched[pixel]]] = True
        rest = _ramps(reads[searched], unusable[searched], (broken | jumps)[searched], samples)
        for array, part in zip(ramps, rest, strict=True):
            array[:, searched] = part
        refit = _solved(rest, variance[searched], passes)
        for array, part in zip(solution, refit, strict=True):
            array[..., searched] = part
    return _result(ramps, solution, variance, jumps)


def _ramps(reads: Floats, unusable: Truth, broken: Truth, samples: Sampling) -> Ramps:
    """Differences of successive usable reads without a reset or a jump between them."""
    pixels, number = reads.shape
    every = np.arange(pixels)
    first, last = np.full((2, max(number - 1, 1), pixels), -1)
    count = np.zeros(pixels, dtype=np.int64)
    before = np.full(pixels, -1)
    interrupted = np.zeros(pixels, dtype=bool)
    for read in range(number):
        if read == 0 or samples.group[read] != samples.group[read - 1]:
            before[:] = -1
        interrupted |= broken[:, read]
        usable = ~unusable[:, read]
        whole = usable & (before >= 0) & ~interrupted
        first[count[whole], every[whole]] = before[whole]
        last[count[whole], every[whole]] = read
        count += whole
        before[usable] = read
        interrupted[usable] = False
    none = last < 0
    linked = np.zeros(first.shape, dtype=bool)
    linked[1:] = (first[1:] == last[:-1]) & ~none[1:]
    span = samples.times[last] - samples.times[first]
    return Ramps(
        value=np.where(none, 0, reads[every, last] - reads[every, first]),
        span=np.where(none, 0, span),
        noise=np.where(none, 1, samples.share[first] + samples.share[last]),
        photons=np.where(none, 0, span - samples.blur[first] - samples.blur[last]),
        noise_link=np.where(linked, -samples.share[first], 0),
        photons_link=np.where(linked, samples.blur[first], 0),
        linked=linked,
        first=first,
        last=last,
    )


def _solved(ramps: Ramps, variance: Floats, passes: int) -> Solution:
    """The fit after some passes; the first guess has the weights of read noise alone."""
    rate = np.zeros(variance.shape)
    solution = _solution(ramps, np.zeros(variance.shape), rate)
    for _ in range(passes):
        solution = _solution(ramps, np.maximum(solution.rate, 0) / variance, solution.rate)
    return solution._replace(chi2=solution.chi2 / variance, residual=solution.residual / np.sqrt(variance))


def _solution(ramps: Ramps, photons: Floats, rate: Floats) -> Solution:
    """Solve with the covariance `noise` + `photons` × `photons`, beginning at a rate.

    C = L D Lᵀ; the elements of C⁻¹ near its diagonal by the recursion of Takahashi et al. (1973).
    """
    slots, pixels = ramps.value.shape
    # The row after the last stays 0; it is also what the first row finds before it.
    factor, inverse, y, z = np.zeros((4, slots + 1, pixels))
    for i in range(slots):
        link = ramps.noise_link[i] + photons * ramps.photons_link[i]
        factor[i] = link * inverse[i - 1]
        inverse[i] = 1 / (ramps.noise[i] + photons * ramps.photons[i] - factor[i] * link)
        y[i] = ramps.span[i] - factor[i] * y[i - 1]
        z[i] = ramps.value[i] - rate * ramps.span[i] - factor[i] * z[i - 1]
    information = (y**2 * inverse).sum(axis=0)
    step = (y * z * inverse).sum(axis=0) / np.where(information > 0, information, 1)
    chi2 = np.maximum((z**2 * inverse).sum(axis=0) - step**2 * information, 0)
    response, residual, precision, following = np.zeros((4, slots + 1, pixels))
    for i in reversed(range(slots)):
        response[i] = y[i] * inverse[i] - factor[i + 1] * response[i + 1]
        residual[i] = z[i] * inverse[i] - factor[i + 1] * residual[i + 1]
        precision[i] = inverse[i] + factor[i + 1] ** 2 * precision[i + 1]
        following[i] = -factor[i + 1] * precision[i + 1]
    residual -= step * response
    return Solution(
        rate + step, information, chi2, residual[:-1], response[:-1], precision[:-1], following[:-1]
    )


def _columns(solution: Solution, pixels: Numbers) -> Solution:
    """The solution of some pixels."""
    return Solution._make(array[..., pixels] for array in solution)


def _suspects(ramps: Ramps, solution: Solution, samples: Sampling, limits: Thresholds) -> Suspects:
    """The likeliest jumps; of two differences the one with the higher rate, as hits only add charge."""
    number = (ramps.last >= 0).sum(axis=0)
    pairs = np.zeros(ramps.linked.shape, dtype=bool)
    pairs[:-1] = ramps.linked[1:] & (samples.share[ramps.last[:-1]] < 1)
    found = suspects(
        solution.residual,
        solution.response,
        solution.precision,
        solution.next_precision,
        information=np.where(number > 0, solution.information, 1),
        pairs=pairs,
        number=number,
        limits=limits,
    )
    few = number < MINIMUM_FOR_ONE
    slope = ramps.value / np.where(ramps.span > 0, ramps.span, 1)
    higher = (slope[min(1, len(slope) - 1)] > slope[0]).astype(np.int64)
    surely = (number == MINIMUM_FOR_ONE - 1) & (solution.chi2 > limits.one)
    return Suspects(np.where(few, np.where(surely, higher, -1), found.first), np.where(few, 1, found.length))


def _dropped(first: Numbers, count: Numbers, slots: int) -> Truth:
    """Which differences are to be left out, (differences, pixels)."""
    slot = np.arange(slots)[:, None]
    dropped: Truth = (slot >= first) & (slot < first + count)
    return dropped


def _result(ramps: Ramps, solution: Solution, variance: Floats, jumps: Truth) -> Pixels:
    """Rates with both parts of their variance, wᵀ C w."""
    number = (ramps.last >= 0).sum(axis=0)
    weights = solution.response / np.where(number > 0, solution.information, 1)
    before = np.zeros(weights.shape)
    before[1:] = weights[:-1]
    noise = ramps.noise * weights**2 + 2 * ramps.noise_link * weights * before
    photons = ramps.photons * weights**2 + 2 * ramps.photons_link * weights * before
    usable = ramps.last >= 0
    var_rnoise = noise.sum(axis=0, where=usable) * variance
    return Pixels(
        rate=np.where(number > 0, solution.rate, 0),
        var_poisson=photons.sum(axis=0, where=usable)
        * np.maximum(solution.rate, FLOOR * np.sqrt(var_rnoise)),
        var_rnoise=var_rnoise,
        chi2=np.where(number > 1, solution.chi2, np.nan),
        reads_used=(usable.sum(axis=0) + (usable & ~ramps.linked).sum(axis=0)),
        jumps=jumps,
    )
