import numpy as np
import pytest

from reduce.dq import DQ
from reduce.errors import DataError
from reduce.kernels import dark

SHAPE = (6, 7)


def frame() -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    sci, read_noise = np.full(SHAPE, 5.0, np.float32), np.full(SHAPE, 0.25, np.float32)
    dq = np.zeros(SHAPE, np.uint32)
    for array in (sci, read_noise, dq):
        array.flags.writeable = False
    return sci, {"RNOISE": read_noise}, dq


def test_rates_are_subtracted_and_the_part_dark_is_made_or_grows() -> None:
    sci, variances, dq = frame()
    current, spread = np.full(SHAPE, 0.5), np.full(SHAPE, 0.01)
    once = dark.subtract(sci, variances, dq, current, spread)
    np.testing.assert_allclose(once.sci, 4.5)
    np.testing.assert_allclose(once.variances["DARK"], 0.01)
    twice = dark.subtract(*once, current, spread)
    np.testing.assert_allclose(twice.variances["DARK"], 0.02)
    assert "DARK" not in variances


def test_counts_are_scaled_by_the_ratio_of_times() -> None:
    sci, variances, dq = frame()
    arrays = dark.subtract(sci, variances, dq, np.full(SHAPE, 0.5), np.full(SHAPE, 0.01), scale=3.0)
    np.testing.assert_allclose(arrays.sci, 3.5)
    np.testing.assert_allclose(arrays.variances["DARK"], 0.09, rtol=1e-6)


def test_a_dark_that_is_not_a_number_leaves_the_pixel_and_flags_it() -> None:
    sci, variances, dq = frame()
    current = np.full(SHAPE, 0.5)
    current[1, 2], current[3, 4] = np.nan, np.inf
    arrays = dark.subtract(sci, variances, dq, current, np.full(SHAPE, 0.01))
    for pixel in ((1, 2), (3, 4)):
        assert arrays.sci[pixel] == 5
        assert arrays.variances["DARK"][pixel] == 0
        assert arrays.dq[pixel] == DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE
    assert np.count_nonzero(arrays.dq) == 2


def test_the_dark_s_flags_are_taken_over() -> None:
    bits = np.zeros(SHAPE, np.uint32)
    bits[0, 1] = DQ.HOT | DQ.DO_NOT_USE
    assert dark.subtract(*frame(), np.zeros(SHAPE), None, bits).dq[0, 1] == DQ.HOT | DQ.DO_NOT_USE


def test_a_dark_of_another_size_is_refused_with_a_hint() -> None:
    with pytest.raises(DataError) as caught:
        dark.subtract(*frame(), np.zeros((3, 3)))
    assert "subarray" in str(caught.value.hint)
