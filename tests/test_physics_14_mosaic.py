"""Physics test 14: drizzling conserves flux, and its variance law holds."""

from __future__ import annotations

import numpy as np
import pytest

from reduce.kernels.mosaic import DrizzleInput, correlation_factor, drizzle_frames, pixel_area

SHAPE = (48, 48)
FLUX = 1000.0


def turned(scale, angle, dy=0.0, dx=0.0):
    """Where the pixels of a turned and shifted frame lie on a grid whose pixels have a side of `scale`."""
    rows, columns = np.indices(SHAPE, dtype=np.float64) - (SHAPE[0] - 1) / 2
    turn = np.radians(angle)
    x = (np.cos(turn) * columns - np.sin(turn) * rows + dx) / scale
    y = (np.sin(turn) * columns + np.cos(turn) * rows + dy) / scale
    middle = (grid_shape(scale)[0] - 1) / 2
    return np.stack([x, y], axis=-1) + middle


def grid_shape(scale):
    side = int(1.6 * SHAPE[0] / scale)
    return side, side


def star(places, scale):
    """A Gaussian star of known flux in the middle of the grid, as a frame there would see it."""
    middle = (grid_shape(scale)[0] - 1) / 2
    r2 = ((places - middle) ** 2).sum(axis=-1) * scale**2
    width = 2.0
    return (FLUX / (2 * np.pi * width**2) * np.exp(-r2 / (2 * width**2))).astype(np.float32)


def drizzled(images, maps, scale, **options):
    flags = np.zeros(SHAPE, np.uint32)
    frames = [
        DrizzleInput(image, np.ones(SHAPE, np.float32), flags, m)
        for image, m in zip(images, maps, strict=True)
    ]
    return drizzle_frames(frames, None, grid_shape(scale), **options)


@pytest.mark.parametrize("kernel", ["square", "turbo"])
@pytest.mark.parametrize("scale", [1.0, 0.6, 1.7])
def test_flux_is_conserved(kernel, scale):
    angles = (0, 17, 33) if kernel == "square" else (0, 0, 0)
    maps = [
        turned(scale, a, dy, dx) for a, dy, dx in zip(angles, (0, 0.37, -0.8), (0, 0.21, 0.45), strict=True)
    ]
    images = [star(places, scale) for places in maps]
    for image, places in zip(images, maps, strict=True):
        alone = drizzled([image], [places], scale, kernel=kernel)
        assert alone.sci.sum() == pytest.approx(image.sum(dtype=float), rel=1e-4)
    together = drizzled(images, maps, scale, kernel=kernel)
    assert together.sci.sum(dtype=float) == pytest.approx(FLUX, rel=1e-4)


def test_flux_is_conserved_with_distortion():
    places = turned(1.0, 10)
    middle = (grid_shape(1.0)[0] - 1) / 2
    away = places - middle
    bent = middle + away * (1 + 5e-6 * (away**2).sum(axis=-1, keepdims=True))
    image = star(bent, 1.0) * pixel_area(bent).astype(np.float32)
    mosaic = drizzled([image], [bent], 1.0, convention="pixel")
    assert mosaic.sci.sum(dtype=float) == pytest.approx(FLUX, rel=1e-4)


def test_flux_is_conserved_by_shrunken_pixels_on_an_even_grid():
    maps = [turned(0.5, 0, dy, dx) for dy in (0, 0.5) for dx in (0, 0.5)]
    mosaic = drizzled([star(m, 0.5) for m in maps], maps, 0.5, pixfrac=0.5)
    assert mosaic.sci.sum(dtype=float) == pytest.approx(FLUX, rel=1e-4)


@pytest.mark.parametrize(("scale", "pixfrac"), [(1.0, 1.0), (0.6, 0.8), (1.7, 1.0)])
def test_variance_of_a_pixel_is_true(scale, pixfrac):
    rng = np.random.default_rng(2)
    maps = [turned(scale, 25 * k, *rng.uniform(-0.5, 0.5, 2)) for k in range(4)]
    noise = [
        drizzled([rng.normal(size=SHAPE) for _ in maps], maps, scale, pixfrac=pixfrac) for _ in range(60)
    ]
    inner = slice(grid_shape(scale)[0] // 3, -(grid_shape(scale)[0] // 3))
    values = np.array([mosaic.sci[inner, inner] for mosaic in noise])
    expected = noise[0].variance[inner, inner]
    covered = noise[0].count[inner, inner] == 4
    pulls = values[:, covered] / np.sqrt(expected[covered])
    assert np.sqrt(np.mean(pulls**2)) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("scale", "pixfrac"), [(1.0, 1.0), (0.5, 0.6), (0.5, 1.0)])
def test_noise_of_large_areas_follows_the_correlation_factor(scale, pixfrac):
    rng = np.random.default_rng(3)
    steps = np.arange(6) / 6
    maps = [turned(scale, 0, dy, dx) for dy in steps for dx in steps]
    side, block = grid_shape(scale)[0], int(12 / scale)
    first = (side - 3 * block) // 2
    inner = slice(first, first + 3 * block)
    ratios = []
    for _ in range(12):
        mosaic = drizzled([rng.normal(size=SHAPE) for _ in maps], maps, scale, pixfrac=pixfrac)
        sums = mosaic.sci[inner, inner].reshape(3, block, 3, block).sum(axis=(1, 3))
        expected = mosaic.variance[inner, inner].reshape(3, block, 3, block).sum(axis=(1, 3))
        ratios.append(sums**2 / expected)
    assert np.sqrt(np.mean(ratios)) == pytest.approx(correlation_factor(pixfrac, scale), rel=0.12)
