"""Injected stars: the zero point within 3 of its errors, the corrected flux the same in every aperture."""

from functools import cache

import numpy as np
import pytest
from star_images import gaussian, grid, moffat, observed

from reduce.kernels.photometry import aperture_correction, aperture_photometry
from reduce.kernels.zero_point import rate_of, zero_point

ZERO_POINT, SECONDS = 27.3, 100.0
RADII = (3.0, 4.0, 5.0, 6.0, 8.0, 11.0)
ANNULUS = (13.0, 18.0)


@cache
def night(seed, profile, *, side=700, faint=21.0, bright=17.5):
    """A rate image, e-/s, and the magnitudes of its stars."""
    rng = np.random.default_rng(seed)
    places = grid(side, 38, rng)
    magnitudes = rng.uniform(bright, faint, len(places))
    electrons = rate_of(magnitudes, ZERO_POINT) * SECONDS
    image = observed(places, electrons, (side, side), rng=rng, profile=profile)
    return image._replace(sci=image.sci / SECONDS, variance=image.variance / SECONDS**2), magnitudes


def arrays(image):
    return image.sci, image.variance, image.dq, image.positions


@pytest.mark.parametrize("profile", [gaussian, moffat])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_zero_point_is_within_three_photon_errors(seed, profile):
    image, magnitudes = night(seed, profile)
    growth = aperture_correction(*arrays(image), radii=RADII, annulus=ANNULUS)
    measured = aperture_photometry(*arrays(image), radius=5.0, annulus=ANNULUS)
    factor, error = growth.factors[2], growth.errors[2]
    beyond = 1.0 if profile is gaussian else _moffat_beyond(RADII[-1])

    found = zero_point(measured.flux * factor, measured.flux_err * factor, magnitudes)

    both = np.hypot(found.error, 1.0857 * error / factor)
    assert found.value + 2.5 * np.log10(beyond) == pytest.approx(ZERO_POINT, abs=3 * both)
    assert found.error < 0.002
    assert found.used.sum() > 0.97 * len(magnitudes)
    assert 0.8 < found.chi2 < 1.2


def _moffat_beyond(radius, fwhm=3.0, beta=3.5):
    """All light over that within a radius, less what the annulus takes for background."""
    width = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    within, inner, outer = (1 - (1 + (r / width) ** 2) ** (1 - beta) for r in (radius, *ANNULUS))
    wings = (outer - inner) / (ANNULUS[1] ** 2 - ANNULUS[0] ** 2) * radius**2
    return 1 / (within - wings)


@pytest.mark.parametrize("profile", [gaussian, moffat])
def test_the_corrected_flux_does_not_depend_on_the_aperture(profile):
    image, _ = night(1, profile)
    growth = aperture_correction(*arrays(image), radii=RADII, annulus=ANNULUS)
    bright = image.fluxes > np.median(image.fluxes)
    corrected = np.stack(
        [
            aperture_photometry(*arrays(image), radius=radius, annulus=ANNULUS).flux[bright] * factor
            for radius, factor in zip(growth.radii, growth.factors, strict=True)
        ]
    )
    totals = corrected.sum(axis=1)
    assert np.abs(totals / totals[-1] - 1).max() < 0.005
    if profile is gaussian:
        assert np.abs(totals * SECONDS / image.fluxes[bright].sum() - 1).max() < 0.005


def test_the_aperture_correction_of_noise_free_stars_is_exact():
    rng = np.random.default_rng(5)
    places = grid(400, 50, rng)
    image = observed(places, np.full(len(places), 1e6), (400, 400))
    growth = aperture_correction(*arrays(image), radii=(4.0, 6.0, 12.0), annulus=ANNULUS)
    # the pixels blur twice: when they collect light, and when the circle cuts them
    within = 1 - np.exp(-np.square(growth.radii) / 2 / ((3.0 / 2.35482) ** 2 + 2 / 12))
    assert growth.factors == pytest.approx(within[-1] / within, rel=2e-4)


def test_fluxes_and_errors_are_honest():
    """The pull over more than 500 stars: mean within 0.1, width 0.95 to 1.05."""
    image, _ = night(6, gaussian, side=1050, faint=23.0)
    assert len(image.fluxes) > 500
    growth = aperture_correction(*arrays(image), radii=(4.0, 9.0), annulus=ANNULUS)
    measured = aperture_photometry(*arrays(image), radius=4.0, annulus=ANNULUS)
    pull = (measured.flux * growth.factors[0] - image.fluxes / SECONDS) / (
        measured.flux_err * growth.factors[0]
    )
    assert measured.good.all()
    assert abs(pull.mean()) < 0.1
    assert 0.95 < pull.std() < 1.05
