"""Correction of nonlinearity and its inverse."""

import numpy as np
import pytest
from detector_blocks import SHAPE, assert_same, counts, frozen, no_flags, on_each_path, read_flags
from hypothesis import given, settings
from hypothesis import strategies as st

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels import acceleration
from reduce.kernels.linearity import linearize, noise_factor, nonlinear, variance_factor


@pytest.fixture(params=["plain", "fast"], autouse=True)
def path(request, monkeypatch):
    """Every test with NumPy alone and with numba."""
    if request.param == "fast":
        pytest.importorskip("numba")
    monkeypatch.setattr(acceleration, "available", lambda: request.param == "fast")


def sums(shape=SHAPE, seed=1):
    """Coefficients of a sum: up to 10 % at 60000."""
    rng = np.random.default_rng(seed)
    planes = [
        rng.uniform(-20, 20, shape[:2]),
        rng.uniform(0.98, 1.02, shape[:2]),
        rng.uniform(2e-7, 1e-6, shape[:2]),
        rng.uniform(1e-12, 1e-11, shape[:2]),
    ]
    return frozen(np.stack(planes, axis=2).astype(np.float32))


def factors(shape=SHAPE, seed=1):
    return frozen(sums(shape, seed)[..., 1:] - np.array([1, 0, 0], dtype=np.float32))


def test_a_sum_by_hand():
    reads = np.full((1, 1, 1, 1), 100, dtype=np.uint16)
    coefficients = frozen(np.array([[[3.0, 2.0, 0.5]]], dtype=np.float32))
    result = linearize(frozen(reads), None, no_flags((1, 1)), coefficients=coefficients)
    assert result.reads.item() == 3 + 200 + 5000


def test_a_factor_by_hand():
    reads = np.full((1, 1, 1, 1), 100, dtype=np.uint16)
    coefficients = frozen(np.array([[[0.25, 0.01, 0.0001]]], dtype=np.float32))
    result = linearize(frozen(reads), None, no_flags((1, 1)), coefficients=coefficients, convention="factor")
    assert result.reads.item() == pytest.approx((1 + 0.25 + 1 + 1) * 100, rel=1e-6)


def test_the_fraction_of_a_count_is_kept():
    reads = np.full((1, 1, 1, 1), 5, dtype=np.uint16)
    coefficients = frozen(np.array([[[0.7, 1.0]]], dtype=np.float32))
    result = linearize(frozen(reads), None, no_flags((1, 1)), coefficients=coefficients)
    assert result.reads.dtype == np.float32
    assert result.reads.item() == np.float32(5.7)


def test_both_conventions_agree_where_they_mean_the_same():
    as_sum = np.concatenate([np.zeros((*SHAPE[:2], 1)), factors() + np.eye(3)[0]], axis=2)
    one = linearize(counts(2), None, no_flags(), coefficients=frozen(as_sum.astype(np.float32)))
    other = linearize(counts(2), None, no_flags(), coefficients=factors(), convention="factor")
    np.testing.assert_allclose(one.reads, other.reads, rtol=1e-6)


def test_numpys_own_polynomial_says_the_same():
    reads, coefficients = counts(2), sums()
    result = linearize(reads, None, no_flags(), coefficients=coefficients).reads
    powers = reads.astype(float)[..., None] ** np.arange(4)
    np.testing.assert_allclose(result, (powers * coefficients[:, :, None, None, :]).sum(-1), rtol=1e-6)


@pytest.mark.parametrize("convention", ["sum", "factor"])
@pytest.mark.parametrize("broken", ["nan", "infinite", "no linear term", "flag"])
def test_a_pixel_without_correction_stays_as_it_is(convention, broken):
    coefficients = (sums() if convention == "sum" else factors()).copy()
    linear = 1 if convention == "sum" else 0
    coefficients_dq = np.zeros(SHAPE[:2], dtype=np.uint32)
    match broken:
        case "nan":
            coefficients[2, 3, 2] = np.nan
        case "infinite":
            coefficients[2, 3, 2] = np.inf
        case "no linear term":
            coefficients[2, 3, linear] = linear - 1
        case "flag":
            coefficients_dq[2, 3] = DQ.NO_LIN_CORR
    coefficients_dq[0, 0] = DQ.HOT
    known = {
        "coefficients": frozen(coefficients),
        "convention": convention,
        "coefficients_dq": frozen(coefficients_dq),
    }
    result = linearize(counts(1), None, no_flags(), **known)
    np.testing.assert_array_equal(result.reads[2, 3], counts(1)[2, 3])
    assert result.pixeldq[2, 3] == DQ.NO_LIN_CORR
    assert result.pixeldq[0, 0] == DQ.HOT
    assert np.count_nonzero(result.pixeldq) == 2
    assert (result.reads[0, 0] != counts(1)[0, 0]).all()
    assert (variance_factor(counts(1), **known)[2, 3] == 1).all()


def test_saturated_reads_stay_as_they_are():
    groupdq = read_flags(3)
    saturated = (groupdq & DQ.SATURATED) != 0
    result = linearize(counts(1), groupdq, no_flags(), coefficients=sums())
    free = linearize(counts(1), None, no_flags(), coefficients=sums())
    np.testing.assert_array_equal(result.reads[saturated], counts(1)[saturated])
    np.testing.assert_array_equal(result.reads[~saturated], free.reads[~saturated])
    np.testing.assert_array_equal(result.groupdq, groupdq)
    assert not result.pixeldq.any()
    squares = variance_factor(counts(1), groupdq, coefficients=sums())
    assert (squares[saturated] == 1).all()
    assert (squares[~saturated] != 1).all()


@pytest.mark.parametrize("convention", ["sum", "factor"])
def test_the_variance_factor_is_the_square_of_the_slope(convention):
    coefficients = sums() if convention == "sum" else factors()
    reads = counts(1, dtype=np.float64)
    step = 16.0

    def corrected(at):
        return linearize(at, None, no_flags(), coefficients=coefficients, convention=convention).reads.astype(
            float
        )

    slope = (corrected(reads + step) - corrected(reads - step)) / (2 * step)
    squares = variance_factor(reads, coefficients=coefficients, convention=convention)
    assert squares.dtype == np.float32
    np.testing.assert_allclose(squares, slope**2, rtol=2e-3)


def test_the_noise_factor_is_the_rms_of_the_slope_at_first_middle_and_last_read():
    reads, coefficients = counts(1), sums()
    count = reads.shape[3]
    squares = variance_factor(reads, coefficients=coefficients)[..., [0, count // 2, count - 1]]
    factor = noise_factor(reads, coefficients=coefficients)
    assert factor.dtype == np.float32
    np.testing.assert_allclose(factor, np.sqrt(squares.mean(axis=(2, 3))), rtol=1e-5)


@pytest.mark.parametrize("convention", ["sum", "factor"])
@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3), SHAPE])
def test_the_inverse_is_corrected_to_what_it_came_from(convention, shape):
    coefficients = sums() if convention == "sum" else factors()
    linear = frozen(np.random.default_rng(5).uniform(-100, 60000, shape))
    raw = nonlinear(linear, coefficients, convention=convention)
    assert raw.shape == shape
    terms = coefficients.astype(float)
    if convention == "factor":
        terms = np.concatenate([np.zeros((*SHAPE[:2], 1)), terms + np.eye(3)[0]], axis=2)
    terms = terms.reshape(*SHAPE[:2], *(1,) * (len(shape) - 2), -1)
    back = ((raw[..., None] ** np.arange(terms.shape[-1])) * terms).sum(-1)
    np.testing.assert_allclose(back, linear, rtol=1e-8, atol=1e-6)
    assert (raw[linear > 5000] < linear[linear > 5000] * 1.02).all()


def test_no_inverse_without_correction_and_for_no_number():
    coefficients = sums().copy()
    coefficients[2, 3, 0] = np.nan
    linear = counts(1, dtype=np.float64).copy()
    linear[0, 0, 0, 0] = np.nan
    raw = nonlinear(frozen(linear), frozen(coefficients))
    np.testing.assert_array_equal(raw[2, 3], linear[2, 3])
    assert np.isnan(raw[0, 0, 0, 0])
    assert np.isnan(raw).sum() == 1


def test_counts_above_the_polynomials_top_are_refused():
    coefficients = frozen(np.array([[[0.0, 1.0, -1e-5]] * 2], dtype=np.float32))
    linear = frozen(np.array([[20000.0, 26000.0]]))
    with pytest.raises(DataError, match="1 of 2 linear counts have no inverse"):
        nonlinear(linear, coefficients)
    assert nonlinear(frozen(np.full((1, 2), 20000.0)), coefficients) == pytest.approx(27639.32, abs=0.01)


@pytest.mark.parametrize(
    ("coefficients", "convention", "error", "message"),
    [
        (np.ones((4, 4, 3)), "sum", DataError, r"\(4, 4, 3\), the data \(6, 8\)"),
        (np.ones((3, 6, 8)), "sum", DataError, r"\(3, 6, 8\), the data \(6, 8\)"),
        (np.ones((6, 8)), "sum", DataError, r"\(6, 8\), the data"),
        (np.ones((6, 8, 1)), "sum", DataError, "2 is the least"),
        (np.ones((6, 8, 0)), "factor", DataError, "1 is the least"),
        (np.ones((6, 8, 3), int), "sum", DataError, "int64, not float"),
        (np.ones((6, 8, 3)), "product", ParameterError, "'product'"),
    ],
)
def test_what_is_no_correction(coefficients, convention, error, message):
    with pytest.raises(error, match=message):
        linearize(counts(1), None, no_flags(), coefficients=coefficients, convention=convention)
    with pytest.raises(error, match=message):
        nonlinear(counts(1, dtype=float), coefficients, convention=convention)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    convention=st.sampled_from(["sum", "factor"]),
    types=st.sampled_from([("u2", "f4"), ("u2", ">f4"), ("f4", "f4"), ("f8", "f8")]),
)
def test_both_paths_give_the_same(seed, convention, types):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, 4))
    reads = frozen(counts(seed, shape).astype(types[0]))
    groupdq = read_flags(seed, shape) if seed % 2 else None
    coefficients = (sums if convention == "sum" else factors)(shape, seed).astype(types[1])
    coefficients[rng.random(shape[:2]) < 0.1] = np.nan
    known = {"coefficients": frozen(coefficients), "convention": convention}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acceleration, "available", lambda: True)
        assert_same(*on_each_path(patch, lambda: linearize(reads, groupdq, no_flags(shape), **known)))
        for factor in (variance_factor, noise_factor):
            plain, fast = on_each_path(patch, lambda factor=factor: factor(reads, groupdq, **known))
            np.testing.assert_allclose(fast, plain, rtol=1e-6)
        linear = frozen(reads.astype(np.float64))
        plain, fast = on_each_path(patch, lambda: nonlinear(linear, coefficients, convention=convention))
        np.testing.assert_allclose(fast, plain, rtol=1e-8)


def test_blocks_of_rows_give_the_whole():
    shape = (150, 4, 1, 3)
    reads, coefficients, flags = counts(4, shape), sums(shape), no_flags(shape)
    whole = linearize(reads, None, flags, coefficients=coefficients).reads
    rows = [slice(first, first + 40) for first in range(0, 150, 40)]
    parts = [linearize(reads[some], None, flags[some], coefficients=coefficients[some]) for some in rows]
    np.testing.assert_array_equal(np.concatenate([part.reads for part in parts]), whole)
