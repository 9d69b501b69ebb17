"""Errors of CDS, MCDS and least squares are those of theory and of simulated ramps, whatever the pedestal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from reduce.kernels.ramp.covariance import covariance
from reduce.kernels.ramp.dispatch import fit_ramps
from reduce.kernels.ramp.linear import fit_linear

METHODS = ("cds", "mcds", "ols")
NOISE = 10.0


def simulated(
    seed: int, *, rate: float, reads_there: int, frames: int, frame_time: float, group_time: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Averaged frames of 20,000 pixels, and the mean times of the frames."""
    rng = np.random.default_rng(seed)
    at = (np.arange(reads_there)[:, None] * group_time + np.arange(1, frames + 1) * frame_time).ravel()
    shape = (100, 200, 1, at.size)
    charge = rng.poisson(rate * np.diff(at, prepend=0.0), shape).cumsum(axis=-1)
    each = charge + rng.normal(0, NOISE, shape)
    return each.reshape(100, 200, 1, reads_there, frames).mean(axis=-1), at.reshape(1, reads_there, -1).mean(
        -1
    )


def rauscher(n: int, m: int, frame_time: float, group_time: float, rate: float) -> float:
    """Variance of a slope: Rauscher et al. 2007, PASP 119, 768, equation 1, over its time squared."""
    read = 12 * (n - 1) / (m * n * (n + 1)) * NOISE**2
    photons = 6 * (n**2 + 1) / (5 * n * (n + 1)) * (n - 1) * group_time * rate
    shared = 2 * (m**2 - 1) * (n - 1) / (m * n * (n + 1)) * frame_time * rate
    return (read + photons - shared) / ((n - 1) * group_time) ** 2


@pytest.mark.parametrize("rate", [0.1, 10.0, 1000.0])
@pytest.mark.parametrize(
    ("reads_there", "frames", "group_time"), [(2, 1, 1.5), (5, 1, 1.5), (20, 1, 1.5), (6, 4, 3.0)]
)
def test_errors_of_simulated_ramps(rate: float, reads_there: int, frames: int, group_time: float) -> None:
    reads, times = simulated(
        4, rate=rate, reads_there=reads_there, frames=frames, frame_time=0.5, group_time=group_time
    )
    for method in METHODS:
        fit = fit_ramps(reads, times, method=method, read_noise=NOISE, frames=frames, frame_time=0.5)
        error = np.sqrt(fit.var_poisson + fit.var_rnoise).mean()
        assert error == pytest.approx(fit.rate.std(), rel=0.03), method


@pytest.mark.parametrize("n", [2, 3, 10, 50])
@pytest.mark.parametrize("m", [1, 4, 8])
def test_least_squares_has_the_variance_of_theory(n: int, m: int) -> None:
    times = 20.0 + 10.0 * np.arange(n)[None]
    reads = 1000.0 + 37.0 * times[None, None]
    fit = fit_linear(reads, times, method="ols", read_noise=NOISE, frames=m, frame_time=1.2)
    assert fit.rate[0, 0] == pytest.approx(37.0, rel=1e-9)
    assert fit.var_poisson[0, 0] + fit.var_rnoise[0, 0] == pytest.approx(
        rauscher(n, m, 1.2, 10.0, 37.0), rel=1e-9
    )


@pytest.mark.parametrize("method", METHODS)
def test_variance_is_that_of_the_weights(method: str) -> None:
    """A weight is what a unit in one read adds to the slope."""
    times = np.array([[1.0, 2.5, 3.0, 5.5, 6.0, 9.0, 9.5]])
    unit = np.eye(7)[:, None, None, :]
    weights = fit_linear(unit, times, method=method, read_noise=NOISE).rate[:, 0]
    fit = fit_linear(25.0 * times[None, None], times, method=method, read_noise=NOISE)
    expected = weights @ covariance(times[0], rate=25.0, read_noise=NOISE) @ weights
    assert fit.var_poisson[0, 0] + fit.var_rnoise[0, 0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_pedestal_makes_no_difference(method: str) -> None:
    reads, times = simulated(5, rate=10.0, reads_there=10, frames=1, frame_time=0.5, group_time=1.5)
    low, high = (fit_linear(reads + p, times, method=method, read_noise=NOISE) for p in (0.0, 1000.0))
    for name in ("rate", "var_poisson", "var_rnoise"):
        np.testing.assert_allclose(getattr(high, name), getattr(low, name), rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_without_any_light_errors_are_a_little_too_large(method: str) -> None:
    """The part by photons is that of a rate that is 0 on average, but not where it counts."""
    n = 50
    reads = np.random.default_rng(7).normal(0, NOISE, (100, 200, 1, n))
    fit = fit_linear(reads, 1.5 * np.arange(1, n + 1)[None], method=method, read_noise=NOISE)
    excess = np.sqrt(fit.var_poisson + fit.var_rnoise).mean() / fit.rate.std() - 1
    assert -0.015 < excess < 0.07 * np.sqrt(n) / NOISE + 0.015
