"""Zero points, magnitudes, janskys and calibrated images."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io.fits import Header
from hypothesis import given
from hypothesis import strategies as st

from reduce.errors import DataError, ParameterError
from reduce.kernels.ratio import ratio
from reduce.kernels.zero_point import (
    flux_calibrate,
    flux_cards,
    jansky_of,
    magnitude_error_of,
    magnitude_of,
    magnitude_of_jansky,
    rate_of,
    zero_point,
)

TRUTH = 26.4


def catalogue(count, rng, *, noise=0.01, catalogue_error=0.0):
    magnitudes = rng.uniform(16, 21, count)
    rates = rate_of(magnitudes, TRUTH)
    errors = noise * rates
    measured = rates + rng.normal(0, errors)
    return measured, errors, magnitudes + rng.normal(0, catalogue_error, count)


@given(magnitude=st.floats(-5, 40), zero=st.floats(15, 35))
def test_rates_and_magnitudes_are_inverse(magnitude, zero):
    assert magnitude_of(rate_of(magnitude, zero), zero) == pytest.approx(magnitude, abs=1e-9)
    assert magnitude_of_jansky(jansky_of(magnitude)) == pytest.approx(magnitude, abs=1e-9)


def test_janskys_are_those_of_astropy():
    magnitudes = np.array([0.0, 8.9, 25.0])
    assert jansky_of(magnitudes) == pytest.approx((magnitudes * u.ABmag).to_value(u.Jy), rel=1e-9)


def test_no_light_has_no_magnitude():
    assert np.isnan(magnitude_of([0.0, -1.0], 25.0)).all()
    assert np.isnan(magnitude_error_of([0.0, -1.0], [1.0, 1.0])).all()
    assert magnitude_error_of([100.0], [1.0])[0] == pytest.approx(0.010857, rel=1e-3)


def test_the_zero_points_pull():
    pulls = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rates, errors, magnitudes = catalogue(20, rng, catalogue_error=0.02)
        found = zero_point(rates, errors, magnitudes, np.full(20, 0.02))
        pulls.append((found.value - TRUTH) / found.error)
    assert abs(np.mean(pulls)) < 0.2
    assert 0.8 < np.std(pulls) < 1.1


def test_faint_stars_do_not_bias_it():
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        magnitudes = np.full(200, 20.0)
        rate = rate_of(20.0, TRUTH)
        rates = rng.normal(rate, rate / 2, 200)
        values.append(zero_point(rates, np.full(200, rate / 2), magnitudes).value)
    assert np.mean(values) == pytest.approx(TRUTH, abs=0.01)


def test_variable_stars_and_missing_magnitudes_are_left_out():
    rng = np.random.default_rng(1)
    rates, errors, magnitudes = catalogue(40, rng)
    rates[3] *= 2
    rates[4], magnitudes[5], errors[6], magnitudes[7] = np.nan, np.nan, 0.0, np.inf
    found = zero_point(rates, errors, magnitudes)
    assert found.used.sum() == 35
    assert not found.used[3:8].any()
    assert found.value == pytest.approx(TRUTH, abs=4 * found.error)
    assert found.error == pytest.approx(0.010857 / 35**0.5, rel=0.3)


def test_scatter_beyond_the_errors_makes_the_error_larger():
    rng = np.random.default_rng(2)
    rates, errors, magnitudes = catalogue(50, rng, noise=0.002, catalogue_error=0.05)
    found = zero_point(rates, errors, magnitudes)
    assert found.chi2 > 100
    assert found.error == pytest.approx(0.05 / 50**0.5, rel=0.5)
    assert found.value == pytest.approx(TRUTH, abs=4 * found.error)


def test_one_star_is_enough():
    found = zero_point([rate_of(18.0, TRUTH)], [1.0], [18.0])
    assert found.value == pytest.approx(TRUTH)
    assert found.chi2 == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], []), "nothing to compare"),
        (([np.nan], [1.0], [20.0]), "nothing to compare"),
        (([1.0, 2.0], [1.0], [20.0]), "differ"),
        (([1.0], [1.0], [20.0], [0.1, 0.1]), "errors have the shape"),
        (([-5.0, -6.0], [1.0, 1.0], [20.0, 20.0]), "no light"),
    ],
)
def test_without_stars_there_is_no_zero_point(arguments, message):
    with pytest.raises(DataError, match=message):
        zero_point(*arguments)


def test_a_ratio_of_exact_measurements_is_exact():
    x = np.array([1.0, 2.0, 3.0])
    found = ratio(x, 2.5 * x, lambda factor: np.full(3, 0.01))
    assert found.value == pytest.approx(2.5)
    assert found.error == pytest.approx(0.1 / 14**0.5)
    with pytest.raises(DataError, match="nothing to compare"):
        ratio(x, 2.5 * x, lambda factor: np.zeros(3))


def test_a_calibrated_image_is_in_microjansky():
    sci = np.array([[rate_of(20.0, TRUTH), 0.0]], dtype=np.float32)
    variance = np.array([[4.0, 1.0]], dtype=np.float32)
    dq = np.array([[0, 4]], dtype=np.uint32)
    for array in (sci, variance, dq):
        array.flags.writeable = False
    result = flux_calibrate(sci, {"POISSON": variance, "RNOISE": variance}, dq, zero_point=TRUTH)
    assert result.sci[0, 0] == pytest.approx(jansky_of(20.0) * 1e6, rel=1e-6)
    assert result.sci.dtype == result.variances["POISSON"].dtype == np.float32
    relative = np.sqrt(result.variances["RNOISE"][0, 0]) / result.sci[0, 0]
    assert relative == pytest.approx(2.0 / sci[0, 0], rel=1e-6)
    assert (result.dq == dq).all()
    assert result.dq is not dq


def test_a_calibrated_image_by_a_factor():
    dq = np.zeros((2, 2), dtype=np.uint32)
    result = flux_calibrate(np.ones((2, 2)), {"OTHER": np.ones((2, 2))}, dq, factor=3.0)
    assert (result.sci == 3).all()
    assert (result.variances["OTHER"] == 9).all()


@pytest.mark.parametrize(
    "given_by",
    [{}, {"zero_point": 25.0, "factor": 1.0}, {"factor": 0.0}, {"zero_point": np.nan}, {"factor": -1}],
)
def test_a_calibration_by_nothing_that_there_can_be_is_refused(given_by):
    with pytest.raises(ParameterError):
        flux_calibrate(np.ones((2, 2)), {}, np.zeros((2, 2), dtype=np.uint32), **given_by)


def test_shapes_that_differ_are_refused():
    with pytest.raises(DataError, match="DQ has the shape"):
        flux_calibrate(np.ones((2, 2)), {}, np.zeros((3, 2), dtype=np.uint32), factor=1.0)


def test_cards_say_how_to_get_magnitudes_from_the_calibrated_image():
    header = Header()
    header.update(flux_cards(TRUTH, 0.01))
    calibrated = flux_calibrate(
        np.full((1, 1), rate_of(19.0, TRUTH)),
        {},
        np.zeros((1, 1), dtype=np.uint32),
        zero_point=header["PHOTZP"],
    )
    assert u.Unit(header["BUNIT"], format="fits") == u.uJy
    assert magnitude_of(calibrated.sci, header["MAGZERO"])[0, 0] == pytest.approx(19.0, abs=1e-6)
    assert calibrated.sci[0, 0] == pytest.approx(rate_of(19.0, TRUTH) * header["PHOTFACT"])
    assert header["PHOTZPER"] == 0.01
