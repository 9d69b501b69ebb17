import numpy as np
import pytest

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.normalization import Statistic, normalize, typical

SHAPE = (100, 120)


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


NO_FLAGS = frozen(np.zeros(SHAPE, np.uint32))


@pytest.mark.parametrize("statistic", ["mean", "median", "mode"])
def test_what_is_not_good_does_not_count(statistic: Statistic) -> None:
    sci = np.random.default_rng(1).normal(50, 1, SHAPE)
    sci[0, :50], sci[1, :50] = np.nan, 1e6
    dq = np.zeros(SHAPE, np.uint32)
    dq[1, :50] = DQ.DO_NOT_USE
    arrays, factor = normalize(frozen(sci), {"OTHER": np.ones(SHAPE)}, frozen(dq), statistic=statistic)
    assert factor.value == pytest.approx(50, abs=0.1)
    np.testing.assert_allclose(arrays.sci[2:], sci[2:] / factor.value)
    np.testing.assert_allclose(arrays.variances["OTHER"], 1 / factor.value**2)
    assert (arrays.dq[0, :50] == DQ.DO_NOT_USE).all()
    assert not arrays.dq[2:].any()


def test_the_mode_is_that_of_the_crowd() -> None:
    rng = np.random.default_rng(2)
    sci = rng.normal(100, 5, SHAPE)
    sci[rng.random(SHAPE) < 0.1] += 60
    found = typical(frozen(sci), {}, NO_FLAGS, statistic="mode")
    assert found.value == pytest.approx(100, abs=0.5)
    assert typical(sci, {}, NO_FLAGS, statistic="mean").value > 105


@pytest.mark.parametrize("statistic", ["mean", "median", "mode"])
@pytest.mark.parametrize("structure", [0.0, 1.0, 10.0])
def test_the_factor_s_error_is_its_scatter(statistic: Statistic, structure: float) -> None:
    rng = np.random.default_rng(3)
    truth = 100 + rng.normal(0, structure, (40, 50))
    dq, variances = np.zeros(truth.shape, np.uint32), {"OTHER": np.full(truth.shape, 4.0)}
    found = [
        typical(truth + rng.normal(0, 2, truth.shape), variances, dq, statistic=statistic) for _ in range(400)
    ]
    scatter = np.std([one.value for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(scatter, rel=0.15)


def test_a_constant_frame_becomes_one() -> None:
    for statistic in ("mean", "median", "mode"):
        arrays, factor = normalize(np.full(SHAPE, 7.0, np.float32), {}, NO_FLAGS, statistic=statistic)  # type: ignore[arg-type]
        assert factor == (7, 0)
        np.testing.assert_array_equal(arrays.sci, 1)
        assert arrays.sci.dtype == np.float32


def test_nothing_to_divide_by_is_an_error() -> None:
    with pytest.raises(DataError, match="no pixel is good"):
        normalize(np.full(SHAPE, np.nan), {}, NO_FLAGS)
    with pytest.raises(DataError, match="above zero"):
        normalize(np.full(SHAPE, -1.0), {}, NO_FLAGS)
    with pytest.raises(ParameterError, match="not a way to normalize"):
        normalize(np.ones(SHAPE), {}, NO_FLAGS, statistic="max")  # type: ignore[arg-type]
