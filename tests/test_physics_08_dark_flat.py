import numpy as np
import pytest

from reduce.dq import DQ, flagged
from reduce.kernels import dark, flat

SHAPE = (200, 220)


def test_dark_and_flat_take_out_what_they_put_in() -> None:
    rng = np.random.default_rng(8)
    truth = rng.uniform(0.01, 1e4, SHAPE)
    response = rng.uniform(0.5, 1.5, SHAPE)
    current = rng.exponential(0.03, SHAPE)
    dq = np.zeros(SHAPE, dtype=np.uint32)
    without_dark = dark.subtract(truth * response + current, {}, dq, current)
    flattened = flat.divide(*without_dark, response)
    np.testing.assert_allclose(flattened.sci, truth, rtol=1e-6)
    assert not flattened.dq.any()


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_the_error_is_the_scatter_of_simulated_frames(scale: float) -> None:
    rng = np.random.default_rng(88)
    time, read_noise, truth, current, response = 100.0, 9.0, 20.0, 0.5, 0.8
    dark_sigma, flat_sigma = 0.1, 0.02
    expected = (truth * response + scale * current) * time
    sci = (rng.poisson(expected, SHAPE) + rng.normal(0, read_noise, SHAPE)) / time
    variances = {
        "POISSON": np.full(SHAPE, expected / time**2),
        "RNOISE": np.full(SHAPE, (read_noise / time) ** 2),
    }
    measured_dark = current + rng.normal(0, dark_sigma, SHAPE)
    measured_flat = response + rng.normal(0, flat_sigma, SHAPE)
    dq = np.zeros(SHAPE, dtype=np.uint32)
    arrays = dark.subtract(sci, variances, dq, measured_dark, np.full(SHAPE, dark_sigma**2), scale=scale)
    arrays = flat.divide(*arrays, measured_flat, np.full(SHAPE, flat_sigma**2))
    assert set(arrays.variances) == {"POISSON", "RNOISE", "DARK", "FLAT"}
    error = np.sqrt(sum(arrays.variances.values()))
    assert np.std((arrays.sci - truth) / error) == pytest.approx(1, rel=0.02)
    assert np.std(arrays.sci) == pytest.approx(np.sqrt(np.mean(error**2)), rel=0.02)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-38])
def test_a_bad_pixel_of_the_flat_is_flagged_and_has_a_finite_error(bad: float) -> None:
    sci = np.full(SHAPE, 100.0, dtype=np.float32)
    response = np.full(SHAPE, 0.5, dtype=np.float32)
    spread = np.full(SHAPE, 0.01, dtype=np.float32)
    response[3, 4] = bad
    dq = np.zeros(SHAPE, dtype=np.uint32)
    arrays = flat.divide(sci, {"POISSON": sci}, dq, response, spread)
    assert arrays.dq[3, 4] == DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE
    assert arrays.sci[3, 4] == 100
    assert arrays.variances["FLAT"][3, 4] == 0
    assert all(np.isfinite(part).all() for part in arrays.variances.values())
    assert np.count_nonzero(flagged(arrays.dq)) == 1
