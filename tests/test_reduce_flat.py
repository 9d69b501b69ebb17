import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.kernels import flat

SHAPE = (6, 7)


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def plane(value: float) -> np.ndarray:
    return frozen(np.full(SHAPE, value, np.float32))


NO_FLAGS = frozen(np.zeros(SHAPE, np.uint32))


def test_the_variance_has_three_terms() -> None:
    arrays = flat.divide(plane(8), {"POISSON": plane(4), "RNOISE": plane(1)}, NO_FLAGS, plane(2), plane(0.25))
    np.testing.assert_allclose(arrays.sci, 4)
    np.testing.assert_allclose(arrays.variances["POISSON"], 4 / 4)
    np.testing.assert_allclose(arrays.variances["RNOISE"], 1 / 4)
    np.testing.assert_allclose(arrays.variances["FLAT"], (8 / 2) ** 2 * 0.25 / 4)


def test_a_second_flat_adds_to_the_part_of_the_first() -> None:
    once = flat.divide(plane(8), {}, NO_FLAGS, plane(2), plane(0.25))
    twice = flat.divide(*once, plane(0.5), plane(0.01))
    first, second = 1 / 0.25, 8**2 * 0.01 / 0.25
    np.testing.assert_allclose(twice.variances["FLAT"], first + second, rtol=1e-6)


def test_a_flat_without_errors_adds_none() -> None:
    assert flat.divide(plane(8), {"OTHER": plane(1)}, NO_FLAGS, plane(2)).variances.keys() == {"OTHER"}


def test_a_pixel_without_a_flat_is_divided_by_one() -> None:
    bits = np.zeros(SHAPE, np.uint32)
    bits[2, 2], bits[3, 3] = DQ.NO_FLAT_FIELD, DQ.LOW_QE | DQ.REFERENCE_PIXEL
    arrays = flat.divide(plane(8), {"RNOISE": plane(1)}, NO_FLAGS, plane(2), plane(0.25), frozen(bits))
    assert arrays.sci[2, 2] == 8
    assert arrays.variances["RNOISE"][2, 2] == 1
    assert arrays.variances["FLAT"][2, 2] == 0
    assert arrays.dq[2, 2] == DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE
    assert arrays.dq[3, 3] == DQ.LOW_QE | DQ.REFERENCE_PIXEL
    assert arrays.sci[3, 3] == 4


numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 1e6, width=32), numbers, numbers)
def test_whatever_the_flat_is_good_pixels_are_finite(signal: float, response: float, spread: float) -> None:
    arrays = flat.divide(plane(signal), {"POISSON": plane(signal)}, NO_FLAGS, plane(response), plane(spread))
    good = ~flagged(arrays.dq)
    for part in arrays.variances.values():
        assert np.isfinite(part[good]).all()
        assert (part[good] >= 0).all()
    assert np.isfinite(arrays.sci[good]).all()
    if 1e-3 < response < 1e3 and 0 <= spread < 1e3:
        assert good.all()


def test_a_flat_of_another_size_is_refused() -> None:
    with pytest.raises(DataError, match=r"flat has the shape \(3, 3\)"):
        flat.divide(plane(1), {}, NO_FLAGS, np.ones((3, 3)))
