from typing import Literal

import numpy as np
import pytest

from reduce.arrays import Flags, Image
from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels import sky_stack
from reduce.kernels.sky import Level, make_sky, running_sky, sky_scale, subtract
from reduce.kernels.source_mask import Search, source_mask

SHAPE = (96, 100)
SLOPE = np.linspace(0.8, 1.2, SHAPE[1])[None, :].repeat(SHAPE[0], axis=0)


def frames(levels: list[float], seed: int = 1, noise: float = 5.0) -> tuple[Image, Image, Flags]:
    rng = np.random.default_rng(seed)
    sci = np.array([level * SLOPE + rng.normal(0, noise, SHAPE) for level in levels], np.float32)
    variance, dq = np.full(sci.shape, noise**2, np.float32), np.zeros(sci.shape, np.uint32)
    for array in (sci, variance, dq):
        array.flags.writeable = False
    return sci, variance, dq


@pytest.mark.parametrize("method", ["mean", "median"])
def test_outliers_in_single_frames_do_not_reach_the_sky(method: str) -> None:
    sci, variance, dq = (array.copy() for array in frames([100, 150, 80, 120, 90]))
    clean = make_sky(sci, variance, dq, method=method)  # type: ignore[arg-type]
    sci[2, 50, 50] = 1e6
    hit = make_sky(sci, variance, dq, method=method)  # type: ignore[arg-type]
    assert hit.sci[50, 50] == pytest.approx(clean.sci[50, 50], abs=0.1)
    assert hit.dq[50, 50] == 0


def test_a_pixel_without_any_good_frame_is_one_and_not_to_be_used() -> None:
    sci, variance, dq = (array.copy() for array in frames([100, 150, 80]))
    dq[:, 7, 7] = DQ.HOT | DQ.DO_NOT_USE
    sci[0, 8, 8], variance[1, 9, 9] = np.nan, np.inf
    dq[:, 10, 10] = DQ.WARM
    dq[0, 11, 11] = DQ.DO_NOT_USE | DQ.SATURATED
    sky = make_sky(sci, variance, dq)
    assert sky.dq[7, 7] == DQ.HOT | DQ.DO_NOT_USE
    assert (sky.sci[7, 7], sky.variance[7, 7]) == (1, 0)
    assert sky.dq[10, 10] == DQ.WARM
    assert sky.dq[8, 8] == sky.dq[9, 9] == sky.dq[11, 11] == 0
    assert np.isfinite(sky.sci).all()
    assert np.isfinite(sky.variance).all()


def test_one_frame_makes_a_sky_with_holes_where_it_has_sources() -> None:
    sci, variance, dq = (array.copy() for array in frames([100]))
    sci[0, 40:46, 40:46] += 500
    sky = make_sky(sci, variance, dq)
    assert flagged(sky.dq)[40:46, 40:46].all()
    assert np.count_nonzero(flagged(sky.dq)) < 700
    assert sky.levels[0] == pytest.approx(100, rel=0.005)


def test_the_mean_of_the_sky_is_one() -> None:
    sky = make_sky(*frames([100, 150, 80]))
    assert sky.sci.mean(dtype=float) == pytest.approx(1, abs=1e-5)


def test_faint_skies_are_scaled_without_bias() -> None:
    levels = [1.0, 2.0, 3.0, 4.0] * 3
    sci, variance, dq = frames(levels, noise=10.0)
    sky = make_sky(sci, variance, dq)
    assert sky.levels.mean() == pytest.approx(2.5, abs=4 * 10 / np.sqrt(sci.size))
    found = sky_scale(*(array[0] for array in frames([3.0], seed=9, noise=10.0)), sky)
    assert found.value == pytest.approx(3.0, abs=4 * found.error)


def test_frames_without_noise_are_told_exactly() -> None:
    sci, _, dq = frames([100, 150, 80], noise=0)
    sky = make_sky(sci, np.zeros_like(sci), dq)
    np.testing.assert_allclose(sky.sci, SLOPE, rtol=1e-5)
    np.testing.assert_allclose(sky.levels, [100, 150, 80], rtol=1e-5)


def test_the_level_s_error_is_its_scatter() -> None:
    sky = make_sky(*frames([100] * 8))
    found = [
        sky_scale(*(array[0] for array in frames([130], seed=seed)), sky, box=16, search=Search(threshold=50))
        for seed in range(20, 60)
    ]
    pulls = [(level.value - 130) / level.error for level in found]
    assert 0.7 < np.std(pulls) < 1.4
    assert abs(np.mean(pulls)) < 1.5


def test_a_running_sky_leaves_the_frame_out() -> None:
    stack = frames([100, 150, 80, 120, 90])
    sky = make_sky(*stack)
    changed = stack[0].copy()
    changed[2, :, :20] += 40
    others = running_sky(*stack, sky, index=2, width=2)
    again = running_sky(changed, *stack[1:], sky, index=2, width=2)
    np.testing.assert_array_equal(others.sci, again.sci)
    near = make_sky(*(array[[1, 3]] for array in stack))
    np.testing.assert_allclose(others.sci, near.sci, atol=0.02)
    with_own = running_sky(changed, *stack[1:], sky, index=2, own=True)
    assert not np.array_equal(with_own.sci, again.sci)
    np.testing.assert_allclose(with_own.sci, make_sky(*stack).sci, atol=0.3)


def test_subtraction_adds_both_errors() -> None:
    sci, variance, dq = frames([100, 150, 80])
    sky = make_sky(sci, variance, dq)
    arrays = subtract(sci[0], {"OTHER": variance[0]}, dq[0], sky, level=Level(100.0, 2.0))
    np.testing.assert_allclose(arrays.variances["SKY"], 100**2 * sky.variance + 4 * sky.sci**2, rtol=1e-4)
    np.testing.assert_allclose(arrays.sci, sci[0] - 100 * sky.sci, atol=1e-3)


def test_the_number_of_threads_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = frames([100, 150, 80])
    many = make_sky(*stack)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    one = make_sky(*stack)
    for first, second in zip(many, one, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", ["mean", "median"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_compiled_code_gives_what_numpy_gives(
    monkeypatch: pytest.MonkeyPatch, count: int, kind: type, method: Literal["mean", "median"]
) -> None:
    rng = np.random.default_rng(count)
    sci = rng.normal(100, 10, (count, *SHAPE)).astype(kind)
    for share, value in ((0.1, 400), (0.05, np.nan), (0.01, np.inf)):
        sci[rng.random(sci.shape) < share] = value
    variance = rng.uniform(50, 200, sci.shape).astype(kind)
    for value in (-1, 0):
        variance[rng.random(sci.shape) < 0.02] = value
    dq = rng.choice([0, 1, 8], sci.shape, p=[0.8, 0.1, 0.1]).astype(np.uint32)
    masks, levels = rng.random(sci.shape) < 0.2, rng.uniform(50, 150, count)
    stack = sky_stack.Stack(sci, variance, dq, masks, levels)
    compiled = sky_stack.combined(stack, method, 3.0)
    monkeypatch.setattr(sky_stack, "available", lambda: False)
    plain = sky_stack.combined(stack, method, 3.0)
    for first, second in zip(compiled, plain, strict=True):
        np.testing.assert_array_equal(first, second)


def test_sources_are_found_and_single_pixels_are_not() -> None:
    image = np.random.default_rng(2).normal(0, 1, SHAPE)
    y, x = np.indices(SHAPE)
    image += 30 * np.exp(-((y - 30) ** 2 + (x - 60) ** 2) / 4)
    nothing = np.zeros(SHAPE, bool)
    found = source_mask(image, nothing, Search(grow=3))
    assert found[27:34, 57:64].all()
    assert np.count_nonzero(found) < 400
    assert not source_mask(image, nothing | (np.hypot(y - 30, x - 60) < 12)).any()
    assert not source_mask(image, np.ones(SHAPE, bool)).any()


def test_no_sky_can_be_made_of_nothing() -> None:
    sci, variance, dq = frames([100, 150])
    with pytest.raises(DataError, match="stack of frames"):
        make_sky(sci[0], variance[0], dq[0])
    with pytest.raises(DataError, match="variance has the shape"):
        make_sky(sci, variance[:1], dq)
    with pytest.raises(DataError, match="frame 2 has the level -"):
        make_sky(*frames([100, -50], noise=0.001))
    with pytest.raises(DataError, match="no pixel is good"):
        make_sky(sci, variance, np.full_like(dq, DQ.DO_NOT_USE))
    with pytest.raises(ParameterError, match="not a way to combine"):
        make_sky(sci, variance, dq, method="sum")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="clipped"):
        make_sky(sci, variance, dq, clip=0)
    with pytest.raises(ParameterError, match="rounds"):
        make_sky(sci, variance, dq, rounds=0)
    with pytest.raises(ParameterError, match="too small"):
        make_sky(sci, variance, dq, box=0)
    sky = make_sky(sci[:1], variance[:1], dq[:1])
    with pytest.raises(DataError, match="no other frame"):
        running_sky(sci[:1], variance[:1], dq[:1], sky, index=0)
    with pytest.raises(ParameterError, match="no frame 1"):
        running_sky(sci[:1], variance[:1], dq[:1], sky, index=1)
