"""Jumps of the charge are found, nothing else is, and slopes stay right."""

from __future__ import annotations

import numpy as np
import pytest

from reduce.dq import DQ
from reduce.kernels.ramp.fit import RampFit
from reduce.kernels.ramp.gls import fit_gls

NUMBER = 20
NOISE = 10.0
RATE = 1.0
TIMES = 1.44 * np.arange(1, NUMBER + 1)[None]
ROWS, COLUMNS = 150, 200


def fitted(charge: float, *, find_jumps: bool = True) -> tuple[RampFit, np.ndarray]:
    """The fit of ramps with a jump at any read but the first, and the read."""
    rng = np.random.default_rng(5)
    shape = (ROWS, COLUMNS, 1, NUMBER)
    noise = NOISE * rng.standard_normal(shape, dtype=np.float32)
    reads = 1000 + noise + np.cumsum(rng.poisson(RATE * 1.44, shape), axis=-1, dtype=np.float32)
    hit = np.arange(NUMBER) == rng.integers(1, NUMBER, (*shape[:3], 1))
    reads += np.float32(charge) * np.cumsum(hit, axis=-1)
    return fit_gls(reads, TIMES, read_noise=NOISE, find_jumps=find_jumps), hit


def test_jumps_of_six_times_the_noise_are_found() -> None:
    fit, hit = fitted(60.0)
    assert ((fit.groupdq & DQ.JUMP_DET) != 0)[hit].mean() >= 0.95
    found = (fit.groupdq & DQ.JUMP_DET).any(axis=(2, 3))
    np.testing.assert_array_equal((fit.dq & DQ.JUMP_DET) != 0, found)


def test_false_alarms_are_rare() -> None:
    fit, _ = fitted(0.0)
    assert ((fit.dq & DQ.JUMP_DET) != 0).mean() <= 1e-3


@pytest.mark.parametrize("charge", [80.0, 100.0, 300.0, 3000.0])
def test_slopes_without_the_jumps_have_no_bias(charge: float) -> None:
    fit, _ = fitted(charge)
    sigma = np.sqrt((fit.var_poisson + fit.var_rnoise).mean(dtype=np.float64))
    assert abs(fit.rate.mean(dtype=np.float64) - RATE) < 0.1 * sigma
    assert fit.rate.std(dtype=np.float64) == pytest.approx(sigma, rel=0.05)


def test_jumps_that_are_not_looked_for_bend_the_slope() -> None:
    fit, _ = fitted(80.0, find_jumps=False)
    sigma = np.sqrt((fit.var_poisson + fit.var_rnoise).mean(dtype=np.float64))
    assert fit.rate.mean(dtype=np.float64) - RATE > 5 * sigma
    assert not fit.groupdq.any()
