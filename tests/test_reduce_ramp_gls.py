"""Generalised-least-squares slopes: flags, edges and the compiled code against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels import acceleration
from reduce.kernels.ramp.fit import RampFit
from reduce.kernels.ramp.gls import fit_gls
from reduce.kernels.ramp.jumps import thresholds

TIMES = 1.44 * np.arange(1.0, 7.0)[None]
NOISE = 10.0
LINE = 1000 + 30 * TIMES[0]


def ramp(*reads: float) -> np.ndarray:
    return np.array(reads, dtype=np.float32).reshape(1, 1, 1, -1)


def line(flags: dict[int, DQ], **changes: object) -> RampFit:
    """The fit of a straight ramp of 30 e-/s with some reads flagged."""
    groupdq = np.zeros((1, 1, 1, 6), np.uint8)
    for read, bit in flags.items():
        groupdq[..., read] = bit
    return fit_gls(ramp(*LINE), TIMES, read_noise=NOISE, groupdq=groupdq, **changes)


def noisy(rng: np.random.Generator, shape: tuple[int, int, int, int], rate: float = 20.0) -> np.ndarray:
    reads = np.cumsum(rng.poisson(rate * 1.44, shape), axis=-1) + rng.normal(500, NOISE, shape)
    return reads.astype(np.float32)


@pytest.fixture(params=["numpy", "numba"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(acceleration, "available", lambda: False)
    else:
        pytest.importorskip("numba")
    return str(request.param)


def assert_same(ours: RampFit, other: RampFit) -> None:
    sigma = np.sqrt(other.var_poisson + other.var_rnoise)
    assert (np.abs(ours.rate - other.rate) <= 1e-4 * sigma).all()
    np.testing.assert_allclose(ours.var_poisson, other.var_poisson, rtol=1e-3, atol=1e-6 * sigma.max() ** 2)
    np.testing.assert_allclose(ours.var_rnoise, other.var_rnoise, rtol=1e-3)
    np.testing.assert_allclose(ours.chi2, other.chi2, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(ours.dq, other.dq)
    np.testing.assert_array_equal(ours.groupdq, other.groupdq)
    np.testing.assert_array_equal(ours.reads_used, other.reads_used)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("flags", "used"),
    [
        ({}, 6),
        ({0: DQ.DO_NOT_USE}, 5),
        ({2: DQ.DO_NOT_USE}, 5),
        ({2: DQ.SATURATED}, 2),
        ({3: DQ.JUMP_DET}, 6),
        ({1: DQ.JUMP_DET}, 5),
        ({1: DQ.JUMP_DET, 2: DQ.JUMP_DET}, 4),
        ({2: DQ.DO_NOT_USE | DQ.JUMP_DET}, 5),
        ({3: DQ.DROPOUT}, 6),
    ],
)
def test_flagged_reads_are_left_out(flags: dict[int, DQ], used: int) -> None:
    fit = line(flags)
    assert fit.reads_used[0, 0] == used
    assert fit.rate[0, 0] == pytest.approx(30, rel=1e-5)
    assert fit.var_rnoise[0, 0] > 0
    assert fit.dq[0, 0] == (sum({int(bit) for bit in flags.values()}) & (DQ.SATURATED | DQ.JUMP_DET))


@pytest.mark.usefixtures("engine")
def test_charge_that_jumped_is_not_in_the_slope() -> None:
    reads = ramp(*(LINE + 500 * (np.arange(6) >= 3)))
    groupdq = np.zeros(reads.shape, np.uint8)
    groupdq[..., 3] = DQ.JUMP_DET
    assert fit_gls(reads, TIMES, read_noise=NOISE, groupdq=groupdq).rate[0, 0] == pytest.approx(30, rel=1e-5)
    groupdq[..., 3] = DQ.JUMP_DET | DQ.DO_NOT_USE
    assert fit_gls(reads, TIMES, read_noise=NOISE, groupdq=groupdq).rate[0, 0] == pytest.approx(30, rel=1e-5)


@pytest.mark.usefixtures("engine")
def test_a_read_left_out_leaves_the_charge_of_both_sides() -> None:
    """Better than to lose both differences it takes part in."""
    assert line({2: DQ.DO_NOT_USE}).var_rnoise < line({2: DQ.JUMP_DET, 3: DQ.JUMP_DET}).var_rnoise


@pytest.mark.usefixtures("engine")
def test_an_unusable_number_is_an_unusable_read() -> None:
    flagged = line({2: DQ.DO_NOT_USE})
    for bad in (np.nan, np.inf, -np.inf):
        reads = ramp(*LINE)
        reads[..., 2] = bad
        fit = fit_gls(reads, TIMES, read_noise=NOISE)
        assert_same(fit, flagged._replace(groupdq=np.zeros_like(flagged.groupdq)))


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("flags", "bits"),
    [
        (dict.fromkeys(range(6), DQ.SATURATED), DQ.SATURATED | DQ.DO_NOT_USE),
        ({0: DQ.SATURATED}, DQ.SATURATED | DQ.DO_NOT_USE),
        ({1: DQ.SATURATED}, DQ.SATURATED | DQ.DO_NOT_USE | DQ.UNRELIABLE_SLOPE),
        (dict.fromkeys(range(1, 6), DQ.DO_NOT_USE), DQ.DO_NOT_USE | DQ.UNRELIABLE_SLOPE),
        (dict.fromkeys(range(1, 6), DQ.JUMP_DET), DQ.JUMP_DET | DQ.DO_NOT_USE | DQ.UNRELIABLE_SLOPE),
    ],
)
def test_without_a_difference_there_is_no_slope(flags: dict[int, DQ], bits: DQ) -> None:
    fit = line(flags)
    assert fit.dq[0, 0] == bits
    assert (fit.rate[0, 0], fit.var_poisson[0, 0], fit.var_rnoise[0, 0], fit.reads_used[0, 0]) == (0, 0, 0, 0)
    assert np.isnan(fit.chi2[0, 0])


@pytest.mark.usefixtures("engine")
def test_one_read_gives_no_slope() -> None:
    fit = fit_gls(ramp(1000), [[1.44]], read_noise=NOISE)
    assert fit.dq[0, 0] == DQ.DO_NOT_USE | DQ.UNRELIABLE_SLOPE
    assert fit.rate[0, 0] == 0


@pytest.mark.usefixtures("engine")
def test_two_reads_give_a_slope_with_their_noise() -> None:
    fit = fit_gls(ramp(1000, 1300), [[2.0, 5.0]], read_noise=NOISE)
    assert fit.rate[0, 0] == pytest.approx(100)
    assert fit.var_rnoise[0, 0] == pytest.approx(2 * NOISE**2 / 3**2)
    assert fit.var_poisson[0, 0] == pytest.approx(100 / 3)
    assert np.isnan(fit.chi2[0, 0])
    assert (fit.dq[0, 0], fit.reads_used[0, 0]) == (0, 2)


@pytest.mark.usefixtures("engine")
def test_a_falling_ramp_has_an_error() -> None:
    fit = fit_gls(ramp(1000, 990, 985, 970), TIMES[:, :4], read_noise=NOISE)
    assert fit.rate[0, 0] < 0
    assert fit.var_poisson[0, 0] > 0
    assert fit.var_rnoise[0, 0] > 0
    assert fit.dq[0, 0] == 0


@pytest.mark.usefixtures("engine")
def test_groups_share_a_rate_and_have_their_own_level() -> None:
    rng = np.random.default_rng(1)
    reads = noisy(rng, (40, 50, 3, 5))
    times = np.tile(1.44 * np.arange(1, 6), (3, 1))
    levels = reads + np.float32([0, 7000, -300])[:, None]
    together = fit_gls(reads, times, read_noise=NOISE)
    assert_same(fit_gls(levels, times, read_noise=NOISE), together)
    assert together.rate.std() == pytest.approx(
        np.sqrt((together.var_poisson + together.var_rnoise).mean()), rel=0.05
    )
    assert together.chi2.mean() == pytest.approx(11, rel=0.05)
    assert (together.reads_used == 15).all()


@pytest.mark.usefixtures("engine")
def test_saturation_ends_with_the_reset() -> None:
    reads = np.stack([LINE, LINE]).astype(np.float32)[None, None]
    groupdq = np.zeros(reads.shape, np.uint8)
    groupdq[0, 0, 0, 2:] = DQ.SATURATED
    assert fit_gls(reads, np.vstack([TIMES, TIMES]), read_noise=NOISE, groupdq=groupdq).reads_used[0, 0] == 8
    groupdq[0, 0, 0, 3:] = 0
    assert fit_gls(reads, np.vstack([TIMES, TIMES]), read_noise=NOISE, groupdq=groupdq).reads_used[0, 0] == 8


@pytest.mark.usefixtures("engine")
def test_averaged_frames_at_uneven_times() -> None:
    """Reads averaged of frames have the scatter that the variance says."""
    rng = np.random.default_rng(2)
    frames = np.array([1, 4, 2, 8])
    number = 20
    charge = np.cumsum(rng.poisson(50.0, (100, 100, number)), axis=-1) + rng.normal(
        0, NOISE, (100, 100, number)
    )
    starts = (0, 3, 8, 11)
    reads = np.stack([charge[..., a : a + n].mean(-1) for a, n in zip(starts, frames, strict=True)], axis=-1)
    times = np.array([[1 + a + (n - 1) / 2 for a, n in zip(starts, frames, strict=True)]])
    fit = fit_gls(reads[:, :, None], times, read_noise=NOISE, frames=frames, frame_time=1.0)
    sigma = float(np.sqrt((fit.var_poisson + fit.var_rnoise).mean()))
    assert fit.rate.mean() == pytest.approx(50, abs=4 * sigma / 100)
    assert fit.rate.std() == pytest.approx(sigma, rel=0.03)
    assert fit.chi2.mean() == pytest.approx(2, rel=0.05)


@pytest.mark.usefixtures("engine")
def test_pixels_without_a_read_noise_are_not_used() -> None:
    noise = np.array([[NOISE, 0, -1, np.nan, np.inf, 5]])
    reads = np.broadcast_to(ramp(*LINE), (1, 6, 1, 6))
    fit = fit_gls(reads, TIMES, read_noise=noise)
    bad = DQ.DO_NOT_USE | DQ.UNRELIABLE_ERROR
    assert fit.dq[0].tolist() == [0, bad, bad, bad, bad, 0]
    assert np.isfinite(fit.rate).all()
    assert np.isfinite(fit.var_rnoise).all()
    assert fit.var_rnoise[0, 5] < fit.var_rnoise[0, 0]


@pytest.mark.usefixtures("engine")
def test_inputs_stay_as_they_are() -> None:
    rng = np.random.default_rng(3)
    inputs = (
        noisy(rng, (3, 4, 1, 6)),
        TIMES.copy(),
        np.full((3, 4), NOISE),
        rng.integers(0, 8, (3, 4, 1, 6)).astype(np.uint8),
    )
    copies = [array.copy() for array in inputs]
    for array in inputs:
        array.flags.writeable = False
    fit = fit_gls(inputs[0], inputs[1], read_noise=inputs[2], groupdq=inputs[3], find_jumps=True)
    for array, copy in zip(inputs, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert not np.shares_memory(fit.groupdq, inputs[3])


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("kind", ["u2", "i2", ">i2", ">u2", "i4", ">f4", "f8", ">f8"])
def test_all_kinds_of_numbers(kind: str) -> None:
    reads = np.rint(noisy(np.random.default_rng(4), (5, 6, 1, 6)))
    expected = fit_gls(reads, TIMES, read_noise=NOISE, find_jumps=True)
    assert_same(fit_gls(reads.astype(kind), TIMES, read_noise=NOISE, find_jumps=True), expected)


def test_a_high_level_costs_no_precision_in_double() -> None:
    reads = noisy(np.random.default_rng(5), (5, 6, 1, 6)).astype(np.float64)
    expected = fit_gls(reads, TIMES, read_noise=NOISE)
    np.testing.assert_allclose(fit_gls(reads + 1e9, TIMES, read_noise=NOISE).rate, expected.rate, rtol=1e-5)


def test_blocks_have_no_effect() -> None:
    rng = np.random.default_rng(6)
    reads = noisy(rng, (19, 37, 1, 6))
    groupdq = np.where(rng.random(reads.shape) < 0.03, rng.integers(0, 8, reads.shape), 0).astype(np.uint8)
    fits = [
        fit_gls(reads, TIMES, read_noise=NOISE, groupdq=groupdq, find_jumps=True, block_rows=rows)
        for rows in (1, 5, 64)
    ]
    for other in fits[1:]:
        for ours, theirs in zip(fits[0], other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 12])
@pytest.mark.parametrize("debias", [True, False])
def test_compiled_and_plain_code_agree(
    monkeypatch: pytest.MonkeyPatch, frames: int, groups: int, number: int, debias: bool
) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(number)
    shape = (20, 45, groups, number)
    reads = noisy(rng, shape)
    reads[np.arange(number) >= rng.integers(1, 40, (*shape[:3], 1))] += 150
    reads[rng.random(shape) < 0.005] = np.nan
    groupdq = np.where(rng.random(shape) < 0.02, rng.integers(0, 8, shape), 0).astype(np.uint8)
    times = np.cumsum(rng.uniform(1.3, 3, (groups, number)), axis=1)
    noise = rng.uniform(5, 15, shape[:2])
    noise[3, 3] = 0

    def fit(jumps: bool) -> RampFit:
        return fit_gls(
            reads,
            times,
            read_noise=noise,
            groupdq=groupdq,
            frames=frames,
            frame_time=0.4,
            find_jumps=jumps,
            debias=debias,
        )

    fast = [fit(False), fit(True)]
    monkeypatch.setattr(acceleration, "available", lambda: False)
    for ours, jumps in zip(fast, (False, True), strict=True):
        assert_same(ours, fit(jumps))


@settings(max_examples=60, deadline=None)
@given(
    reads=arrays.arrays(np.float32, (2, 3, 2, 4), elements=st.floats(width=32)),
    groupdq=arrays.arrays(np.uint8, (2, 3, 2, 4), elements=st.sampled_from([0, 0, 0, 1, 2, 4, 7, 8])),
    noise=st.floats(1e-3, 1e4),
    jumps=st.booleans(),
)
def test_what_is_not_flagged_is_finite(
    reads: np.ndarray, groupdq: np.ndarray, noise: float, jumps: bool
) -> None:
    times = np.tile(1.44 * np.arange(1, 5), (2, 1))
    with np.errstate(all="ignore"):
        fit = fit_gls(reads, times, read_noise=noise, groupdq=groupdq, find_jumps=jumps)
    good = (fit.dq & DQ.DO_NOT_USE) == 0
    for array in (fit.rate, fit.var_poisson, fit.var_rnoise):
        assert np.isfinite(array[good]).all()
    assert (fit.var_rnoise[good] > 0).all()
    assert ((fit.reads_used > 0) == good).all()


@pytest.mark.usefixtures("engine")
def test_two_differences_show_a_jump() -> None:
    times = TIMES[:, :3]
    fit = fit_gls(ramp(1000, 1300, 1310), times, read_noise=NOISE, find_jumps=True)
    assert fit.groupdq[0, 0, 0].tolist() == [0, DQ.JUMP_DET, 0]
    assert fit.rate[0, 0] == pytest.approx(10 / 1.44)
    assert (fit.dq[0, 0], fit.reads_used[0, 0]) == (DQ.JUMP_DET, 2)
    assert fit_gls(ramp(1000, 1040, 1050), times, read_noise=NOISE, find_jumps=True).dq[0, 0] == 0


@pytest.mark.usefixtures("engine")
def test_a_jump_among_averaged_frames_spoils_two_differences() -> None:
    number = 12
    times = 10.0 * np.arange(1, number + 1)[None]
    reads = np.full((1, 1, 1, number), 100.0, np.float32)
    reads[..., 6:] += 250
    reads[..., 5] += 125
    averaged = fit_gls(reads, times, read_noise=NOISE, frames=4, frame_time=1.0, find_jumps=True)
    assert np.flatnonzero(averaged.groupdq).tolist() == [5, 6]
    assert averaged.rate[0, 0] == pytest.approx(0, abs=1e-5)


@pytest.mark.usefixtures("engine")
def test_several_jumps() -> None:
    reads = noisy(np.random.default_rng(8), (1, 1, 1, 20), rate=1.0)
    for read, charge in ((4, 20000), (5, 300), (15, 200)):
        reads[..., read:] += charge
    fit = fit_gls(reads, 1.44 * np.arange(1, 21)[None], read_noise=NOISE, find_jumps=True)
    assert np.flatnonzero(fit.groupdq).tolist() == [4, 5, 15]


def test_thresholds_are_equally_unlikely() -> None:
    assert thresholds(4.5) == pytest.approx((20.25, 23.8), abs=0.01)
    assert thresholds(34.999).two == pytest.approx(thresholds(35.001).two, abs=0.2)
    assert thresholds(100).two > thresholds(100).one


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"reads": np.zeros((2, 2, 0, 6))}, DataError, "none of them empty"),
        ({"reads": np.zeros((2, 2, 6))}, DataError, "axes row, column, group, read"),
        ({"reads": np.zeros((2, 2, 1, 6), complex)}, DataError, "not numbers"),
        ({"times": TIMES[:, :5]}, DataError, r"\(1, 5\) times"),
        ({"times": TIMES[:, ::-1]}, DataError, "increase"),
        ({"times": np.full((1, 6), np.nan)}, DataError, "finite"),
        ({"groupdq": np.zeros((2, 2, 1, 5), np.uint8)}, DataError, "DQ is uint8 of shape"),
        ({"groupdq": np.zeros((2, 2, 1, 6), np.uint32)}, DataError, "DQ is uint32"),
        ({"read_noise": np.ones((2, 3))}, DataError, r"read noise has the shape \(2, 3\)"),
        ({"read_noise": 0.0}, ParameterError, "positive"),
        ({"read_noise": np.nan}, ParameterError, "positive"),
        ({"frames": 0}, ParameterError, "frames"),
        ({"frames": [1, 2]}, ParameterError, "frames"),
        ({"frames": 8, "frame_time": 1.0}, ParameterError, "overlap"),
        ({"frame_time": -1.0}, ParameterError, "time between frames"),
        ({"find_jumps": True, "jump_threshold": 0.0}, ParameterError, "threshold"),
        ({"block_rows": 0}, ParameterError, "rows"),
    ],
)
def test_what_can_not_be_fitted(changes: dict[str, object], error: type[Exception], message: str) -> None:
    arguments = {"reads": np.zeros((2, 2, 1, 6)), "times": TIMES, "read_noise": NOISE} | changes
    with pytest.raises(error, match=message):
        fit_gls(arguments.pop("reads"), arguments.pop("times"), **arguments)
