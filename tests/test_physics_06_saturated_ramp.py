"""A pixel that saturates has the slope of its reads before, with a larger error."""

from __future__ import annotations

import numpy as np
import pytest

from reduce.dq import DQ
from reduce.kernels.ramp.dispatch import METHODS, fit_ramps

FULL = 20_000.0
STEP = 1.44
NOISE = 10.0


@pytest.mark.parametrize("method", METHODS)
def test_saturation_cuts_the_ramp(method: str) -> None:
    """Reads are flagged at fixed places, so that the flags don't depend on the noise."""
    rng = np.random.default_rng(6)
    rate, n, pixels = 1000.0, 20, 4000
    errors = []
    times = STEP * np.arange(1, n + 1)[None]
    for good in (20, 14, 8, 4, 2):
        shape = (40, pixels // 40, 1, n)
        charge = rng.poisson(rate * STEP, shape).cumsum(axis=-1) + rng.normal(0, NOISE, shape)
        charge[..., good:] = charge[..., good - 1 : good] + 5.0
        flags = np.zeros(shape, dtype=np.uint8)
        flags[..., good : good + 1] = DQ.SATURATED  # the reads after it are meant too
        fit = fit_ramps(charge.astype(np.float32), times, method=method, read_noise=NOISE, groupdq=flags)
        scatter, error = fit.rate.std(), np.sqrt(fit.var_poisson + fit.var_rnoise).mean()
        assert abs(fit.rate.mean() - rate) < 4 * scatter / np.sqrt(pixels)
        assert error == pytest.approx(scatter, rel=0.05)
        assert (fit.dq == (DQ.SATURATED if good < n else 0)).all()
        assert (fit.reads_used <= good).all()
        errors.append(error)
    assert np.all(np.diff(errors) > 0)


@pytest.mark.parametrize("method", METHODS)
def test_a_star_beyond_full_well(method: str) -> None:
    """Flagged where the counts are full, with a margin of 5 σ so that the cut is the same for all pixels."""
    rng = np.random.default_rng(66)
    shape, rate = (50, 80, 1, 20), 1500.0
    charge = rng.poisson(rate * STEP, shape).cumsum(axis=-1) + rng.normal(0, NOISE, shape)
    counts = np.minimum(charge, FULL).round().astype(np.uint16)
    flags = np.where(counts >= FULL * 0.95, np.uint8(DQ.SATURATED), np.uint8(0))
    fit = fit_ramps(counts, STEP * np.arange(1, 21)[None], method=method, read_noise=NOISE, groupdq=flags)
    assert (fit.dq == DQ.SATURATED).all()
    assert abs(fit.rate.mean() - rate) < 4 * fit.rate.std() / np.sqrt(fit.rate.size)
    naive = fit_ramps(counts, STEP * np.arange(1, 21)[None], method=method, read_noise=NOISE)
    assert naive.rate.mean() < 0.75 * rate


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_left(method: str) -> None:
    flags = np.full((3, 4, 2, 6), int(DQ.SATURATED), dtype=np.uint8)
    times = STEP * np.arange(1, 7) * np.ones((2, 1))
    reads = np.full(flags.shape, 65535, dtype=np.uint16)
    fit = fit_ramps(reads, times, method=method, read_noise=NOISE, groupdq=flags)
    assert (fit.dq == DQ.SATURATED | DQ.DO_NOT_USE).all()
    assert (fit.rate == 0).all()
    assert np.isfinite(fit.var_poisson + fit.var_rnoise).all()
