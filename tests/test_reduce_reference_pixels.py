"""Drift of the electronics, measured by the reference pixels."""

import numpy as np
import pytest
from detector_blocks import frozen, on_each_path, read_flags

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.reference_pixels import reference_level, subtract_reference

SHAPE = (60, 64, 2, 3)
CHANNELS = 4
NO_FLAGS = frozen(np.zeros(SHAPE[:2], dtype=np.uint32))


def drift(seed=1):
    """Of each channel's odd and even columns, shape (nx, ngroups, nreads), and of each row."""
    rng = np.random.default_rng(seed)
    by_channel = rng.uniform(-30, 30, (CHANNELS, 2, *SHAPE[2:]))
    columns = np.arange(SHAPE[1])
    rows = np.arange(SHAPE[0])[:, None, None] / SHAPE[0]
    waves = 8 * np.sin(2 * np.pi * (rows + rng.uniform(0, 1, SHAPE[2:])))
    return by_channel[columns // (SHAPE[1] // CHANNELS), columns % 2], waves


def exposure(columns, rows, noise=0.0, seed=2):
    """Light on all but the border, pedestal and drift."""
    rng = np.random.default_rng(seed)
    light = np.zeros(SHAPE)
    light[4:-4, 4:-4] = np.cumsum(rng.uniform(0, 2000, (52, 56, *SHAPE[2:])), axis=3)
    drifted = light + 10000 + columns + rows[:, None]
    return light, frozen((drifted + rng.normal(0, noise, SHAPE)).astype(np.float32))


def corrected(reads, groupdq=None, **parameters):
    levels = reference_level(reads, channels=CHANNELS, **parameters)
    return subtract_reference(reads, groupdq, NO_FLAGS, levels=levels)


def test_the_channels_drift_is_gone():
    columns, rows = drift()
    light, reads = exposure(columns, 0 * rows)
    result = corrected(reads)
    np.testing.assert_allclose(result.reads, light, atol=0.01)
    assert result.reads.dtype == np.float32
    assert result.groupdq is None


def test_the_drift_along_the_rows_is_gone():
    columns, rows = drift()
    light, reads = exposure(columns, rows)
    result = corrected(reads)
    left = result.reads - light
    ends = (result.reads - light)[20:40, 4:-4]
    assert np.abs(np.ptp(ends, axis=0)).max() < 1.5
    assert np.std(left) < 0.2 * np.std(rows)
    without = corrected(reads, sides=False).reads - light
    assert np.std(without) > 0.9 * np.std(rows)


def test_left_and_right_count_alike():
    columns, rows = drift()
    _, reads = exposure(columns, 0 * rows)
    both = np.array(reads)
    both[4:-4, :4] += np.float32(6)
    both[4:-4, -4:] += np.float32(2)
    level = reference_level(both, channels=CHANNELS).rows[20:40]
    np.testing.assert_allclose(level, 4, atol=0.01)


def test_odd_and_even_columns_need_levels_of_their_own():
    columns, rows = drift()
    light, reads = exposure(columns, 0 * rows)
    together = corrected(reads, odd_even=False, sides=False).reads - light
    assert np.std(together) > 3


def test_the_factor_of_the_drift_along_the_rows():
    _, reads = exposure(*drift())
    full, half, none = (
        reference_level(reads, channels=CHANNELS, side_factor=factor).rows for factor in (1.0, 0.5, 0.0)
    )
    np.testing.assert_allclose(half, full / 2)
    assert not none.any()
    assert np.std(full) > 3


def test_noise_of_the_levels():
    zero = frozen(np.random.default_rng(3).normal(0, 10, SHAPE).astype(np.float32))
    levels = reference_level(zero, channels=CHANNELS)
    assert 0.7 < np.std(levels.columns) / (10 / np.sqrt(8 * 8)) < 1.3
    assert 0.7 < np.std(levels.rows) / (10 * np.sqrt(np.pi / 2 / (8 * 11))) < 1.3


def test_light_does_not_matter():
    columns, rows = drift()
    _, dim = exposure(columns, rows)
    bright = dim.copy()
    bright[4:-4, 4:-4] *= 7
    for one, other in zip(
        reference_level(dim, channels=CHANNELS), reference_level(bright, channels=CHANNELS), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_single_bad_reference_pixels_do_not_matter():
    columns, rows = drift()
    _, reads = exposure(columns, rows, noise=5)
    broken = reads.copy()
    broken[0, 10] = 60000
    broken[-2, 41, 1, 1] = -40000
    broken[30, 2] = np.nan
    broken[40, -1] = np.inf
    good, bad = (reference_level(each, channels=CHANNELS) for each in (reads, broken))
    assert np.abs(good.columns - bad.columns).max() < 1.5
    assert np.abs(good.rows - bad.rows).max() < 1.5


@pytest.mark.parametrize("flag", [DQ.BAD_REF_PIXEL, DQ.DO_NOT_USE])
def test_flagged_reference_pixels_are_left_out(flag):
    columns, rows = drift()
    light, reads = exposure(columns, 0 * rows)
    broken = reads.copy()
    broken[:4, 16:32] += 500
    pixeldq = np.zeros(SHAPE[:2], dtype=np.uint32)
    pixeldq[:4, 16:32] = flag
    np.testing.assert_allclose(corrected(broken, pixeldq=frozen(pixeldq)).reads[4:], light[4:], atol=0.01)
    hot = np.full(SHAPE[:2], DQ.HOT, dtype=np.uint32)
    assert np.abs(corrected(broken, pixeldq=hot).reads - light)[4:].max() > 100


def test_a_channel_without_reference_pixels_has_the_others_level():
    _, rows = drift()
    _, reads = exposure(np.full((SHAPE[1], *SHAPE[2:]), 25.0), 0 * rows)
    pixeldq = np.zeros(SHAPE[:2], dtype=np.uint32)
    pixeldq[:4, 16:32] = pixeldq[-4:, 16:32] = DQ.BAD_REF_PIXEL
    levels = reference_level(reads, pixeldq, channels=CHANNELS)
    np.testing.assert_allclose(levels.columns, 10025)


def test_the_bias_is_taken_off_first():
    columns, rows = drift()
    _, reads = exposure(columns, rows, noise=3)
    bias = np.random.default_rng(4).uniform(-500, 500, SHAPE[:2]).astype(np.float32)
    plain = reference_level(reads, channels=CHANNELS)
    raised = reference_level(reads + bias[:, :, None, None], bias=frozen(bias), channels=CHANNELS)
    np.testing.assert_allclose(raised.columns, plain.columns, atol=0.01)
    np.testing.assert_allclose(raised.rows, plain.rows, atol=0.01)
    pedestal = reference_level(reads, bias=10000.0, channels=CHANNELS)
    np.testing.assert_allclose(pedestal.columns, plain.columns - 10000, atol=0.01)


def test_a_bias_that_is_no_number_leaves_its_pixel_out():
    _, reads = exposure(*drift())
    bias = np.zeros(SHAPE[:2], dtype=np.float32)
    bias[0, 5] = np.nan
    levels = reference_level(reads, bias=bias, channels=CHANNELS)
    assert np.isfinite(levels.columns).all()


def test_a_read_of_nothing_is_flagged_and_the_others_corrected():
    columns, rows = drift()
    light, reads = exposure(columns, 0 * rows)
    broken = reads.copy()
    broken[..., 1, 2] = np.nan
    earlier = read_flags(1, SHAPE)
    result = corrected(frozen(broken), earlier)
    assert (result.groupdq[..., 1, 2] == earlier[..., 1, 2] | DQ.DO_NOT_USE).all()
    np.testing.assert_array_equal(result.groupdq[..., 0, :], earlier[..., 0, :])
    np.testing.assert_allclose(result.reads[..., 0, :], light[..., 0, :], atol=0.01)
    assert np.isnan(result.reads[..., 1, 2]).all()


def test_no_usable_reference_pixel_at_all():
    with pytest.raises(DataError, match="no reference pixel can be used"):
        reference_level(np.full(SHAPE, np.nan, dtype=np.float32), channels=CHANNELS)


def test_the_border_is_flagged_in_whole_frames_and_blocks():
    _, reads = exposure(*drift())
    levels = reference_level(reads, channels=CHANNELS)
    hot = frozen(np.full(SHAPE[:2], DQ.HOT, dtype=np.uint32))
    whole = subtract_reference(reads, None, hot, levels=levels)
    expected = np.full(SHAPE[:2], DQ.HOT | DQ.REFERENCE_PIXEL, dtype=np.uint32)
    expected[4:-4, 4:-4] = DQ.HOT
    np.testing.assert_array_equal(whole.pixeldq, expected)
    rows = [slice(first, min(first + 25, 60)) for first in range(0, 60, 25)]
    parts = [
        subtract_reference(reads[some], None, hot[some], levels=levels, first_row=some.start) for some in rows
    ]
    np.testing.assert_array_equal(np.concatenate([part.pixeldq for part in parts]), expected)
    np.testing.assert_array_equal(np.concatenate([part.reads for part in parts]), whole.reads)


class Slices:
    """Gives rows only, as a file does."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, key):
        assert isinstance(key, slice)
        return self.array[key]


def test_rows_may_come_one_after_another():
    _, reads = exposure(*drift())
    for one, other in zip(
        reference_level(Slices(reads), channels=CHANNELS),
        reference_level(reads, channels=CHANNELS),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["u2", ">u2", "f4", "f8"])
def test_both_paths_give_the_same(monkeypatch, dtype):
    _, reads = exposure(*drift(), noise=4)
    levels = reference_level(reads, channels=CHANNELS)
    some = frozen(reads.astype(dtype))
    plain, fast = on_each_path(
        monkeypatch, lambda: subtract_reference(some, None, NO_FLAGS, levels=levels).reads
    )
    np.testing.assert_allclose(fast, plain, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"channels": 7}, ParameterError, "64 columns can't be divided into 7 channels"),
        ({"channels": 64}, ParameterError, "64 channels"),
        ({"channels": 0}, ParameterError, "0 channels"),
        ({"channels": 4, "border": 0}, DataError, "no border of 0"),
        ({"channels": 4, "border": 30}, DataError, "60 rows and 64 columns have no border of 30"),
        ({"channels": 4, "side_window": 10}, ParameterError, "odd number of rows, not 10"),
        ({"channels": 4, "bias": np.zeros((3, 3))}, DataError, r"\(3, 3\), the data \(60, 64\)"),
        ({"channels": 4, "pixeldq": np.zeros((3, 3), np.uint32)}, DataError, r"\(3, 3\)"),
    ],
)
def test_parameters_are_checked(parameters, error, message):
    with pytest.raises(error, match=message):
        reference_level(np.zeros(SHAPE, np.uint16), **parameters)


def test_levels_of_another_frame():
    _, reads = exposure(*drift())
    levels = reference_level(reads, channels=CHANNELS)
    with pytest.raises(DataError, match=r"\(60, 64, 2, 3\).*from row 30 on have the shape \(60, 64, 2, 3\)"):
        subtract_reference(reads, None, NO_FLAGS, levels=levels, first_row=30)
    with pytest.raises(DataError, match=r"\(60, 64, 2, 3\).*\(60, 64, 2, 2\)"):
        subtract_reference(reads[..., :2], None, NO_FLAGS, levels=levels)
