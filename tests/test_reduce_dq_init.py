"""The first flags of a ramp."""

import numpy as np
import pytest
from detector_blocks import SHAPE, counts, frozen, no_flags, read_flags

from reduce.dq import DQ
from reduce.errors import DataError
from reduce.kernels.dq_init import initialize_dq

HIGH_BITS = np.uint32(DQ.REFERENCE_PIXEL | DQ.OTHER_BAD_PIXEL | DQ.HOT)


def test_the_map_is_added_and_no_bit_of_32_is_lost():
    pixeldq = np.full(SHAPE[:2], DQ.JUMP_DET, dtype=np.uint32)
    known = np.zeros(SHAPE[:2], dtype=np.uint32)
    known[2, 3] = HIGH_BITS
    result = initialize_dq(counts(1), None, frozen(pixeldq), reference_dq=frozen(known))
    assert result.pixeldq.dtype == np.uint32
    assert result.pixeldq[2, 3] == HIGH_BITS | DQ.JUMP_DET
    assert (np.delete(result.pixeldq.ravel(), 2 * SHAPE[1] + 3) == DQ.JUMP_DET).all()
    assert pixeldq[2, 3] == DQ.JUMP_DET


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2", ">u4", np.uint64, np.int32])
def test_flags_of_any_integer_type(dtype):
    known = np.full(SHAPE[:2], 5).astype(dtype)
    result = initialize_dq(counts(1), None, no_flags(), reference_dq=known)
    assert result.pixeldq.dtype == np.dtype(np.uint32)
    assert (result.pixeldq == 5).all()


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_numbers_that_are_no_flags(number):
    with pytest.raises(DataError, match="32 unsigned bits"):
        initialize_dq(counts(1), None, no_flags(), reference_dq=np.full(SHAPE[:2], number, dtype=np.int64))


def test_flags_that_are_no_integers():
    with pytest.raises(DataError, match="the bad-pixel map has the type float64"):
        initialize_dq(counts(1), None, no_flags(), reference_dq=np.zeros(SHAPE[:2]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_read_that_is_no_number_passes_and_is_flagged(value):
    reads = counts(1, dtype=np.float32).copy()
    reads[1, 2, 1, 3] = value
    earlier = read_flags(2)
    for groupdq in (None, earlier):
        result = initialize_dq(frozen(reads), groupdq, no_flags())
        before = np.zeros(SHAPE, np.uint8) if groupdq is None else groupdq
        np.testing.assert_array_equal(result.reads, reads)
        assert result.groupdq.dtype == np.uint8
        assert result.groupdq[1, 2, 1, 3] == before[1, 2, 1, 3] | DQ.DO_NOT_USE
        result.groupdq[1, 2, 1, 3] = before[1, 2, 1, 3]
        np.testing.assert_array_equal(result.groupdq, before)
        assert not result.pixeldq.any()


def test_nothing_to_flag():
    assert initialize_dq(counts(1), None, no_flags()).groupdq is None
    assert initialize_dq(counts(1, dtype=np.float32), None, no_flags()).groupdq is None


@pytest.mark.parametrize(
    ("reads", "groupdq", "pixeldq", "known", "message"),
    [
        ((3, 4, 2), None, (3, 4), (3, 4), r"\(3, 4, 2\)"),
        ((3, 4, 1, 2), (3, 4, 1, 3), (3, 4), (3, 4), r"\(3, 4, 1, 3\).*\(3, 4, 1, 2\)"),
        ((3, 4, 1, 2), None, (4, 3), (3, 4), r"pixels' DQ.*\(4, 3\).*\(3, 4\)"),
        ((3, 4, 1, 2), None, (3, 4), (3, 5), r"bad-pixel map.*\(3, 5\).*\(3, 4\)"),
    ],
)
def test_a_wrong_shape_is_named_with_the_right_one(reads, groupdq, pixeldq, known, message):
    with pytest.raises(DataError, match=message):
        initialize_dq(
            np.zeros(reads, np.uint16),
            None if groupdq is None else np.zeros(groupdq, np.uint8),
            np.zeros(pixeldq, np.uint32),
            reference_dq=np.zeros(known, np.uint32),
        )


def test_flags_of_reads_have_eight_bits():
    with pytest.raises(DataError, match="uint16, not uint8"):
        initialize_dq(counts(1), np.zeros(SHAPE, np.uint16), no_flags())


def test_reads_are_numbers():
    with pytest.raises(DataError, match="bool"):
        initialize_dq(np.zeros(SHAPE, bool), None, no_flags())
