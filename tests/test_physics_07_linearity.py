"""Physics test 7: the correction of nonlinearity gives the light back, with the right variance."""

import numpy as np
import pytest

from reduce.kernels.linearity import linearize, nonlinear, variance_factor

FULL_WELL = 60000.0
PIXELS = (20, 30)
NO_FLAGS = np.zeros(PIXELS, dtype=np.uint32)


def detector(light, strength):
    """Counts of a pixel that loses a part of its light in proportion to what it has: not a polynomial."""
    return light / (1 + strength * light / FULL_WELL)


def fitted(strength, convention):
    """Coefficients for each pixel from a measured curve, as a calibration would make them."""
    light = np.linspace(50, FULL_WELL, 200)
    coefficients = np.empty((*PIXELS, 5))
    for index in np.ndindex(PIXELS):
        raw = detector(light, strength[index]) / FULL_WELL
        powers = raw[:, None] ** np.arange(1, 6)
        found = np.linalg.lstsq(powers / light[:, None], np.ones_like(light), rcond=None)[0]
        coefficients[index] = found / FULL_WELL ** np.arange(1, 6)
    if convention == "factor":
        return coefficients - [1, 0, 0, 0, 0]
    return np.concatenate([np.zeros((*PIXELS, 1)), coefficients], axis=2)


@pytest.mark.parametrize("convention", ["sum", "factor"])
def test_the_light_is_back_within_a_thousandth(convention):
    rng = np.random.default_rng(707)
    strength = rng.uniform(0.02, 0.12, PIXELS)
    light = np.linspace(2000, FULL_WELL, 20) * rng.uniform(0.8, 1.0, (*PIXELS, 1, 1))
    raw = detector(light, strength[:, :, None, None])
    coefficients = fitted(strength, convention).astype(np.float32)
    assert np.max(np.abs(raw / light - 1)) > 0.1
    for reads, rounding in ((raw.astype(np.float32), 0.0), (np.round(raw).astype(np.uint16), 0.7)):
        corrected = linearize(reads, None, NO_FLAGS, coefficients=coefficients, convention=convention).reads
        assert corrected.dtype == np.float32
        assert np.max(np.abs(corrected - light) - rounding - 0.001 * light) < 0
        assert abs(np.mean(corrected / light - 1)) < 1e-4


@pytest.mark.parametrize("convention", ["sum", "factor"])
def test_the_simulators_detector_is_undone(convention):
    rng = np.random.default_rng(708)
    coefficients = fitted(rng.uniform(0.02, 0.12, PIXELS), convention)
    light = rng.uniform(10, FULL_WELL, (*PIXELS, 1, 10))
    raw = nonlinear(light, coefficients, convention=convention)
    assert np.max(np.abs(raw / light - 1)) > 0.05
    corrected = linearize(raw, None, NO_FLAGS, coefficients=coefficients, convention=convention).reads
    np.testing.assert_allclose(corrected, light, rtol=1e-6)


@pytest.mark.parametrize("convention", ["sum", "factor"])
@pytest.mark.parametrize("level", [3000.0, 30000.0, 55000.0])
def test_the_variance_grows_by_the_square_of_the_slope(convention, level):
    """Photons and read noise of 2e5 reads at one level; the scatter's own error is 0.3 %."""
    rng = np.random.default_rng(709)
    pixel = np.s_[:1, :1]
    coefficients = fitted(np.full(PIXELS, 0.12), convention)[pixel]
    gain, read_noise, count = 2.0, 6.0, 200_000
    light = rng.poisson(level * gain, (1, 1, 1, count)) / gain
    raw = nonlinear(light, coefficients, convention=convention)
    noisy = raw + rng.normal(0, read_noise, raw.shape)
    corrected = linearize(
        noisy, None, NO_FLAGS[pixel], coefficients=coefficients, convention=convention
    ).reads.astype(float)
    mean = np.full((1, 1, 1, 1), noisy.mean())
    factor = variance_factor(mean, coefficients=coefficients, convention=convention).item()
    assert corrected.var() == pytest.approx(noisy.var() * factor, rel=0.02)
    assert corrected.var() == pytest.approx(level / gain + read_noise**2 * factor, rel=0.02)
    assert factor > 1.3 or level < 40000


def test_a_fraction_of_a_count_is_not_cut_off():
    reads = np.full((1, 1, 1, 3), 5, dtype=np.uint16)
    coefficients = np.array([[[0.2, 1.1]]])
    corrected = linearize(reads, None, NO_FLAGS[:1, :1], coefficients=coefficients).reads
    np.testing.assert_array_equal(corrected, np.float32(5.7))
