"""Frames are combined with honest errors, whatever is bad in them and however they are read."""

from __future__ import annotations

import tracemalloc
from itertools import product

import numpy as np
import pytest

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels import combine as module
from reduce.kernels.combine import ERRORS, METHODS, Combined, Source, combine
from reduce.kernels.order_statistics import median_variance, trimmed
from reduce.kernels.rejection import REJECTIONS, truncated_variance

BAD = int(DQ.DO_NOT_USE)


def source(values, variance=1.0, dq=0):
    """A frame of one row."""
    sci = np.atleast_2d(np.asarray(values, dtype=np.float64))
    flags = np.broadcast_to(np.asarray(dq, dtype=np.uint32), sci.shape)
    return Source(sci, (np.broadcast_to(np.float64(variance), sci.shape),), flags)


def noisy(rng, frames, shape, dtype=np.float32):
    """Frames with noise, outliers, bad pixels of all kinds, and columns where all are bad."""
    result = []
    for _ in range(frames):
        sigma = rng.uniform(1, 2, shape)
        sci = 100 + sigma * rng.normal(size=shape)
        sci += (rng.random(shape) < 0.08) * rng.exponential(60, shape)
        sci[rng.random(shape) < 0.02] = np.nan
        dq = rng.choice(np.array([0, 4, 6], np.uint32), shape)
        dq |= (rng.random(shape) < 0.15) * rng.choice(np.array([1, 3, 1025, 513, 17], np.uint32), shape)
        dq[:, :4] |= np.uint32(BAD)
        result.append(Source(sci.astype(dtype), (sigma.astype(dtype) ** 2,), dq))
    return result


def same(one: Combined, other: Combined, **tolerance) -> None:
    np.testing.assert_array_equal(one.dq, other.dq)
    np.testing.assert_array_equal(one.count, other.count)
    np.testing.assert_allclose(one.sci, other.sci, **tolerance)
    np.testing.assert_allclose(one.variance, other.variance, **tolerance)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("known", [True, False])
def test_compiled_code_does_what_numpy_does(monkeypatch, frames, known):
    rng = np.random.default_rng(frames)
    sources = noisy(rng, frames, (16, 40), np.float64)
    if not known:
        sources = [Source(s.sci, (), s.dq) for s in sources]
    for method, reject, error in product(METHODS, REJECTIONS, ERRORS if known else ("measure",)):
        if not known and reject == "variance":
            continue
        weights = rng.uniform(1, 2, frames) if reject != "sigma" or not known else None
        options = {
            "method": method,
            "reject": reject,
            "error": error,
            "low": 3,
            "high": 3.5,
            "weights": weights,
        }
        options["scales"] = rng.uniform(0.95, 1.05, frames)
        monkeypatch.setattr(module, "available", lambda: True)
        if not known and weights is None and method.startswith("w"):
            continue
        compiled = combine(sources, **options)
        monkeypatch.setattr(module, "available", lambda: False)
        same(compiled, combine(sources, **options), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("method", "reject"), [("mean", "sigma"), ("median", "biweight"), ("wmedian", "minmax")]
)
@pytest.mark.parametrize("compiled", [True, False])
def test_result_does_not_depend_on_memory(monkeypatch, method, reject, compiled):
    monkeypatch.setattr(module, "available", lambda: compiled)
    sources = noisy(np.random.default_rng(5), 5, (37, 300))
    whole = combine(sources, method=method, reject=reject)
    for memory in (1, 4e5, 2e6):
        same(whole, combine(sources, method=method, reject=reject, memory=memory), rtol=0, atol=0)


def test_no_error_is_zero_or_infinite_where_dq_is_good():
    sources = noisy(np.random.default_rng(6), 4, (50, 60))
    for method, reject, error in product(METHODS, REJECTIONS, ERRORS):
        result = combine(sources, method=method, reject=reject, error=error)
        assert np.isfinite(result.sci).all()
        assert np.isfinite(result.variance).all()
        assert (result.variance[(result.dq & BAD) == 0] > 0).all()
        assert (result.count[(result.dq & BAD) == 0] > 0).all()
        assert (result.count[(result.dq & BAD) != 0] == 0).all()


def test_inputs_stay_as_they_are():
    sources = noisy(np.random.default_rng(7), 3, (8, 9))
    for frame in sources:
        for array in (frame.sci, *frame.variances, frame.dq):
            array.flags.writeable = False
    combine(sources, scales=[1, 2, 3])


def test_mean_has_the_variance_of_what_was_used():
    frames = [source([1.0, 5.0], 1.0), source([2.0, 0.0], 4.0, [0, BAD]), source([3.0, 7.0], 9.0)]
    result = combine(frames, reject="none")
    np.testing.assert_allclose(result.sci, [[2, 6]])
    np.testing.assert_allclose(result.variance, [[14 / 9, 10 / 4]])
    np.testing.assert_array_equal(result.count, [[3, 2]])
    np.testing.assert_array_equal(result.dq, 0)


def test_weighted_mean_is_the_best_estimate():
    result = combine([source([1.0], 1.0), source([2.0], 4.0)], method="wmean", reject="none")
    np.testing.assert_allclose([result.sci[0, 0], result.variance[0, 0]], [1.2, 0.8])


def test_weighted_median_of_equal_weights_is_the_median():
    rng = np.random.default_rng(1)
    for frames in (1, 2, 3, 4, 5, 8):
        sources = [source(rng.normal(size=20)) for _ in range(frames)]
        median = combine(sources, method="median", reject="none")
        same(median, combine(sources, method="wmedian", reject="none"), rtol=1e-12)
        np.testing.assert_allclose(median.sci, np.median([s.sci for s in sources], axis=0))


def test_rejected_values_count_neither_for_the_value_nor_for_its_error():
    frames = [source([v], 1.0) for v in (9.5, 10.0, 10.5, 1000.0)]
    result = combine(frames)
    np.testing.assert_allclose([result.sci[0, 0], result.variance[0, 0]], [10, 1 / 3])
    assert (result.count[0, 0], result.dq[0, 0]) == (3, 0)


def test_two_outliers_do_not_hide_each_other():
    frames = [source([v], 1.0) for v in (9.5, 10.0, 10.5, 300.0, 1000.0)]
    assert combine(frames, reject="variance").sci[0, 0] == 10
    assert combine(frames, reject="sigma").sci[0, 0] == 10


def test_one_side_can_be_left_alone():
    frames = [source([v], 1.0) for v in (-500.0, 9.5, 10.0, 10.5, 1000.0)]
    result = combine(frames, low=None)
    assert (result.count[0, 0], result.sci[0, 0]) == (4, -117.5)


@pytest.mark.parametrize("reject", ["sigma", "biweight", "variance"])
def test_stack_without_majority_says_so_and_its_error_covers_it(reject):
    result = combine([source([10.0], 1.0), source([110.0], 1.0)], reject=reject)
    assert result.dq[0, 0] == DQ.OUTLIER | DQ.UNRELIABLE_ERROR
    assert (result.count[0, 0], result.sci[0, 0]) == (2, 60)
    assert result.variance[0, 0] == pytest.approx(50**2, rel=0.01)


def test_scatter_beyond_the_noise_is_kept_but_told():
    values = (80.0, 90.0, 100.0, 110.0, 120.0)
    result = combine([source([v], 1.0) for v in values])
    assert result.count[0, 0] == 5
    assert result.variance[0, 0] == pytest.approx(np.var(values, ddof=1) / 5, rel=0.01)
    assert result.dq[0, 0] & DQ.UNRELIABLE_ERROR


def test_one_bad_frame_does_not_flag_the_result():
    flags = (BAD | int(DQ.HOT), int(DQ.WARM | DQ.JUMP_DET), int(DQ.WARM))
    result = combine([source([10.0], dq=f) for f in flags])
    assert result.dq[0, 0] == DQ.WARM


def test_least_bad_values_are_used_where_all_are_bad():
    flags = (BAD | int(DQ.DEAD), BAD | int(DQ.HOT), BAD | int(DQ.NON_SCIENCE))
    result = combine([source([v], dq=f) for v, f in zip((1.0, 2.0, 3.0), flags, strict=True)])
    assert (result.sci[0, 0], result.variance[0, 0], result.count[0, 0]) == (2, 1, 0)
    assert result.dq[0, 0] == BAD | DQ.HOT


@pytest.mark.parametrize(
    ("value", "variance"), [(np.nan, 1.0), (np.inf, 1.0), (5.0, np.nan), (5.0, 0.0), (5.0, -1.0)]
)
def test_what_is_no_number_is_bad(value, variance):
    alone = combine([source([value], variance)])
    assert (alone.sci[0, 0], alone.variance[0, 0], alone.dq[0, 0]) == (0, 0, BAD)
    beside = combine([source([value], variance), source([7.0], 2.0)])
    assert (beside.sci[0, 0], beside.variance[0, 0], beside.dq[0, 0], beside.count[0, 0]) == (7, 2, 0, 1)


def test_scales_multiply_errors_too():
    result = combine([source([10.0], 1.0), source([5.0], 1.0)], scales=[1, 2], reject="none")
    np.testing.assert_allclose([result.sci[0, 0], result.variance[0, 0]], [10, 5 / 4])


def test_parts_of_the_variance_are_added():
    parts = (np.ones((1, 1)), np.full((1, 1), 3.0))
    assert combine([Source(np.ones((1, 1)), parts)]).variance[0, 0] == 4


def test_without_variances_the_scatter_is_the_error():
    rng = np.random.default_rng(3)
    frames = [Source(rng.normal(100, 5, (150, 150))) for _ in range(9)]
    result = combine(frames, error="measure")
    assert np.sqrt(result.variance.mean()) == pytest.approx(5 / 3, rel=0.02)
    assert np.mean(result.count < 9) < 0.006
    single = combine(frames[:1], error="measure")
    assert (single.dq == DQ.UNRELIABLE_ERROR).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.dtype(">f4"), np.float64])
def test_types_of_arrays(dtype):
    frames = [Source(np.full((3, 4), v, dtype), (np.ones((3, 4), np.float32),)) for v in (1, 2, 3)]
    result = combine(frames)
    assert result.sci.dtype == (np.float64 if dtype is np.float64 else np.float32)
    assert (result.sci == 2).all()
    assert result.dq.dtype == np.uint32
    assert result.count.dtype == np.uint16


def test_memory_is_bounded_whatever_the_number_of_frames():
    class Lazy:
        shape, dtype = (1200, 1000), np.dtype(np.float32)
        largest = 0

        def __getitem__(self, key):
            rows = len(range(*key.indices(self.shape[0])))
            Lazy.largest = max(Lazy.largest, rows)
            return np.ones((rows, self.shape[1]), np.float32)

    combine([Source(np.ones((2, 2), np.float32), (np.ones((2, 2), np.float32),))] * 3)
    memory, product_size = 5e6, 1200 * 1000 * 14
    tracemalloc.start()
    combine([Source(Lazy(), (Lazy(),))] * 20, memory=memory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Lazy.largest < 100
    assert peak < product_size + memory


@pytest.mark.parametrize(
    ("frames", "options", "says"),
    [
        ([], {}, "no frames"),
        ([source([1, 2]), source([1])], {}, "frame 2 of 2"),
        ([source([1])], {"method": "mode"}, "method is 'mode'"),
        ([source([1])], {"reject": "some"}, "reject is 'some'"),
        ([source([1])], {"error": "none"}, "error is 'none'"),
        ([source([1])], {"low": 0}, "low is 0"),
        ([source([1])], {"minmax": (-1, 1)}, "minmax"),
        ([source([1])], {"weights": [0]}, "weights must be positive"),
        ([source([1])], {"scales": [1, 2]}, "2 scales for 1 frames"),
        ([Source(np.ones((1, 1)))], {}, "no variance"),
        ([Source(np.ones((1, 1)))], {"error": "measure", "method": "wmean"}, "weight by"),
        ([Source(np.ones((1, 1)))], {"error": "measure", "reject": "variance"}, "clip by"),
    ],
)
def test_what_can_not_be_combined_is_told(frames, options, says):
    with pytest.raises((DataError, ParameterError), match=says):
        combine(frames, **options)


@pytest.mark.parametrize(
    ("count", "lowest", "highest"), [(3, 0, 0), (5, 1, 1), (8, 0, 2), (40, 0, 0), (40, 1, 1)]
)
def test_moments_of_sorted_samples(count, lowest, highest):
    x = np.sort(np.random.default_rng(count).normal(size=(60000, count)), axis=1)[:, lowest : count - highest]
    moments = trimmed(count, lowest, highest)
    assert moments.mean == pytest.approx(x.mean(axis=1).var(), rel=0.03)
    assert moments.median == pytest.approx(np.median(x, axis=1).var(), rel=0.03)
    assert moments.scatter == pytest.approx(x.var(axis=1, ddof=1).mean(), rel=0.06)


def test_known_numbers():
    assert median_variance(3) == pytest.approx(1 - np.sqrt(3) / np.pi, abs=1e-9)
    assert median_variance(1000) * 1000 == pytest.approx(np.pi / 2, rel=0.01)
    x = np.random.default_rng(0).normal(size=400000)
    assert truncated_variance(1.5, 2) == pytest.approx(x[(x > -1.5) & (x < 2)].var(), rel=0.01)
    assert truncated_variance(np.inf, np.inf) == 1


def test_variance_of_medians_of_many_numbers() -> None:
    exact = {33: 0.046978, 34: 0.044366, 35: 0.044327}
    for count, variance in exact.items():
        assert median_variance(count) == pytest.approx(variance, rel=0.005)
