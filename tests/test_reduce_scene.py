"""Simulated skies hold what was put into them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reduce.errors import DataError, ParameterError
from reduce.scene import jittered_grid, star_field, tangent_wcs


@given(x=st.floats(20, 40), y=st.floats(20, 40), fwhm=st.floats(0.3, 4))
def test_a_star_keeps_its_flux(x: float, y: float, fwhm: float) -> None:
    assert star_field((61, 61), [(x, y)], [1000.0], fwhm=fwhm).sum() == pytest.approx(1000, rel=1e-6)


@given(x=st.floats(20, 40), y=st.floats(20, 40), fwhm=st.floats(2, 4))
def test_a_star_is_at_its_place(x: float, y: float, fwhm: float) -> None:
    image = star_field((61, 61), [(x, y)], [1000.0], fwhm=fwhm)
    rows, columns = np.mgrid[:61, :61]
    assert (image * columns).sum() / 1000 == pytest.approx(x, abs=1e-4)
    assert (image * rows).sum() / 1000 == pytest.approx(y, abs=1e-4)


def test_a_star_is_as_wide_as_asked_for() -> None:
    image = star_field((81, 81), [(40, 40)], [1.0], fwhm=12.0)
    assert image[40, 34] / image[40, 40] == pytest.approx(0.5, abs=0.01)
    moffat = star_field((301, 301), [(150, 150)], [1.0], fwhm=12.0, profile="moffat")
    assert moffat[150, 144] / moffat[150, 150] == pytest.approx(0.5, abs=0.01)


@given(x=st.floats(95, 105), y=st.floats(95, 105))
def test_a_moffat_star_keeps_its_flux(x: float, y: float) -> None:
    image = star_field((201, 201), [(x, y)], [1000.0], fwhm=3.0, profile="moffat")
    assert image.sum() == pytest.approx(1000, rel=2e-3)
    wide = star_field((201, 201), [(x, y)], [1000.0], fwhm=3.0, profile="moffat", beta=4.5)
    assert wide.sum() == pytest.approx(1000, rel=2e-4)


def test_sky_and_stars_add() -> None:
    image = star_field((50, 60), [(20, 20), (40.3, 30.2)], [100.0, 50.0], fwhm=2.0, sky=3.0)
    assert image.shape == (50, 60)
    assert image.sum() == pytest.approx(150 + 3 * 3000)
    assert image[0, 0] == 3


def test_stars_at_and_beyond_the_edge() -> None:
    image = star_field((50, 60), [(-0.5, 25.0), (-500.0, 3.0), (20.0, 1e4)], [100.0] * 3, fwhm=2.0)
    assert image.sum() == pytest.approx(50)


def test_an_empty_sky() -> None:
    assert star_field((5, 5), np.empty((0, 2)), [], fwhm=2.0, sky=1.0).tolist() == [[1.0] * 5] * 5


@given(count=st.integers(1, 120), seed=st.integers(0, 5), width=st.integers(120, 300))
def test_stars_keep_apart(count: int, seed: int, width: int) -> None:
    places = jittered_grid((200, width), count, separation=6.0, margin=10.0, seed=seed)
    assert places.shape == (count, 2)
    assert places.min() >= 10
    assert (places.max(axis=0) <= (width - 11, 189)).all()
    distances = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    distances[np.diag_indices(count)] = np.inf
    assert distances.min() >= 6
    assert np.array_equal(places, jittered_grid((200, width), count, separation=6.0, margin=10.0, seed=seed))


def test_five_hundred_stars_fit_and_are_at_all_fractions_of_a_pixel() -> None:
    places = jittered_grid((512, 512), 600, separation=14.0, margin=16.0, seed=1)
    assert np.histogram(places % 1, bins=4)[0] == pytest.approx(np.full(4, 300), abs=70)


def test_too_many_stars() -> None:
    with pytest.raises(ParameterError, match="don't fit"):
        jittered_grid((50, 50), 100, separation=10.0, margin=2.0, seed=1)
    with pytest.raises(ParameterError, match="edges"):
        jittered_grid((50, 50), 1, separation=10.0, margin=30.0, seed=1)
    with pytest.raises(ParameterError, match="none"):
        jittered_grid((50, 50), 0, separation=10.0, margin=3.0, seed=1)


def test_what_is_not_a_star() -> None:
    with pytest.raises(DataError, match="2 positions"):
        star_field((5, 5), [(1, 1), (2, 2)], [1.0], fwhm=2.0)
    with pytest.raises(ParameterError, match="width"):
        star_field((5, 5), [(1, 1)], [1.0], fwhm=0.0)


def test_world_coordinates() -> None:
    wcs = tangent_wcs((100, 120), (150.0, 60.0), 0.5)
    assert wcs.all_world2pix([[150.0, 60.0]], 0)[0] == pytest.approx([59.5, 49.5])
    north = wcs.all_world2pix([[150.0, 60.0 + 5 / 3600]], 0)[0]
    east = wcs.all_world2pix([[150.0 + 5 / 3600 / np.cos(np.deg2rad(60)), 60.0]], 0)[0]
    assert north == pytest.approx([59.5, 59.5], abs=1e-3)
    assert east == pytest.approx([49.5, 49.5], abs=1e-3)


def test_a_dither_moves_the_stars_the_other_way() -> None:
    wcs = tangent_wcs((100, 120), (150.0, 60.0), 0.5, offset=(5.0, 10.0))
    assert wcs.all_world2pix([[150.0, 60.0]], 0)[0] == pytest.approx([69.5, 29.5], abs=1e-3)


def test_at_a_position_angle_of_90_degrees_the_y_axis_points_east() -> None:
    wcs = tangent_wcs((101, 101), (150.0, 0.0), 0.5, angle=90.0)
    east, north = wcs.all_world2pix([[150.0 + 5 / 3600, 0.0], [150.0, 5 / 3600]], 0)
    assert east == pytest.approx([50, 60], abs=1e-3)
    assert north == pytest.approx([60, 50], abs=1e-3)
