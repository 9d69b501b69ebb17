import numpy as np
import pytest

from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels.bad_pixels import DarkLimits, FlatLimits, from_dark, from_darks, from_flat

SHAPE = (120, 140)


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def glowing_dark(rng: np.random.Generator) -> np.ndarray:
    """A dark with an amplifier's glow at one side."""
    x = np.arange(SHAPE[1]) / SHAPE[1]
    return 0.03 + 0.5 * x**3 + rng.normal(0, 0.01, SHAPE)


def test_hot_warm_and_cold_pixels_are_found_beside_a_glow() -> None:
    dark = glowing_dark(np.random.default_rng(1))
    dark[10, 10], dark[20, 20], dark[30, 30], dark[40, 40] = 5.0, 0.25, -0.3, np.nan
    flags = from_dark(frozen(dark), box=20)
    assert flags[10, 10] == DQ.HOT | DQ.DO_NOT_USE
    assert flags[20, 20] == DQ.WARM
    assert flags[30, 30] == DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE
    assert flags[40, 40] == DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE
    assert np.count_nonzero(flags) <= 5
    assert flags.dtype == np.uint32


def test_a_pixel_with_a_large_error_is_not_hot() -> None:
    dark = glowing_dark(np.random.default_rng(2))
    variance, dq = np.full(SHAPE, 1e-4), np.zeros(SHAPE, np.uint32)
    dark[10, 10], variance[10, 10] = 5.0, 4.0
    variance[3, 3] = np.nan
    dq[5, 5] = DQ.OTHER_BAD_PIXEL | DQ.DO_NOT_USE
    flags = from_dark(frozen(dark), frozen(variance), frozen(dq), box=20)
    assert flags[10, 10] == 0
    assert flags[3, 3] == DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE
    assert flags[5, 5] == DQ.OTHER_BAD_PIXEL | DQ.DO_NOT_USE


def test_noisy_and_switching_pixels_are_found_but_not_cosmic_rays() -> None:
    rng = np.random.default_rng(3)
    darks = rng.normal(0.03, 0.01, (10, *SHAPE))
    darks[:, 10, 10] = rng.normal(0.03, 0.3, 10)
    darks[:, 20, 20] += np.array([0, 0, 1, 1, 0, 1, 0, 0, 1, 0]) * 0.5
    darks[4, 30, 30] = 80.0
    darks[:8, 40, 40] = np.nan
    flags = from_darks(frozen(darks.astype(np.float32)))
    assert flags[10, 10] == DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE
    assert flags[20, 20] == DQ.TELEGRAPH | DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE
    assert flags[30, 30] == 0
    assert flags[40, 40] == DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE
    assert np.count_nonzero(flags) <= 4


def test_flagged_values_do_not_count_in_the_scatter() -> None:
    darks = np.random.default_rng(4).normal(0, 1, (6, *SHAPE)).astype(np.float32)
    dq = np.zeros(darks.shape, np.uint32)
    darks[:3, 5, 5], dq[:3, 5, 5] = 1e6, DQ.DO_NOT_USE
    assert from_darks(darks, dq)[5, 5] == 0
    assert from_darks(darks)[5, 5] != 0


def test_the_scatter_is_the_same_for_each_number_of_good_frames() -> None:
    darks = np.random.default_rng(5).normal(0, 1, (3, 64, 64)).astype(np.float32)
    assert np.count_nonzero(from_darks(darks)) < 10


def lamp(rng: np.random.Generator) -> np.ndarray:
    """A flat whose illumination falls to half at one side."""
    y = np.arange(SHAPE[0])[:, None] / SHAPE[0]
    return (1 - 0.5 * y) * rng.normal(1, 0.01, SHAPE)


def test_dead_open_and_inefficient_pixels_are_found() -> None:
    flat = lamp(np.random.default_rng(6))
    flat[10, 10], flat[20, 20], flat[30, 30] = 0.01, 0.3, -0.1
    flat[40, 40], flat[50, 50] = np.nan, 0.2
    for row, column in ((49, 50), (51, 50), (50, 49), (50, 51)):
        flat[row, column] *= 1.15
    flags = from_flat(frozen(flat), box=20)
    assert flags[10, 10] == DQ.DEAD | DQ.DO_NOT_USE
    assert flags[20, 20] == DQ.LOW_QE
    assert flags[30, 30] == DQ.DEAD | DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE
    assert flags[40, 40] == DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE
    assert flags[50, 50] == DQ.OPEN | DQ.DO_NOT_USE
    for row, column in ((49, 50), (51, 50), (50, 49), (50, 51)):
        assert flags[row, column] == DQ.ADJ_OPEN
    assert np.count_nonzero(flags) == 9


def test_a_flat_s_own_flags_are_kept_and_not_looked_at() -> None:
    flat, dq = lamp(np.random.default_rng(7)), np.zeros(SHAPE, np.uint32)
    dq[:, :3] = DQ.REFERENCE_PIXEL | DQ.DO_NOT_USE
    flat[:, :3] = 0
    flags = from_flat(frozen(flat), frozen(dq), box=20)
    assert flagged(flags[:, :3], DQ.REFERENCE_PIXEL).all()
    assert not flags[:, 3:].any()


def test_what_can_not_be_judged_is_an_error() -> None:
    with pytest.raises(DataError, match="3 frames or more"):
        from_darks(np.zeros((2, 5, 5)))
    with pytest.raises(DataError, match="three good darks"):
        from_darks(np.full((3, 5, 5), np.nan))
    with pytest.raises(DataError, match="no pixel is good"):
        from_dark(np.full(SHAPE, np.nan))
    with pytest.raises(DataError, match="nowhere above zero"):
        from_flat(np.full(SHAPE, -1.0))
    with pytest.raises(ParameterError, match="limits of a dark"):
        from_dark(np.zeros(SHAPE), limits=DarkLimits(warm=9, hot=5))
    with pytest.raises(ParameterError, match="noisy"):
        from_darks(np.zeros((3, 5, 5)), limits=DarkLimits(noisy=0))
    with pytest.raises(ParameterError, match="limits of a flat"):
        from_flat(np.ones(SHAPE), limits=FlatLimits(dead=0.7))
