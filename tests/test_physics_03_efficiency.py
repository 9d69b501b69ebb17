"""Generalised least squares is as good as can be, and what a dense covariance matrix gives."""

from __future__ import annotations

import numpy as np
import pytest

from reduce.kernels import acceleration
from reduce.kernels.ramp.gls import fit_gls

STEP = 1.44
NOISE = 10.0


def simulated(rate: float, number: int, rows: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([3, seed, number, round(100 * rate)])
    shape = (rows, 200, 1, number)
    noise = NOISE * rng.standard_normal(shape, dtype=np.float32)
    return 1000 + noise + np.cumsum(rng.poisson(rate * STEP, shape), axis=-1, dtype=np.float32)


def covariance(rate: float, times: np.ndarray) -> np.ndarray:
    """Of differences of reads: photons are independent, the noise of a read is in two of them."""
    reads = rate * np.minimum(times[:, None], times) + NOISE**2 * np.eye(times.size)
    difference = np.diff(np.eye(times.size), axis=0)
    return difference @ reads @ difference.T


def dense(reads: np.ndarray, times: np.ndarray) -> tuple[float, float, float]:
    """Rate, variance and chi-squared with the whole matrix: a guess by read noise, and twice again."""
    spans, values, rate = np.diff(times), np.diff(reads.astype(np.float64)), 0.0
    for _ in range(3):
        inverse = np.linalg.inv(covariance(max(rate, 0.0), times))
        variance = 1 / (spans @ inverse @ spans)
        rate = variance * (spans @ inverse @ values)
    residual = values - rate * spans
    return rate, variance, residual @ inverse @ residual


@pytest.mark.parametrize("number", [4, 10, 20, 50])
@pytest.mark.parametrize("rate", [0.05, 10.0, 1000.0])
def test_scatter_is_the_least_there_can_be(rate: float, number: int) -> None:
    times = STEP * np.arange(1, number + 1)
    fit = fit_gls(simulated(rate, number, 16000 // number, 1), times[None], read_noise=NOISE)
    spans = np.diff(times)
    bound = 1 / (spans @ np.linalg.solve(covariance(rate, times), spans))
    assert bound / fit.rate.var(dtype=np.float64) >= 0.98
    assert 0.99 <= fit.chi2.mean(dtype=np.float64) / (number - 2) <= 1.01


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("number", [4, 10, 50, 100])
@pytest.mark.parametrize("rate", [0.05, 10.0, 1000.0, 20000.0])
def test_equal_to_dense_matrices(
    monkeypatch: pytest.MonkeyPatch, rate: float, number: int, plain: bool
) -> None:
    if plain:
        monkeypatch.setattr(acceleration, "available", lambda: False)
    elif not acceleration.available():
        pytest.skip("numba is not installed")
    times = np.cumsum(np.random.default_rng(number).uniform(1, 2, number))
    reads = simulated(rate, number, 1, 2)[:, :12]
    fit = fit_gls(reads, times[None], read_noise=NOISE)
    for pixel in range(reads.shape[1]):
        exact, variance, chi2 = dense(reads[0, pixel, 0], times)
        # A float32 has 24 bits: of a rate of 20000 e-/s it keeps less than a thousandth.
        resolution = np.spacing(np.float32(abs(exact)))
        assert abs(fit.rate[0, pixel] - exact) <= 1e-4 * np.sqrt(variance) + resolution
        assert fit.var_poisson[0, pixel] + fit.var_rnoise[0, pixel] == pytest.approx(variance, rel=0.05)
        assert fit.chi2[0, pixel] == pytest.approx(chi2, rel=1e-3, abs=1e-3)


def test_plain_and_compiled_code_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    reads = simulated(10.0, 10, 20, 3)
    times = STEP * np.arange(1, 11)[None]
    fast = fit_gls(reads, times, read_noise=NOISE)
    monkeypatch.setattr(acceleration, "available", lambda: False)
    plain = fit_gls(reads, times, read_noise=NOISE)
    sigma = np.sqrt(plain.var_poisson + plain.var_rnoise)
    assert (np.abs(fast.rate - plain.rate) < 1e-4 * sigma).all()
    np.testing.assert_allclose(fast.var_poisson, plain.var_poisson, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(fast.var_rnoise, plain.var_rnoise, rtol=1e-4)
    np.testing.assert_allclose(fast.chi2, plain.chi2, rtol=1e-3)
