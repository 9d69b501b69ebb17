import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels.subtraction import subtract

SHAPE = (70, 5)


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def plane(value: float, kind: type = np.float32) -> np.ndarray:
    return frozen(np.full(SHAPE, value, dtype=kind))


NO_FLAGS = frozen(np.zeros(SHAPE, dtype=np.uint32))


def test_a_multiple_is_subtracted_and_its_variance_added_to_a_part() -> None:
    arrays = subtract(
        plane(10), {"POISSON": plane(4), "SKY": plane(1)}, NO_FLAGS, plane(3), plane(2), factor=2.0
    )
    np.testing.assert_array_equal(arrays.sci, 4)
    np.testing.assert_array_equal(arrays.variances["SKY"], 1 + 4 * 2)
    np.testing.assert_array_equal(arrays.variances["POISSON"], 4)
    assert arrays.sci.dtype == np.float32
    assert arrays.dq.dtype == np.uint32


def test_the_error_of_the_factor_counts() -> None:
    arrays = subtract(plane(10), {}, NO_FLAGS, plane(3), plane(2), factor=2.0, factor_error=0.5)
    np.testing.assert_allclose(arrays.variances["SKY"], 4 * 2 + 9 * 0.25)
    alone = subtract(plane(10), {}, NO_FLAGS, plane(3), factor_error=0.5)
    np.testing.assert_allclose(alone.variances["SKY"], 9 * 0.25)


def test_without_a_variance_nothing_is_added() -> None:
    assert dict(subtract(plane(1), {"OTHER": plane(1)}, NO_FLAGS, plane(1)).variances).keys() == {"OTHER"}


def test_all_thirty_two_bits_of_both_are_kept() -> None:
    dq, other = np.zeros((2, *SHAPE), dtype=np.uint32)
    dq[0, 0], other[0, 0], other[1, 1] = DQ.JUMP_DET, DQ.REFERENCE_PIXEL, DQ.DO_NOT_USE | DQ.HOT
    arrays = subtract(plane(1), {}, frozen(dq), plane(1), None, frozen(other))
    assert arrays.dq[0, 0] == DQ.JUMP_DET | DQ.REFERENCE_PIXEL
    assert arrays.dq[1, 1] == DQ.DO_NOT_USE | DQ.HOT
    assert np.count_nonzero(arrays.dq) == 2


def test_older_flags_of_sixteen_bits_are_widened() -> None:
    other = frozen(np.full(SHAPE, DQ.TELEGRAPH, dtype=">u2"))
    assert (subtract(plane(1), {}, NO_FLAGS, plane(1), None, other).dq == DQ.TELEGRAPH).all()


def test_bytes_in_the_order_of_fits_give_native_results() -> None:
    arrays = subtract(plane(3, np.dtype(">f4")), {}, NO_FLAGS, plane(1, np.dtype(">f4")))  # type: ignore[arg-type]
    assert arrays.sci.dtype == np.dtype("=f4")
    np.testing.assert_array_equal(arrays.sci, 2)


@pytest.mark.parametrize(("value", "spread"), [(np.nan, 1), (np.inf, 1), (1, np.nan), (1, -1), (1, np.inf)])
def test_what_is_not_a_number_is_not_subtracted(value: float, spread: float) -> None:
    other, variance = np.ones(SHAPE), np.ones(SHAPE)
    other[4, 2], variance[4, 2] = value, spread
    unusable = DQ.UNRELIABLE_BIAS
    arrays = subtract(plane(5), {}, NO_FLAGS, frozen(other), frozen(variance), unusable=unusable)
    assert arrays.sci[4, 2] == 5
    assert arrays.variances["SKY"][4, 2] == 0
    assert arrays.dq[4, 2] == DQ.UNRELIABLE_BIAS | DQ.DO_NOT_USE
    assert np.count_nonzero(arrays.dq) == 1


def test_a_frame_that_is_not_a_number_can_not_be_used() -> None:
    sci = np.ones(SHAPE)
    sci[0, 0] = np.nan
    assert subtract(frozen(sci), {}, NO_FLAGS, plane(1)).dq[0, 0] == DQ.DO_NOT_USE


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(-3, 3),
    st.sampled_from([1, 63, 64, 65, 130]),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_result_is_that_of_the_formula(seed: int, factor: float, rows: int, kind: type) -> None:
    rng = np.random.default_rng(seed)
    sci, other = (frozen(rng.normal(0, 10, (rows, 3)).astype(kind)) for _ in range(2))
    variance = frozen(rng.uniform(0, 2, (rows, 3)).astype(kind))
    other = other.copy()
    other[rng.random(other.shape) < 0.2] = np.nan
    arrays = subtract(
        sci, {"SKY": variance}, np.zeros(sci.shape, np.uint32), frozen(other), variance, factor=factor
    )
    bad = np.isnan(other)
    np.testing.assert_allclose(arrays.sci, sci - factor * np.nan_to_num(other), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(
        arrays.variances["SKY"], variance + np.where(bad, 0, factor**2 * variance), rtol=1e-5
    )
    np.testing.assert_array_equal(flagged(arrays.dq), bad)


def test_shapes_that_differ_are_told() -> None:
    with pytest.raises(DataError, match=r"image to subtract has the shape \(2, 2\), the image \(70, 5\)"):
        subtract(plane(1), {}, NO_FLAGS, np.ones((2, 2)))
    with pytest.raises(DataError, match="variance POISSON"):
        subtract(plane(1), {"POISSON": np.ones((2, 2))}, NO_FLAGS, plane(1))


@pytest.mark.parametrize("factor", [np.nan, np.inf])
def test_a_factor_that_is_not_a_number_is_refused(factor: float) -> None:
    with pytest.raises(ParameterError, match="can't be the factor"):
        subtract(plane(1), {}, NO_FLAGS, plane(1), factor=factor)
    with pytest.raises(ParameterError, match="can't be the factor"):
        subtract(plane(1), {}, NO_FLAGS, plane(1), factor_error=-1.0)
