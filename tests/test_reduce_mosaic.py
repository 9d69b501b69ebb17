"""Frames are put on a common grid, by drizzling or by whole pixels."""

from __future__ import annotations

import numpy as np
import pytest

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.dither_outliers import dither_outliers
from reduce.kernels.mosaic import (
    DrizzleInput,
    correlation_factor,
    drizzle_frames,
    pixel_area,
    pixel_map,
)
from reduce.kernels.mosaic_grid import output_grid

NOTHING = int(DQ.DO_NOT_USE | DQ.NON_SCIENCE)


def places(shape, dy=0.0, dx=0.0, scale=1.0):
    """A pixel map that shifts and magnifies."""
    rows, columns = np.indices(shape, dtype=np.float64)
    return np.stack([columns * scale + dx, rows * scale + dy], axis=-1)


def frame(sci, place, *, variance=1.0, dq=None, weight=1.0):
    sci = np.asarray(sci, dtype=np.float32)
    flags = np.zeros(sci.shape, np.uint32) if dq is None else dq
    return DrizzleInput(sci, np.full(sci.shape, variance, np.float32), flags, place, weight)


def sky(ra=150.0, dec=20.0, scale=0.004 / 3600, angle=0.0, system="ICRS", shape=(40, 50)):
    """Gnomonic coordinates of a frame."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    turn = np.radians(angle)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix = (ra, dec), ((shape[1] + 1) / 2, (shape[0] + 1) / 2)
    wcs.wcs.cdelt = -scale, scale
    wcs.wcs.pc = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    wcs.wcs.radesys = system
    if system == "FK5":
        wcs.wcs.equinox = 2000.0
    wcs.wcs.set()
    return wcs


def test_frame_in_its_own_place_is_itself():
    rng = np.random.default_rng(1)
    sci = rng.normal(10, 1, (12, 15))
    dq = np.zeros(sci.shape, np.uint32)
    dq[3, 4], dq[5, 6] = DQ.WARM, DQ.DO_NOT_USE | DQ.HOT
    mosaic = drizzle_frames([frame(sci, places(sci.shape), dq=dq, variance=4, weight=30)], None, (14, 15))
    good = np.ones(sci.shape, bool)
    good[5, 6] = False
    np.testing.assert_allclose(mosaic.sci[:12][good], sci[good], rtol=1e-6)
    np.testing.assert_allclose(mosaic.variance[:12][good], 4, rtol=1e-6)
    np.testing.assert_allclose(mosaic.weight[:12][good], 30)
    assert mosaic.dq[3, 4] == DQ.WARM
    np.testing.assert_array_equal(mosaic.dq[12:], NOTHING)
    assert (mosaic.dq[5, 6], mosaic.sci[5, 6], mosaic.variance[5, 6], mosaic.count[5, 6]) == (
        NOTHING,
        0,
        0,
        0,
    )
    assert (mosaic.count[:12][good] == 1).all()


def test_bad_pixels_and_their_bits_stay_out():
    bad = np.full((6, 6), DQ.DO_NOT_USE | DQ.DEAD, np.uint32)
    frames = [
        frame(np.full((6, 6), 2.0), places((6, 6))),
        frame(np.full((6, 6), np.nan), places((6, 6)), dq=bad),
    ]
    mosaic = drizzle_frames(frames, None, (6, 6))
    np.testing.assert_allclose(mosaic.sci, 2)
    np.testing.assert_array_equal(mosaic.dq, 0)
    np.testing.assert_array_equal(mosaic.count, 1)


def test_weights_weigh_and_frames_are_counted():
    frames = (frame(np.full((5, 5), float(k % 2)), places((5, 5)), weight=1 + 2 * (k % 2)) for k in range(40))
    mosaic = drizzle_frames(frames, None, (5, 5))
    np.testing.assert_allclose(mosaic.sci, 0.75, rtol=1e-6)
    np.testing.assert_array_equal(mosaic.count, 40)
    np.testing.assert_allclose(mosaic.variance, 20 * (1 + 9) / 80**2, rtol=1e-5)


def test_conventions_of_values():
    x = np.linspace(0, 20, 21)
    rows, columns = np.meshgrid(x, x + 0.01 * (x - 10) ** 2, indexing="ij")
    bent = np.stack([columns, rows], axis=-1)
    area = pixel_area(bent)
    flat_sky = frame(np.ones((21, 21)), bent)
    inside = (slice(5, 15), slice(5, 15))
    brightness = drizzle_frames([flat_sky], None, (21, 25), convention="brightness")
    np.testing.assert_allclose(brightness.sci[inside], 1, rtol=1e-6)
    nominal = drizzle_frames([flat_sky], None, (21, 25), convention="nominal")
    np.testing.assert_allclose(nominal.sci[inside], 1 / area.mean(), rtol=1e-6)
    pixel = drizzle_frames([frame(area, bent)], None, (21, 25), convention="pixel")
    np.testing.assert_allclose(pixel.sci[inside], 1, rtol=1e-6)


def test_inputs_stay_as_they_are():
    one = frame(np.ones((5, 5)), places((5, 5)))
    for array in one[:4]:
        array.flags.writeable = False
    drizzle_frames([one], None, (5, 5), pixfrac=0.5, kernel="turbo")


@pytest.mark.parametrize("system", ["ICRS", "FK5"])
def test_pixel_map_leads_to_the_same_place_on_the_sky(system):
    wcs, grid = sky(angle=30, system=system), sky(ra=150.00001, scale=0.003 / 3600)
    mapped = pixel_map(wcs, (40, 50), grid)
    here, there = wcs.pixel_to_world(7, 31), grid.pixel_to_world(*mapped[31, 7])
    assert here.separation(there).arcsec < 1e-7


def test_grid_holds_all_frames_closely():
    shapes = [(40, 50), (30, 60)]
    wcss = [sky(), sky(ra=150.00004, dec=20.00003, angle=40, shape=(30, 60), system="FK5")]
    grid = output_grid(wcss, shapes, rotation=15)
    found = [pixel_map(wcs, shape, grid.wcs).reshape(-1, 2) for wcs, shape in zip(wcss, shapes, strict=True)]
    x, y = np.concatenate(found).T
    for values, length in ((x, grid.shape[1]), (y, grid.shape[0])):
        assert -0.5 <= values.min() < 1
        assert length - 2 < values.max() <= length - 0.5
    up = grid.wcs.pixel_to_world([10, 10], [10, 30])
    assert up[0].position_angle(up[1]).deg == pytest.approx(15, abs=0.01)
    left = grid.wcs.pixel_to_world([30, 10], [10, 10])
    assert left[0].position_angle(left[1]).deg == pytest.approx(105, abs=0.01)


def test_grid_of_one_frame_is_that_frame():
    wcs = sky()
    grid = output_grid([wcs], [(40, 50)])
    assert grid.shape == (40, 50)
    np.testing.assert_allclose(pixel_map(wcs, (40, 50), grid.wcs), places((40, 50)), atol=1e-4)
    assert output_grid([wcs], [(40, 50)], scale=0.002 / 3600).shape == (80, 100)


def test_grid_lies_across_the_origin_of_right_ascension_and_at_the_pole():
    wcss = [sky(ra=359.99999), sky(ra=0.00001)]
    assert max(output_grid(wcss, [(40, 50)] * 2).shape) < 100
    assert max(output_grid([sky(dec=90.0), sky(ra=200, dec=89.99999)], [(40, 50)] * 2).shape) < 100


def test_correlation_factor_is_that_of_the_paper():
    assert correlation_factor(0, 1) == 1
    assert correlation_factor(1, 1) == pytest.approx(1.5)
    assert correlation_factor(0.6, 0.5) == pytest.approx(1.662, abs=0.001)


def stars_and_rays(frames):
    """Dithered frames of a star field with noise, and where rays hit them."""
    rng = np.random.default_rng(8)
    stars = rng.uniform(10, 70, (25, 2)), rng.uniform(200, 5000, 25)
    inputs, hits = [], []
    for _ in range(frames):
        place = places((64, 64), *(rng.integers(5, 15, 2) + rng.uniform(0, 1, 2)))
        sci = np.zeros((64, 64))
        for (y, x), flux in zip(*stars, strict=True):
            r2 = (place[..., 0] - x) ** 2 + (place[..., 1] - y) ** 2
            sci += flux / (2 * np.pi * 1.5**2) * np.exp(-r2 / 2 / 1.5**2)
        variance = (4 + sci).astype(np.float32)
        sci += rng.normal(size=sci.shape) * np.sqrt(variance)
        hit = rng.random(sci.shape) < 0.005
        sci[hit] += 400
        inputs.append(DrizzleInput(sci.astype(np.float32), variance, np.zeros(sci.shape, np.uint32), place))
        hits.append(hit)
    return inputs, hits


def test_rays_in_dithered_frames_are_told_from_stars():
    inputs, hits = stars_and_rays(6)
    masks = dither_outliers(inputs, None, (85, 85))
    inner = (slice(18, 46), slice(18, 46))
    found = np.array([mask[inner] for mask in masks])
    true = np.array([hit[inner] for hit in hits])
    assert found[true].mean() > 0.95
    assert found[~true].mean() < 2e-3


def test_two_dithered_frames_tell_nothing():
    inputs, _ = stars_and_rays(2)
    assert not any(mask.any() for mask in dither_outliers(inputs, None, (85, 85)))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: drizzle_frames([], None, (5, 5)), "no frames"),
        (lambda: drizzle_frames([frame(np.ones((5, 5)), places((5, 5)))], None, (0, 5)), "shape"),
        (
            lambda: drizzle_frames([frame(np.ones((5, 5)), places((5, 5)))], None, (5, 5), pixfrac=0),
            "pixfrac is 0",
        ),
        (
            lambda: drizzle_frames([frame(np.ones((5, 5)), places((5, 5)))], None, (5, 5), kernel="lanczos3"),
            "kernel",
        ),
        (lambda: drizzle_frames([frame(np.ones((5, 5)), places((5, 4)))], None, (5, 5)), "pixel map"),
        (lambda: drizzle_frames([frame(np.ones((5, 5)), places((5, 5)), weight=0)], None, (5, 5)), "weight"),
        (lambda: drizzle_frames([frame(np.ones((1, 5)), places((1, 5)))], None, (5, 5)), "too small"),
        (lambda: drizzle_frames([frame(np.ones((5, 5)), sky())], None, (5, 5)), "grid has none"),
        (lambda: dither_outliers([], None, (5, 5)), "no frames"),
        (lambda: dither_outliers([], None, (5, 5), threshold=0), "threshold 0"),
        (lambda: output_grid([], []), "coordinates of 0 frames"),
        (lambda: output_grid([sky()], [(4, 4)], scale=0), "scale is 0"),
        (lambda: correlation_factor(1, 0), "must be positive"),
    ],
)
def test_what_can_not_be_done_is_told(call, says):
    with pytest.raises((DataError, ParameterError), match=says):
        call()
