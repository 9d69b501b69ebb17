"""Counts as electrons."""

import numpy as np
import pytest
from detector_blocks import SHAPE, assert_same, counts, frozen, no_flags, on_each_path, read_flags

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.gain import to_electrons


def plane(seed=1):
    return frozen(np.random.default_rng(seed).uniform(1.5, 2.5, SHAPE[:2]).astype(np.float32))


def test_one_gain_for_all():
    result = to_electrons(counts(1), None, no_flags(), gain=2.5)
    assert result.reads.dtype == np.float32
    np.testing.assert_allclose(result.reads, counts(1) * 2.5, rtol=1e-7)
    assert result.groupdq is None
    assert not result.pixeldq.any()


def test_each_pixel_has_its_own():
    groupdq = read_flags(1)
    result = to_electrons(counts(1), groupdq, no_flags(), gain=plane())
    np.testing.assert_allclose(result.reads, counts(1) * plane().astype(float)[:, :, None, None], rtol=1e-6)
    np.testing.assert_array_equal(result.groupdq, groupdq)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0, -1])
def test_an_unknown_gain_leaves_the_counts(value):
    gain = plane().copy()
    gain[2, 3] = value
    gain_dq = frozen(np.full(SHAPE[:2], DQ.RC, dtype=np.uint16))
    result = to_electrons(counts(1), None, no_flags(), gain=frozen(gain), gain_dq=gain_dq)
    np.testing.assert_array_equal(result.reads[2, 3], counts(1)[2, 3])
    assert result.pixeldq[2, 3] == DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE | DQ.RC
    assert np.count_nonzero(result.pixeldq != DQ.RC) == 1


@pytest.mark.parametrize("dtype", ["u2", ">u2", "f4", "f8"])
def test_both_paths_give_the_same(monkeypatch, dtype):
    reads = counts(3).astype(dtype)
    assert_same(
        *on_each_path(monkeypatch, lambda: to_electrons(frozen(reads), None, no_flags(), gain=plane()))
    )


def test_shapes_and_numbers_are_checked():
    with pytest.raises(DataError, match=r"the gain has the shape \(2, 2\), the data \(6, 8\)"):
        to_electrons(counts(1), None, no_flags(), gain=np.ones((2, 2), np.float32))
    for gain in (0.0, -2.0, np.nan):
        with pytest.raises(ParameterError, match=r"the gain is .*positive"):
            to_electrons(counts(1), None, no_flags(), gain=gain)
