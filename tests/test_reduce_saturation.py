"""Flags of saturated reads."""

import numpy as np
import pytest
from detector_blocks import SHAPE, assert_same, counts, frozen, no_flags, on_each_path, read_flags
from hypothesis import given, settings
from hypothesis import strategies as st

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels import acceleration
from reduce.kernels.saturation import flag_saturation

SATURATED = np.uint8(DQ.SATURATED)
FLOOR = np.uint8(DQ.AD_FLOOR | DQ.DO_NOT_USE)


@pytest.fixture(params=["plain", "fast"], autouse=True)
def path(request, monkeypatch):
    """Every test with NumPy alone and with numba."""
    if request.param == "fast":
        pytest.importorskip("numba")
    monkeypatch.setattr(acceleration, "available", lambda: request.param == "fast")


def flat_ramp(shape=(7, 7, 2, 4)):
    return np.full(shape, 100, dtype=np.uint16)


def test_from_the_level_on_and_to_the_end_of_the_group():
    reads = flat_ramp((1, 1, 2, 5))
    reads[0, 0, 0] = [100, 999, 1000, 400, 300]
    found = flag_saturation(frozen(reads), None, no_flags((1, 1)), level=1000.0, grow=0).groupdq
    assert found[0, 0].tolist() == [[0, 0, 2, 2, 2], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize("grow", [0, 1, 2])
def test_the_neighbours_are_flagged_in_the_same_reads(grow):
    reads = flat_ramp()
    reads[3, 2, 1, 2] = 5000
    found = flag_saturation(frozen(reads), None, no_flags((7, 7)), level=1000.0, grow=grow).groupdq
    expected = np.zeros(reads.shape, np.uint8)
    expected[3 - grow : 4 + grow, 2 - grow : 3 + grow, 1, 2:] = SATURATED
    np.testing.assert_array_equal(found, expected)


def test_growth_ends_at_the_corner():
    reads = flat_ramp()
    reads[0, 6, 0, 0] = 5000
    found = flag_saturation(reads, None, no_flags((7, 7)), level=1000.0, grow=2).groupdq
    assert found[:3, 4:, 0].all()
    assert found.sum() == 9 * 4 * SATURATED


@pytest.mark.parametrize("value", [np.nan, np.inf, 0, -5])
def test_without_a_level_there_is_no_check(value):
    level = np.full((7, 7), 1000, dtype=np.float32)
    level[3, 3] = value
    reads = flat_ramp()
    reads[3, 3] = 65535
    result = flag_saturation(reads, None, no_flags((7, 7)), level=frozen(level))
    assert not result.groupdq.any()
    assert result.pixeldq[3, 3] == DQ.NO_SAT_CHECK
    assert np.count_nonzero(result.pixeldq) == 1


def test_a_flag_of_the_level_stops_the_check_and_others_are_added():
    level_dq = np.zeros((7, 7), dtype=np.uint32)
    level_dq[3, 3] = DQ.NO_SAT_CHECK
    level_dq[1, 1] = DQ.HOT
    reads = flat_ramp()
    reads[3, 3] = reads[1, 1] = 65535
    pixeldq = frozen(np.full((7, 7), DQ.WARM, dtype=np.uint32))
    result = flag_saturation(reads, None, pixeldq, level=1000.0, level_dq=frozen(level_dq), grow=0)
    assert not result.groupdq[3, 3].any()
    assert (result.groupdq[1, 1] == SATURATED).all()
    assert result.pixeldq[3, 3] == DQ.NO_SAT_CHECK | DQ.WARM
    assert result.pixeldq[1, 1] == DQ.HOT | DQ.WARM


def test_a_pixel_without_check_gets_what_grows_from_its_neighbour():
    level = np.full((7, 7), 1000.0)
    level[3, 3] = np.nan
    reads = flat_ramp()
    reads[3, 4, 0, 1] = 2000
    found = flag_saturation(reads, None, no_flags((7, 7)), level=level, grow=1).groupdq
    assert found[3, 3, 0].tolist() == [0, 2, 2, 2]


def test_the_highest_count_is_saturated_whatever_the_level():
    reads = flat_ramp((1, 1, 1, 3))
    reads[0, 0, 0, 2] = 65535
    found = flag_saturation(reads, None, no_flags((1, 1)), level=90000.0).groupdq
    assert found[0, 0, 0].tolist() == [0, 0, 2]


def test_the_floor_concerns_only_its_read_and_does_not_grow():
    reads = flat_ramp()
    reads[3, 3, 0, 1] = 0
    found = flag_saturation(reads, None, no_flags((7, 7)), level=1000.0, grow=1).groupdq
    assert found[3, 3, 0].tolist() == [0, FLOOR, 0, 0]
    assert np.count_nonzero(found) == 1


@pytest.mark.parametrize(
    ("dtype", "floor", "flagged"),
    [
        (np.float32, None, 0),
        (np.int32, None, 0),
        (np.float32, 0.0, 1),
        (np.uint16, -1.0, 0),
        (np.uint16, 100, 98),
    ],
)
def test_which_reads_have_a_floor(dtype, floor, flagged):
    reads = np.full((7, 7, 1, 2), 100, dtype=dtype)
    reads[2, 2, 0, 0] = 0
    found = flag_saturation(reads, None, no_flags((7, 7)), level=1000.0, floor=floor).groupdq
    assert np.count_nonzero(found) == flagged
    assert set(np.unique(found)) <= {0, int(FLOOR)}


def test_a_read_that_is_no_number_is_neither_high_nor_low():
    reads = np.full((3, 3, 1, 3), 100, dtype=np.float32)
    reads[1, 1, 0] = [np.nan, np.inf, np.nan]
    result = flag_saturation(frozen(reads), None, no_flags((3, 3)), level=1000.0, grow=0, floor=0.0)
    assert result.groupdq[1, 1, 0].tolist() == [0, 2, 2]
    np.testing.assert_array_equal(result.reads, reads)


def test_earlier_flags_are_kept_and_not_grown():
    earlier = read_flags(5)
    found = flag_saturation(counts(5), earlier, no_flags(), level=65000.0, grow=1).groupdq
    np.testing.assert_array_equal(found, earlier)
    assert found is not earlier


@pytest.mark.parametrize("grow", [0, 1, 2])
def test_blocks_with_more_rows_on_either_side_give_the_whole(grow):
    shape = (40, 9, 2, 4)
    reads = counts(7, shape)
    level = frozen(np.random.default_rng(8).uniform(40000, 90000, shape[:2]))
    whole = flag_saturation(reads, None, no_flags(shape), level=level, grow=grow).groupdq
    parts = []
    for first in range(0, 40, 16):
        low, high = max(first - grow, 0), min(first + 16 + grow, 40)
        part = flag_saturation(
            reads[low:high], None, no_flags(shape)[low:high], level=level[low:high], grow=grow
        )
        parts.append(part.groupdq[first - low : min(first + 16, 40) - low])
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert 0.05 < np.mean(whole > 0) < 0.95


@pytest.mark.parametrize("level", [0.0, -1.0, np.nan, np.inf])
def test_a_number_that_is_no_level(level):
    with pytest.raises(ParameterError, match=r"the saturation level is .* positive"):
        flag_saturation(counts(1), None, no_flags(), level=level)


@pytest.mark.parametrize("grow", [-1, 3])
def test_growth_has_limits(grow):
    with pytest.raises(ParameterError, match=f"not {grow}"):
        flag_saturation(counts(1), None, no_flags(), level=1.0, grow=grow)


def test_a_level_of_another_shape():
    with pytest.raises(DataError, match=r"the saturation level has the shape \(4, 4\), the data \(6, 8\)"):
        flag_saturation(counts(1), None, no_flags(), level=np.ones((4, 4)))
    with pytest.raises(DataError, match=r"level's DQ has the shape \(8, 6\), the data \(6, 8\)"):
        flag_saturation(counts(1), None, no_flags(), level=1e4, level_dq=np.zeros((8, 6), np.uint32))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), grow=st.integers(0, 2), dtype=st.sampled_from(["u2", "f4", ">u2", "i4"])
)
def test_both_paths_give_the_same(seed, grow, dtype):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, 4))
    reads = rng.integers(0, 1200, shape).astype(dtype)
    groupdq = read_flags(seed, shape) if seed % 2 else None
    level = rng.choice([300.0, 900.0, 1100.0, 1500.0, np.nan, 0.0], shape[:2])
    floor = rng.choice([None, 20.0])

    def compute():
        return flag_saturation(
            frozen(reads), groupdq, no_flags(shape), level=frozen(level), grow=grow, floor=floor
        )

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(acceleration, "available", lambda: True)
        assert_same(*on_each_path(monkeypatch, compute))


def test_once_saturated_always_saturated():
    found = flag_saturation(counts(3), None, no_flags(), level=30000.0, grow=1).groupdq
    assert (np.diff((found & SATURATED).astype(int), axis=3) >= 0).all()
    assert found.shape == SHAPE
