"""The linearity correction from flat ramps."""

import os

import numpy as np
import pytest

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.linearity_fit import LinearityFit, linearity_fit
from reduce.sim import Detector, expose, read_times

TIMES = read_times(1, 24, 5.0)


def observed(detector: Detector, rate: float, count: int, *, cosmic_rays: bool = False) -> np.ndarray:
    """Ramps above the bias."""
    exposures = [expose(detector, rate, TIMES, seed=seed, cosmic_rays=cosmic_rays) for seed in range(count)]
    return np.stack([exposure.reads[:, :, 0] - detector.bias[..., None] for exposure in exposures])


def fitted(ramps: np.ndarray, **other: object) -> LinearityFit:
    return linearity_fit(ramps, TIMES[0], gain=2.0, read_noise=9.0, **other)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.simulated((64, 64), 1, channel_drift=0, row_drift=0, cosmic_rate=100.0)


@pytest.fixture(scope="module")
def ramps(detector: Detector) -> np.ndarray:
    return observed(detector, 1000.0, 8)


@pytest.fixture(scope="module")
def fit(ramps: np.ndarray) -> LinearityFit:
    return fitted(ramps)


def worked(fit: LinearityFit) -> np.ndarray:
    return (fit.dq & DQ.NO_LIN_CORR) == 0


def difference(fit: LinearityFit, detector: Detector, counts: float, where: np.ndarray) -> np.ndarray:
    """Of the corrections, relative to the corrected counts."""
    powers = counts ** np.arange(4)
    truth = (detector.coefficients[where] * powers).sum(axis=-1)
    return (fit.coefficients[where] * powers).sum(axis=-1) / truth - 1


def test_the_correction_is_found_without_bias(fit: LinearityFit, detector: Detector) -> None:
    usable = detector.light & ~detector.dead
    assert worked(fit)[usable].mean() > 0.999
    for counts in (5000.0, 20000.0, 40000.0, 50000.0):
        off = difference(fit, detector, counts, usable & worked(fit))
        assert abs(off.mean()) < 3e-4
        assert off.std() < 5e-3


def test_errors_are_honest(fit: LinearityFit, detector: Detector) -> None:
    good = detector.light & worked(fit)
    for power in (2, 3):
        pulls = (fit.coefficients[good, power] - detector.coefficients[good, power]) / fit.errors[good, power]
        assert abs(pulls.mean()) < 0.08
        assert pulls.std() == pytest.approx(1, abs=0.05)
    assert not fit.errors[..., :2].any()


def test_zero_and_the_unit_stay(fit: LinearityFit) -> None:
    assert not fit.coefficients[..., 0].any()
    assert (fit.coefficients[..., 1] == 1).all()
    assert np.isfinite(fit.coefficients).all()
    assert np.isfinite(fit.errors).all()


def test_the_rate_is_that_of_the_lamp(fit: LinearityFit, detector: Detector) -> None:
    good = detector.light & worked(fit)
    assert fit.rate[good] == pytest.approx((1000 * detector.flat + detector.dark)[good] / 2, rel=0.02)


def test_corrected_ramps_are_straight(fit: LinearityFit, detector: Detector) -> None:
    new = expose(detector, 900.0, read_times(1, 20, 5.0), seed=99, cosmic_rays=False).reads
    raw = new - detector.bias[..., None, None]
    straight = sum(fit.coefficients[..., k, None, None] * raw**k for k in range(4))
    good = detector.light & worked(fit)
    steps = np.diff(straight[good][:, 0], axis=-1).mean(axis=0)
    assert steps == pytest.approx(np.full(19, steps.mean()), rel=2e-3)


def test_pixels_without_light_are_flagged(fit: LinearityFit, detector: Detector) -> None:
    dark = detector.dead | ~detector.light
    assert not worked(fit)[dark].any()
    assert not fit.coefficients[dark, 2:].any()
    assert not fit.errors[dark].any()


def test_saturation_is_found(fit: LinearityFit, detector: Detector) -> None:
    found = detector.light & ((fit.dq & DQ.NO_SAT_CHECK) == 0)
    assert found[detector.light].mean() > 0.85
    truth = (detector.saturation - detector.bias)[found]
    assert fit.saturation[found] / truth == pytest.approx(0.98 * 1.01, abs=0.003)


def test_ramps_that_never_saturate(detector: Detector) -> None:
    ramps = observed(detector, 600.0, 3)
    fit = fitted(ramps)
    assert (fit.dq[detector.light] & DQ.NO_SAT_CHECK).all()
    good = detector.light & worked(fit)
    assert fit.saturation[good] == pytest.approx(np.median(ramps, axis=0).max(axis=-1)[good])
    assert abs(difference(fit, detector, 30000.0, good).mean()) < 5e-4


def test_a_saturation_level_that_is_known(ramps: np.ndarray, detector: Detector) -> None:
    level = (detector.saturation - detector.bias).astype(np.float64)
    level[30, 30] = np.nan
    fit = fitted(ramps, saturation=level)
    assert fit.saturation[20, 20] == level[20, 20]
    assert fit.dq[30, 30] == DQ.NO_LIN_CORR | DQ.NO_SAT_CHECK
    assert np.isfinite(fit.saturation).all()
    good = detector.light & worked(fit)
    assert abs(difference(fit, detector, 40000.0, good).mean()) < 3e-4


def test_cosmic_rays_do_not_matter(detector: Detector, fit: LinearityFit) -> None:
    hit = fitted(observed(detector, 1000.0, 8, cosmic_rays=True))
    good = detector.light & worked(fit)
    assert worked(hit)[good].mean() > 0.999
    good &= worked(hit)
    pulls = (hit.coefficients[good, 2] - detector.coefficients[good, 2]) / hit.errors[good, 2]
    assert pulls.std() == pytest.approx(1, abs=0.07)


def test_one_ramp_is_enough(ramps: np.ndarray, detector: Detector) -> None:
    fit = fitted(ramps[:1])
    good = detector.light & worked(fit)
    assert good[detector.light & ~detector.dead].mean() > 0.99
    assert abs(difference(fit, detector, 40000.0, good).mean()) < 1.5e-3


def test_a_lower_order(ramps: np.ndarray) -> None:
    assert fitted(ramps, order=2).coefficients.shape == (64, 64, 3)


def test_a_linear_detector_needs_no_correction() -> None:
    detector = Detector.simulated((32, 32), 1, channel_drift=0, row_drift=0, nonlinearity=0)
    fit = fitted(observed(detector, 900.0, 4), order=2)
    good = detector.light & worked(fit)
    assert fit.coefficients[good, 2].mean() * 40000 == pytest.approx(0, abs=1e-3)


def test_numbers_that_are_not_finite(ramps: np.ndarray) -> None:
    broken = ramps[:4, :16, :16].copy()
    broken[1, 8, 8, 10:] = np.nan
    broken[:, 9, 9] = np.nan
    broken[2, 10, 10] = np.inf
    fit = fitted(broken)
    assert worked(fit)[8, 8]
    assert worked(fit)[10, 10]
    assert not worked(fit)[9, 9]
    for part in (fit.coefficients, fit.errors, fit.saturation, fit.rate):
        assert np.isfinite(part).all()


def test_blocks_and_threads_do_not_matter(
    ramps: np.ndarray, fit: LinearityFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    monkeypatch.setattr("reduce.kernels.linearity_fit._ROWS", 7)
    for one, other in zip(fit, fitted(ramps), strict=True):
        assert np.array_equal(one, other)


def test_nothing_is_written_to(ramps: np.ndarray) -> None:
    some, times, level = ramps[:3, :8, :8].copy(), TIMES[0].copy(), np.full((8, 8), 50000.0)
    for array in (some, times, level):
        array.flags.writeable = False
    linearity_fit(some, times, gain=2.0, read_noise=9.0, saturation=level)


def test_what_can_not_be_fitted(ramps: np.ndarray) -> None:
    some = ramps[:2, :8, :8]
    with pytest.raises(DataError, match="axes"):
        fitted(some[0])
    with pytest.raises(DataError, match="times"):
        linearity_fit(some, TIMES[0, :5], gain=2.0, read_noise=9.0)
    with pytest.raises(DataError, match="increase"):
        linearity_fit(some, TIMES[0, ::-1], gain=2.0, read_noise=9.0)
    with pytest.raises(DataError, match="too few"):
        linearity_fit(some[..., :4], TIMES[0, :4], gain=2.0, read_noise=9.0)
    with pytest.raises(DataError, match="saturation"):
        fitted(some, saturation=np.ones((3, 3)))
    with pytest.raises(ParameterError, match="order"):
        fitted(some, order=1)
