"""Subtraction of the bias."""

import numpy as np
import pytest
from detector_blocks import SHAPE, assert_same, counts, frozen, no_flags, on_each_path, read_flags

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.bias import subtract_bias


def plane(seed=1):
    return frozen(np.random.default_rng(seed).uniform(100, 3000, SHAPE[:2]).astype(np.float32))


def test_counts_below_the_bias_become_negative_and_keep_their_fraction():
    reads = np.full((1, 1, 1, 2), 100, dtype=np.uint16)
    result = subtract_bias(frozen(reads), None, no_flags((1, 1)), bias=102.25)
    assert result.reads.dtype == np.float32
    assert result.reads.ravel().tolist() == [-2.25, -2.25]


def test_each_pixel_has_its_own():
    reads, bias, groupdq = counts(1), plane(), read_flags(1)
    result = subtract_bias(reads, groupdq, no_flags(), bias=bias)
    np.testing.assert_allclose(result.reads, reads - bias.astype(float)[:, :, None, None], rtol=1e-6)
    np.testing.assert_array_equal(result.groupdq, groupdq)
    assert not result.pixeldq.any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_unknown_bias_is_not_subtracted(value):
    bias = plane().copy()
    bias[2, 3] = value
    result = subtract_bias(counts(1), None, no_flags(), bias=frozen(bias))
    np.testing.assert_array_equal(result.reads[2, 3], counts(1)[2, 3])
    assert result.pixeldq[2, 3] == DQ.UNRELIABLE_BIAS | DQ.DO_NOT_USE
    assert np.count_nonzero(result.pixeldq) == 1
    assert np.isfinite(result.reads).all()


def test_flags_are_added():
    bias_dq = frozen(np.full(SHAPE[:2], DQ.TELEGRAPH, dtype=np.uint16))
    pixeldq = frozen(np.full(SHAPE[:2], DQ.HOT, dtype=np.uint32))
    result = subtract_bias(counts(1), None, pixeldq, bias=plane(), bias_dq=bias_dq)
    assert (result.pixeldq == (DQ.TELEGRAPH | DQ.HOT)).all()


@pytest.mark.parametrize("dtype", ["u2", ">u2", "i4", "f4", ">f4", "f8"])
def test_both_paths_give_the_same(monkeypatch, dtype):
    reads = counts(3).astype(dtype)
    assert_same(
        *on_each_path(monkeypatch, lambda: subtract_bias(frozen(reads), None, no_flags(), bias=plane()))
    )


def test_blocks_of_rows_give_the_whole():
    reads, bias, flags = counts(4), plane(), no_flags()
    whole = subtract_bias(reads, None, flags, bias=bias).reads
    parts = [subtract_bias(reads[i : i + 2], None, flags[i : i + 2], bias=bias[i : i + 2]) for i in (0, 2, 4)]
    np.testing.assert_array_equal(np.concatenate([part.reads for part in parts]), whole)


def test_shapes_and_numbers_are_checked():
    with pytest.raises(DataError, match=r"the bias has the shape \(2, 2\), the data \(6, 8\)"):
        subtract_bias(counts(1), None, no_flags(), bias=np.zeros((2, 2), np.float32))
    with pytest.raises(DataError, match="the bias has the type"):
        subtract_bias(counts(1), None, no_flags(), bias=np.full(SHAPE[:2], "x"))
    with pytest.raises(ParameterError, match="the bias is nan; it has to be finite"):
        subtract_bias(counts(1), None, no_flags(), bias=np.nan)


def test_a_read_that_is_no_number_stays_so():
    reads = counts(1, dtype=np.float32).copy()
    reads[0, 0, 0, 0] = np.nan
    result = subtract_bias(frozen(reads), None, no_flags(), bias=5.0)
    assert np.isnan(result.reads[0, 0, 0, 0])
    assert np.isnan(result.reads).sum() == 1
