"""World coordinates against the formulas of the FITS papers, written out: < 1e-9 degree and < 1e-6 pixel."""

import numpy as np
import pytest
from astropy.io.fits import Header
from hypothesis import given
from hypothesis import strategies as st

from reduce.pointing import Pointing, celestial_cards
from reduce.wcs import Distortion, celestial, pixels_of, shifted, sky_of, with_distortion

DEGREES, PIXELS = 1e-9, 1e-6
SIP = Distortion(
    {(2, 0): 3e-7, (1, 1): -2e-7, (0, 2): 1e-7, (3, 0): 2e-11}, {(2, 0): 1e-7, (0, 2): -4e-7, (1, 2): 3e-11}
)


def gnomonic(u, v, matrix, ra, dec):
    """Sky of intermediate pixel offsets: the tangent plane, then the sphere (C&G 2002, eqs 1-5, 15, 55)."""
    xi, eta = np.deg2rad(matrix @ np.stack([u, v]))
    pole, dec0 = np.deg2rad(ra), np.deg2rad(dec)
    below = np.cos(dec0) - eta * np.sin(dec0)
    alpha = pole + np.arctan2(xi, below)
    delta = np.arctan2((np.sin(dec0) + eta * np.cos(dec0)) * np.cos(alpha - pole), below)
    return np.rad2deg(alpha) % 360, np.rad2deg(delta)


def distorted(u, v, distortion):
    return tuple(
        w + sum(value * u**p * v**q for (p, q), value in terms.items())
        for w, terms in ((u, distortion.a), (v, distortion.b))
    )


def pixel_grid(side=4096, count=9):
    axis = np.linspace(-0.5, side - 0.5, count)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def separation(found, ra, dec):
    """Degrees between places on the sky, without what 360 degrees do to a difference."""
    east = (found[:, 0] - ra + 180) % 360 - 180
    return np.hypot(east * np.cos(np.deg2rad(dec)), found[:, 1] - dec).max()


def position_angle_matrix(angle, scale):
    """Steps of x and y to the east and north: y points to the angle, x a quarter turn clockwise of it."""
    turn = np.deg2rad(angle)
    x, y = np.deg2rad(angle - 90), turn
    return scale / 3600 * np.array([[np.sin(x), np.sin(y)], [np.cos(x), np.cos(y)]])


@pytest.mark.parametrize("distortion", [None, SIP], ids=["linear", "sip"])
@pytest.mark.parametrize(
    ("ra", "dec", "angle"),
    [(224.5, 10.25, 0.0), (0.0001, -30.0, 37.0), (359.99999, 66.0, -121.0), (266.4, -89.0, 200.0)],
)
def test_cards_of_a_pointing_are_the_gnomonic_projection(ra, dec, angle, distortion):
    header = celestial_cards(Pointing(ra, dec, angle, 0.004), (1800.25, 2500.5))
    if distortion:
        header = with_distortion(header, distortion)
    wcs = celestial(header)
    pixels = pixel_grid()
    u, v = pixels[:, 0] + 1 - 1800.25, pixels[:, 1] + 1 - 2500.5
    if distortion:
        u, v = distorted(u, v, distortion)
    truth = gnomonic(u, v, position_angle_matrix(angle, 0.004), ra, dec)

    sky = sky_of(wcs, pixels)

    assert separation(sky, *truth) < DEGREES
    assert np.abs(pixels_of(wcs, np.stack(truth, axis=1)) - pixels).max() < PIXELS


@pytest.mark.parametrize("form", ["PC", "CD"])
def test_a_skewed_matrix_is_read_in_both_forms(form):
    matrix = np.array([[-1.1e-6, 2.5e-7], [3.1e-7, 1.05e-6]])
    header = celestial_cards(Pointing(150.0, 2.2, 0.0, 0.004), (10.0, 20.0))
    for i in (0, 1):
        for j in (0, 1):
            del header[f"PC{i + 1}_{j + 1}"]
            header[f"{form}{i + 1}_{j + 1}"] = matrix[i, j] / (1 if form == "CD" else header[f"CDELT{i + 1}"])
    if form == "CD":
        del header["CDELT*"]
    pixels = pixel_grid(2048)
    truth = gnomonic(pixels[:, 0] - 9, pixels[:, 1] - 19, matrix, 150.0, 2.2)

    wcs = celestial(header)

    assert separation(sky_of(wcs, pixels), *truth) < DEGREES
    assert np.abs(pixels_of(wcs, np.stack(truth, axis=1)) - pixels).max() < PIXELS


def test_the_reference_pixel_is_counted_from_one():
    wcs = celestial(celestial_cards(Pointing(10.0, 20.0, 30.0, 0.004), (1.0, 1.0)))
    assert separation(sky_of(wcs, [[0.0, 0.0]]), 10.0, 20.0) < DEGREES


def test_north_is_up_and_east_is_left_at_angle_zero_and_north_turns_with_it():
    at_zero = celestial(celestial_cards(Pointing(10.0, 0.0, 0.0, 0.01), (1.0, 1.0)))
    assert sky_of(at_zero, [[0.0, 100.0]])[0, 1] == pytest.approx(1 / 3600)
    assert sky_of(at_zero, [[-100.0, 0.0]])[0, 0] == pytest.approx(10 + 1 / 3600)
    turned = celestial(celestial_cards(Pointing(10.0, 0.0, 90.0, 0.01), (1.0, 1.0)))
    assert sky_of(turned, [[0.0, 100.0]])[0, 0] == pytest.approx(10 + 1 / 3600)


@given(
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-89, 89),
    angle=st.floats(-360, 360),
    columns=st.integers(-500, 3000),
    rows=st.integers(-500, 3000),
)
def test_a_cut_sees_the_same_sky(ra, dec, angle, columns, rows):
    whole = with_distortion(celestial_cards(Pointing(ra, dec, angle, 0.004), (2048.5, 2048.5)), SIP)
    cut = shifted(whole, columns, rows)
    pixels = np.array([[0.0, 0.0], [300.5, 17.0]])
    before = sky_of(celestial(whole), np.add(pixels, (columns, rows)))
    assert separation(sky_of(celestial(cut), pixels), before[:, 0], before[:, 1]) < DEGREES
    assert whole["CRPIX1"] == 2048.5


def test_a_header_written_and_read_is_as_exact():
    header = with_distortion(celestial_cards(Pointing(123.456789012, -45.6, 12.3, 0.004), (7.25, 8.5)), SIP)
    again = Header.fromstring(header.tostring())
    pixels = pixel_grid()
    truth = sky_of(celestial(header), pixels)
    assert separation(sky_of(celestial(again), pixels), truth[:, 0], truth[:, 1]) < DEGREES
