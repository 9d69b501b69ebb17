"""Aperture photometry: sums, errors, backgrounds, flags; and finding stars."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photutils.aperture import CircularAperture
from photutils.aperture import aperture_photometry as peer
from star_images import gaussian, grid, observed

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.apertures import Flag
from reduce.kernels.photometry import aperture_correction, aperture_photometry
from reduce.kernels.star_finding import find_stars

ANNULUS = (9.0, 14.0)
SHAPE = (60, 64)


def flat(level=10.0, variance=4.0, shape=SHAPE):
    return np.full(shape, level), np.full(shape, variance), np.zeros(shape, dtype=np.uint32)


def pulls(image, found):
    return (found.flux - image.fluxes) / found.flux_err


def test_an_even_image_without_an_annulus_has_the_area_of_the_circle():
    found = aperture_photometry(*flat(), [[30.2, 29.7]], radius=5.0, annulus=None)
    assert found.flux == pytest.approx(10 * np.pi * 25)
    assert found.area == pytest.approx(np.pi * 25)
    assert found.background == 0
    assert found.good.all()


def test_an_even_image_has_no_stars_but_its_background():
    found = aperture_photometry(*flat(), [[30.2, 29.7]], radius=5.0, annulus=ANNULUS)
    assert found.flux == pytest.approx(0, abs=1e-9)
    assert found.background == pytest.approx(10)


def test_sums_are_those_of_photutils():
    rng = np.random.default_rng(1)
    _, variance, dq = flat()
    sci = rng.normal(0, 1, SHAPE)
    places = rng.uniform(-3, 66, (50, 2))
    places = places[(places > -2).all(axis=1) & (places[:, 0] < 65) & (places[:, 1] < 61)]
    theirs = peer(sci, CircularAperture(places, 4.3))["aperture_sum"].value
    ours = aperture_photometry(sci, variance, dq, places, radius=4.3, annulus=None)
    assert ours.flux == pytest.approx(theirs, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("estimator", ["mean", "median"])
def test_the_error_is_the_scatter_of_empty_apertures(estimator):
    """An aperture's edge counts with the square of its weights, or this is 5 % too large."""
    rng = np.random.default_rng(2)
    sci = rng.normal(50, 3, (1200, 1200))
    places = grid(1200, 24, rng)
    dq = np.zeros(sci.shape, dtype=np.uint32)
    found = aperture_photometry(
        sci, np.full(sci.shape, 9.0), dq, places, radius=3.0, annulus=(5.0, 8.0), estimator=estimator
    )
    assert len(places) > 2000
    assert found.flux.std() / np.median(found.flux_err) == pytest.approx(1, abs=0.04)
    level = (found.background - 50) / found.background_err
    assert level.std() == pytest.approx(1, abs=0.05)
    assert abs(level.mean()) < 0.1


@pytest.mark.parametrize(("sky", "read_noise"), [(5.0, 15.0), (100.0, 5.0), (1000.0, 10.0)])
def test_pulls_of_more_than_500_faint_stars(sky, read_noise):
    rng = np.random.default_rng(3)
    places = grid(900, 36, rng)
    fluxes = 10 ** rng.uniform(2.5, 4, len(places))
    image = observed(places, fluxes, (900, 900), sky=sky, read_noise=read_noise, rng=rng)
    found = aperture_photometry(*image[:4], radius=6.0, annulus=ANNULUS)
    pull = pulls(image, found)
    assert len(pull) > 500
    assert abs(pull.mean()) < 0.1
    assert 0.95 < pull.std() < 1.05


def test_the_median_is_low_where_photons_are_few_and_the_mean_is_not():
    rng = np.random.default_rng(4)
    sci = rng.poisson(40.0, (1000, 1000)).astype(float) + rng.uniform(-0.5, 0.5, (1000, 1000))
    dq = np.zeros(sci.shape, dtype=np.uint32)
    places = grid(1000, 30, rng)

    def bias(estimator):
        found = aperture_photometry(
            sci, np.full(sci.shape, 40.0), dq, places, radius=5.0, annulus=ANNULUS, estimator=estimator
        )
        return (found.flux / found.flux_err).mean()

    assert bias("median") > 0.1
    assert abs(bias("mean")) < 0.1


def test_correlated_noise_is_the_factor():
    rng = np.random.default_rng(5)
    sci = rng.normal(0, 1, SHAPE)
    _, variance, dq = flat()
    arguments = (sci, variance, dq, [[30.0, 30.0]])
    plain = aperture_photometry(*arguments, radius=5.0, annulus=ANNULUS)
    correlated = aperture_photometry(*arguments, radius=5.0, annulus=ANNULUS, correlation=1.7)
    assert correlated.flux == plain.flux
    assert correlated.flux_err == pytest.approx(1.7 * plain.flux_err)
    assert correlated.background_err == pytest.approx(1.7 * plain.background_err)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
def test_a_bad_pixel_is_left_out_and_told(value):
    image = observed([[30.0, 30.0]], [1e4], SHAPE)
    sci, dq = image.sci.copy(), image.dq.copy()
    sci[31, 30], sci[30, 41] = value, value
    dq[31, 30] = dq[30, 41] = DQ.DO_NOT_USE | DQ.HOT
    found = aperture_photometry(sci, image.variance, dq, image.positions, radius=5.0, annulus=ANNULUS)
    assert found.flags == Flag.BAD_PIXELS
    assert found.area == pytest.approx(np.pi * 25 - 1)
    assert 0.8e4 < found.flux[0] < 0.95e4
    assert found.background == pytest.approx(100)


def test_a_value_that_is_not_finite_is_bad_without_a_flag():
    sci, variance, dq = flat()
    sci[30, 30] = np.nan
    found = aperture_photometry(sci, variance, dq, [[30.0, 30.0]], radius=5.0, annulus=ANNULUS)
    assert found.flags == Flag.BAD_PIXELS
    assert np.isfinite(found.flux).all()


def test_flags_of_edges_neighbours_and_places_outside():
    places = [[1.0, 30.0], [30.0, 30.0], [36.0, 30.0], [500.0, 30.0], [np.nan, 3.0], [-1e300, 3.0], [45, 45]]
    found = aperture_photometry(*flat(), places, radius=4.0, annulus=ANNULUS)
    outside = Flag.EDGE | Flag.NO_BACKGROUND
    assert [flags & ~Flag.CROWDED for flags in found.flags[3:6]] == [outside] * 3
    assert found.flags[[0, 1, 2, 6]].tolist() == [Flag.EDGE, Flag.CROWDED, Flag.CROWDED, 0]
    assert np.isnan(found.flux[3:6]).all()
    assert np.isnan(found.flux_err[3:6]).all()
    assert np.isfinite(found.flux[:3]).all()


def test_no_background_is_no_flux():
    sci, variance, dq = flat()
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    dq[np.hypot(x - 30, y - 30) > 8] = DQ.DO_NOT_USE
    found = aperture_photometry(sci, variance, dq, [[30.0, 30.0]], radius=5.0, annulus=ANNULUS)
    assert found.flags == Flag.NO_BACKGROUND
    assert np.isnan(found.flux).all()


def test_a_listed_neighbour_does_not_raise_the_background():
    places = np.array([[30.0, 30.0], [41.0, 30.0]])
    image = observed(places, [1e3, 1e5], SHAPE)
    alone = observed(places[:1], [1e3], SHAPE)
    found = aperture_photometry(*image[:4], radius=5.0, annulus=ANNULUS)
    expected = aperture_photometry(*alone[:4], radius=5.0, annulus=ANNULUS)
    assert found.background[0] == pytest.approx(expected.background[0], abs=0.05)
    assert found.good.all()


@settings(max_examples=25)
@given(x=st.floats(20, 40), y=st.floats(20, 40), scale=st.floats(1e-6, 1e6))
def test_fluxes_scale_with_the_image(x, y, scale):
    image = observed([[30.3, 29.8]], [1e4], SHAPE, rng=np.random.default_rng(6))
    one = aperture_photometry(*image[:3], [[x, y]], radius=4.0, annulus=ANNULUS)
    many = aperture_photometry(
        image.sci * scale, image.variance * scale**2, image.dq, [[x, y]], radius=4.0, annulus=ANNULUS
    )
    assert many.flux == pytest.approx(one.flux * scale, rel=1e-8, abs=1e-6 * scale)
    assert many.flux_err == pytest.approx(one.flux_err * scale, rel=1e-8)


def test_no_stars_are_no_fluxes():
    found = aperture_photometry(*flat(), [], radius=4.0, annulus=ANNULUS)
    assert found.flux.shape == found.flags.shape == (0,)


def test_types_of_files_are_taken():
    sci, variance, dq = flat()
    found = aperture_photometry(
        sci.astype(">f4"), variance.astype(">f4"), dq.astype(">u4"), [[30, 30]], radius=4.0, annulus=ANNULUS
    )
    assert found.background == pytest.approx(10)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"radius": 0.0}, ParameterError, "positive and to increase"),
        ({"radius": np.nan}, ParameterError, "positive and to increase"),
        ({"annulus": (3.0, 9.0)}, ParameterError, "outside of the aperture"),
        ({"annulus": (9.0, 9.0)}, ParameterError, "outside of the aperture"),
        ({"correlation": 0.0}, ParameterError, "correlation"),
        ({"positions": [1.0, 2.0]}, DataError, r"shape \(n, 2\)"),
        ({"variance": np.ones((3, 3))}, DataError, r"variance has the shape \(3, 3\)"),
    ],
)
def test_what_makes_no_sense_is_refused(change, error, message):
    sci, variance, dq = flat()
    arguments = {
        "variance": variance,
        "positions": [[30.0, 30.0]],
        "radius": 5.0,
        "annulus": ANNULUS,
        **change,
    }
    with pytest.raises(error, match=message):
        aperture_photometry(sci, arguments.pop("variance"), dq, arguments.pop("positions"), **arguments)


def test_growth_errors_are_the_scatter_of_the_factors():
    places = grid(500, 40, np.random.default_rng(0))
    factors, errors = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        image = observed(places[:40], np.full(40, 3e4), (500, 500), rng=rng)
        growth = aperture_correction(*image[:4], radii=(3.0, 8.0), annulus=ANNULUS)
        factors.append(growth.factors[0])
        errors.append(growth.errors[0])
    truth = (1 - np.exp(-64 / 3.58)) / (1 - np.exp(-9 / 3.58))
    assert np.std(factors) / np.mean(errors) == pytest.approx(1, abs=0.3)
    assert np.mean(factors) == pytest.approx(truth, rel=1e-3)


def test_a_star_with_a_neighbour_does_not_change_the_growth():
    places = np.array([[30.0, 30.0], [100.0, 30.0], [30.0, 100.0], [170.0, 100.0]])
    hidden = np.array([[35.0, 30.0]])
    image = observed(np.vstack([places, hidden]), [1e5] * 4 + [3e4], (140, 200), rng=np.random.default_rng(7))
    clean = observed(places, [1e5] * 4, (140, 200))
    found = aperture_correction(*image[:3], places, radii=(4.0, 8.0), annulus=ANNULUS)
    expected = aperture_correction(*clean[:3], places, radii=(4.0, 8.0), annulus=ANNULUS)
    assert found.stars[0] == 3
    assert found.factors[0] == pytest.approx(expected.factors[0], abs=4 * found.errors[0])


def test_no_bright_star_is_no_correction():
    image = observed([[30.0, 30.0]], [100.0], SHAPE)
    with pytest.raises(DataError, match="no star is isolated and bright enough"):
        aperture_correction(*image[:4], radii=(4.0, 8.0), annulus=ANNULUS)


def test_stars_are_found_where_they_are_the_brightest_first():
    rng = np.random.default_rng(8)
    places = grid(200, 40, rng)
    fluxes = np.geomspace(3e3, 1e5, len(places))
    image = observed(places, fluxes, (200, 200), rng=rng)
    dq = image.dq.copy()
    sci = image.sci.copy()
    sci[10, 10], dq[10, 10] = 1e6, DQ.DO_NOT_USE
    sci[15, 80], dq[15, 80] = np.nan, DQ.DO_NOT_USE
    found = find_stars(sci, np.sqrt(image.variance), dq, fwhm=3.0, threshold=6.0)
    assert len(found) == len(places)
    distance = np.hypot(*(found[:, None] - places[None]).transpose(2, 0, 1))
    assert distance.min(axis=1).max() < 0.3
    assert distance[:5].argmin(axis=1).tolist() == list(range(len(places) - 1, len(places) - 6, -1))


def test_an_empty_sky_has_no_stars():
    sci, variance, dq = flat()
    assert find_stars(sci, np.sqrt(variance), dq, fwhm=3.0, threshold=5.0).shape == (0, 2)
    all_bad = np.full(SHAPE, DQ.DO_NOT_USE, dtype=np.uint32)
    assert find_stars(sci, np.sqrt(variance), all_bad, fwhm=3.0, threshold=5.0).shape == (0, 2)
    with pytest.raises(ParameterError, match="positive"):
        find_stars(sci, variance, dq, fwhm=0.0, threshold=5.0)


def test_the_test_image_has_its_flux():
    assert gaussian([[30.3, 29.9]], [123.0], SHAPE).sum() == pytest.approx(123.0)
