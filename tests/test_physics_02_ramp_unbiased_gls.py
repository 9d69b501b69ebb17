"""Slopes of generalised least squares have no bias and the errors they say."""

from __future__ import annotations

import numpy as np
import pytest

from reduce.kernels.ramp.gls import fit_gls

STEP = 1.44
NOISE = 10.0
PIXELS = (100, 200)


@pytest.mark.parametrize("number", [4, 10, 20, 50])
@pytest.mark.parametrize("rate", [0.05, 1.0, 10.0, 100.0, 1000.0])
def test_no_bias_and_honest_errors(rate: float, number: int) -> None:
    rng = np.random.default_rng([2, number, round(100 * rate)])
    shape = (*PIXELS, 1, number)
    noise = NOISE * rng.standard_normal(shape, dtype=np.float32)
    reads = 1000 + noise + np.cumsum(rng.poisson(rate * STEP, shape), axis=-1, dtype=np.float32)
    fit = fit_gls(reads, STEP * np.arange(1, number + 1)[None], read_noise=NOISE)
    scatter = fit.rate.std(dtype=np.float64)
    error = fit.rate.mean(dtype=np.float64) - rate
    assert abs(error) < 4 * scatter / np.sqrt(fit.rate.size)
    variance = fit.var_poisson.astype(np.float64) + fit.var_rnoise
    assert 0.98 <= np.sqrt(variance.mean()) / scatter <= 1.03
    assert 0.98 <= np.sqrt(variance).mean() / scatter <= 1.03
    assert (fit.var_poisson > 0).all()
    assert (fit.var_rnoise > 0).all()
    assert (fit.dq == 0).all()
