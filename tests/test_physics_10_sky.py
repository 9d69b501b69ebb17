import numpy as np
import pytest

from reduce.arrays import Flags, Image, Mask
from reduce.dq import DQ, flagged
from reduce.kernels.sky import Level, Sky, make_sky, running_sky, sky_scale, subtract
from reduce.kernels.sky_stack import Method

SCALES = np.array([0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5])
BRIGHTNESS = 400.0
READ_NOISE = 5.0
SHAPE = (256, 288)


def sky_shape() -> Image:
    """A sky with a slope, a ring and a pattern from pixel to pixel; its mean is 1."""
    y, x = np.indices(SHAPE)
    sky = 1 + 0.1 * x / SHAPE[1] - 0.05 * y / SHAPE[0] + 0.03 * np.cos(np.hypot(y - 100, x - 120) / 30)
    sky = sky * (1 + 0.02 * np.random.default_rng(1).normal(size=SHAPE))
    return sky / sky.mean()


def stars(rng: np.random.Generator, shift: tuple[int, int]) -> Image:
    """One field of stars, moved."""
    y, x = np.indices(SHAPE)
    image = np.zeros(SHAPE)
    field = np.random.default_rng(2)
    for _ in range(40):
        row, column = field.uniform(-20, SHAPE[0] + 20), field.uniform(-20, SHAPE[1] + 20)
        flux = 10 ** field.uniform(3, 5)
        squared = (y - row - shift[0]) ** 2 + (x - column - shift[1]) ** 2
        image += flux / (2 * np.pi * 1.5**2) * np.exp(-squared / (2 * 1.5**2))
    return image


def night(seed: int) -> tuple[Image, Image, Flags]:
    """Dithered frames with a changing sky: counts in electrons, their variance and DQ."""
    rng = np.random.default_rng(seed)
    truth = sky_shape()
    frames = []
    for place, scale in enumerate(SCALES):
        expected = BRIGHTNESS * scale * truth + stars(rng, (17 * place - 50, 11 * (-1) ** place * place))
        frames.append(rng.poisson(expected) + rng.normal(0, READ_NOISE, SHAPE))
    sci = np.array(frames, dtype=np.float32)
    variance = np.maximum(sci, 0) + np.float32(READ_NOISE**2)
    dq = np.zeros(sci.shape, dtype=np.uint32)
    hot = rng.random(sci.shape) < 0.002
    sci[hot] = np.nan
    dq[hot] = DQ.DO_NOT_USE
    return sci, variance, dq


@pytest.fixture(scope="module")
def frames() -> tuple[Image, Image, Flags]:
    return night(3)


@pytest.fixture(scope="module")
def sky(frames: tuple[Image, Image, Flags]) -> Sky:
    return make_sky(*frames)


def good(sky: Sky) -> Mask:
    return ~flagged(sky.dq)


def test_levels_are_unbiased_for_scales_from_half_to_one_and_a_half(sky: Sky) -> None:
    np.testing.assert_allclose(sky.levels, BRIGHTNESS * SCALES, rtol=0.002)


def test_the_sky_is_unbiased(sky: Sky) -> None:
    ratio = sky.sci[good(sky)] / sky_shape()[good(sky)]
    assert abs(ratio.mean() - 1) < 0.002
    product = sky.levels.mean() * sky.sci[good(sky)]
    assert abs(product.mean() / (BRIGHTNESS * SCALES.mean() * sky_shape()[good(sky)]).mean() - 1) < 0.002


@pytest.mark.parametrize("method", ["mean", "median"])
def test_the_error_is_the_scatter_around_the_truth(
    frames: tuple[Image, Image, Flags], method: Method
) -> None:
    found = make_sky(*frames, method=method)
    usable = good(found)
    pull = (found.sci[usable] - sky_shape()[usable]) / np.sqrt(found.variance[usable])
    assert np.std(pull) == pytest.approx(1, abs=0.05)


def test_subtraction_at_the_frame_s_own_level_leaves_nothing(
    frames: tuple[Image, Image, Flags], sky: Sky
) -> None:
    sci, variance, dq = frames
    for index in (0, 6):
        others = running_sky(*frames, sky, index=index)
        level = sky_scale(sci[index], variance[index], dq[index], others)
        assert level.value == pytest.approx(BRIGHTNESS * SCALES[index], rel=0.002)
        left = subtract(sci[index], {"OTHER": variance[index]}, dq[index], others, level=level)
        empty = ~flagged(left.dq) & ~sky.masks[index]
        assert abs(left.sci[empty].mean()) < 0.002 * level.value
        error = np.sqrt(left.variances["OTHER"] + left.variances["SKY"])[empty]
        assert np.std(left.sci[empty] / error) == pytest.approx(1, abs=0.05)
    assert isinstance(level, Level)
