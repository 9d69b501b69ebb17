from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.ramp.covariance import covariance, poisson_covariance, variance_parts
from reduce.kernels.ramp.dispatch import METHODS, fit_ramps
from reduce.kernels.ramp.linear import fit_linear
from reduce.kernels.ramp.pieces import WEIGHTS, combined

LINEAR = ("ols", "mcds", "cds")
NO_SLOPE = DQ.DO_NOT_USE | DQ.UNRELIABLE_SLOPE


def ramps(
    seed: int, *, rate: float = 20.0, shape: tuple[int, int, int, int] = (6, 7, 1, 10), dt: float = 1.5
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    times = np.broadcast_to(np.arange(1, shape[3] + 1) * dt, shape[2:]).copy()
    charge = rng.poisson(rate * dt, shape).cumsum(axis=-1)
    return charge + rng.normal(0, 10.0, shape) + 500.0, times


def by_hand(
    reads: NDArray[np.float64],
    times: NDArray[np.float64],
    flags: NDArray[np.uint8],
    method: str,
    noise: float,
) -> tuple[float, float, float, int]:
    """Rate, parts of its variance and reads used of one pixel, in the plainest way there is."""
    slopes, parts, used = [], [], 0
    for group in range(len(reads)):
        pieces: list[list[int]] = [[]]
        for read in range(reads.shape[1]):
            if flags[group, read] & DQ.SATURATED:
                break
            if flags[group, read] & DQ.JUMP_DET:
                pieces.append([])
            if not flags[group, read] & DQ.DO_NOT_USE and np.isfinite(reads[group, read]):
                pieces[-1].append(read)
        pieces = [piece for piece in pieces if len(piece) > 1]
        if method != "ols":
            pieces = sorted(pieces, key=lambda p, g=group: times[g, p[0]] - times[g, p[-1]])[:1]
        for piece in pieces:
            at, values, n = times[group, piece], reads[group, piece], len(piece)
            if method == "ols":
                slopes.append(np.polyfit(at, values, 1)[0])
                weights = (at - at.mean()) / ((at - at.mean()) ** 2).sum()
            else:
                k = min(3 if method == "mcds" else 1, n // 2)
                weights = np.zeros(n)
                weights[-k:] += 1 / k
                weights[:k] -= 1 / k
                weights /= at[-k:].mean() - at[:k].mean()
                slopes.append(weights @ values)
            parts.append((weights @ weights * noise**2, weights @ np.minimum.outer(at, at) @ weights))
            used += n if method == "ols" else 2 * k
    if not slopes:
        return 0.0, 0.0, 0.0, 0
    rate = 0.0
    for _ in range(3):
        shares = np.array([1 / (read + max(rate, 0) * photons) for read, photons in parts])
        shares /= shares.sum()
        rate = float(shares @ slopes)
    read, photons = (shares**2) @ np.array(parts)
    return rate, max(rate, 0) * photons, read, used


@pytest.mark.parametrize("method", LINEAR)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), density=st.sampled_from([0.0, 0.03, 0.2, 0.6]), groups=st.integers(1, 3)
)
def test_any_flags_give_what_a_plain_loop_gives(method: str, seed: int, density: float, groups: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (3, 4, groups, int(rng.integers(1, 12)))
    reads, _ = ramps(seed, shape=shape)
    times = rng.uniform(0.5, 3.0, shape[2:]).cumsum(axis=1)
    flags = rng.choice(np.array([1, 2, 4, 5, 64], dtype=np.uint8), shape) * (rng.random(shape) < density)
    reads[rng.random(shape) < density / 4] = np.nan
    fit = fit_linear(reads, times, method=method, read_noise=10.0, groupdq=flags.astype(np.uint8))
    for y, x in np.ndindex(shape[:2]):
        rate, photons, read, used = by_hand(reads[y, x], times, flags[y, x], method, 10.0)
        assert fit.reads_used[y, x] == used
        assert bool(fit.dq[y, x] & DQ.DO_NOT_USE) == (used == 0)
        assert bool(fit.dq[y, x] & DQ.SATURATED) == bool((flags[y, x] & DQ.SATURATED).any())
        assert bool(fit.dq[y, x] & DQ.JUMP_DET) == bool((flags[y, x] & DQ.JUMP_DET).any())
        ours = (fit.rate[y, x], fit.var_poisson[y, x], fit.var_rnoise[y, x])
        assert ours == pytest.approx((rate, photons, read), rel=1e-7, abs=1e-9)


def test_long_ramps_with_flags_anywhere() -> None:
    """More flags than there are bits in a word."""
    reads, times = ramps(21, shape=(10, 10, 2, 50))
    flags = (np.random.default_rng(21).random(reads.shape) < 0.01).astype(np.uint8) * np.uint8(DQ.JUMP_DET)
    fit = fit_linear(reads, times, method="ols", read_noise=10.0, groupdq=flags)
    for y, x in np.ndindex(10, 10):
        assert fit.rate[y, x] == pytest.approx(by_hand(reads[y, x], times, flags[y, x], "ols", 10.0)[0])


def test_utr_is_ols() -> None:
    reads, times = ramps(1)
    ols, utr = (fit_linear(reads, times, method=name, read_noise=10.0) for name in ("ols", "utr"))
    assert np.array_equal(ols.rate, utr.rate)
    assert np.array_equal(ols.var_rnoise, utr.var_rnoise)


@pytest.mark.parametrize("method", LINEAR)
@pytest.mark.parametrize("dtype", ["uint16", ">f4", "float32", ">u2", "int32"])
def test_types_of_reads_that_files_have(method: str, dtype: str) -> None:
    reads, times = ramps(2)
    whole = np.round(reads).clip(0)
    expected = fit_linear(whole, times, method=method, read_noise=10.0)
    fit = fit_linear(whole.astype(dtype), times, method=method, read_noise=10.0)
    assert fit.rate.dtype == np.float32
    np.testing.assert_allclose(fit.rate, expected.rate, rtol=1e-6)


@pytest.mark.parametrize("method", LINEAR)
def test_inputs_are_not_touched_and_blocks_make_no_difference(method: str) -> None:
    reads, times = ramps(3, shape=(9, 5, 2, 8))
    rng = np.random.default_rng(3)
    flags = (rng.random(reads.shape) < 0.1).astype(np.uint8) * np.uint8(DQ.JUMP_DET)
    flags[rng.random(reads.shape) < 0.05] |= np.uint8(DQ.SATURATED)
    noise = rng.uniform(5, 15, (9, 5))
    for array in (reads, times, flags, noise):
        array.flags.writeable = False
    fits = [
        fit_linear(reads, times, method=method, read_noise=noise, groupdq=flags, block_rows=rows)
        for rows in (1, 2, 64)
    ]
    for other in fits[1:]:
        for one, two in zip(fits[0], other, strict=True):
            np.testing.assert_array_equal(one, two)
    assert np.array_equal(fits[0].groupdq, flags)
    assert fits[0].groupdq is not flags


def test_read_noise_of_each_pixel() -> None:
    reads, times = ramps(4)
    noise = np.full((6, 7), 10.0)
    noise[1, 2] = 20.0
    fit = fit_linear(reads, times, method="ols", read_noise=noise)
    assert fit.var_rnoise[1, 2] == pytest.approx(4 * fit.var_rnoise[0, 0])


@pytest.mark.parametrize("unknown", [np.nan, 0.0, -1.0, np.inf])
def test_a_pixel_without_read_noise_has_no_error(unknown: float) -> None:
    reads, times = ramps(4)
    noise = np.full((6, 7), 10.0)
    noise[1, 2] = unknown
    fit = fit_linear(reads, times, method="ols", read_noise=noise)
    assert fit.dq[1, 2] == DQ.DO_NOT_USE | DQ.UNRELIABLE_ERROR
    assert np.isfinite([fit.rate[1, 2], fit.var_poisson[1, 2], fit.var_rnoise[1, 2]]).all()
    assert np.count_nonzero(fit.dq) == 1


@pytest.mark.parametrize("method", LINEAR)
def test_one_read_has_no_slope(method: str) -> None:
    reads, times = ramps(5, shape=(2, 3, 1, 1))
    fit = fit_linear(reads, times, method=method, read_noise=10.0)
    assert (fit.rate == 0).all()
    assert (fit.dq == NO_SLOPE).all()
    assert (fit.reads_used == 0).all()


@pytest.mark.parametrize("method", LINEAR)
def test_two_reads_have_one(method: str) -> None:
    reads, times = ramps(6, shape=(2, 3, 1, 2))
    fit = fit_linear(reads, times, method=method, read_noise=10.0)
    np.testing.assert_allclose(fit.rate, (reads[..., 0, 1] - reads[..., 0, 0]) / 1.5)
    np.testing.assert_allclose(fit.var_rnoise, 2 * 10.0**2 / 1.5**2)
    np.testing.assert_allclose(fit.var_poisson, fit.rate.clip(0) / 1.5)
    assert (fit.dq == 0).all()


def test_all_saturated() -> None:
    reads, times = ramps(7)
    flags = np.full(reads.shape, int(DQ.SATURATED), dtype=np.uint8)
    fit = fit_linear(reads, times, method="ols", read_noise=10.0, groupdq=flags)
    assert (fit.dq == DQ.SATURATED | DQ.DO_NOT_USE).all()
    assert (fit.rate == 0).all()


def test_saturated_after_one_read() -> None:
    reads, times = ramps(7)
    flags = np.zeros(reads.shape, dtype=np.uint8)
    flags[..., 1] = DQ.SATURATED
    fit = fit_linear(reads, times, method="ols", read_noise=10.0, groupdq=flags)
    assert (fit.dq == DQ.SATURATED | NO_SLOPE).all()


def test_a_read_that_is_not_a_number_is_left_out() -> None:
    reads, times = ramps(8)
    reads[..., 4] = np.inf
    fit = fit_linear(reads, times, method="ols", read_noise=10.0)
    kept = [0, 1, 2, 3, 5, 6, 7, 8, 9]
    without = fit_linear(reads[..., kept], times[:, kept], method="ols", read_noise=10.0)
    np.testing.assert_allclose(fit.rate, without.rate)
    assert (fit.dq == 0).all()
    assert (fit.reads_used == 9).all()
    everywhere = fit_linear(np.full(reads.shape, np.nan), times, method="ols", read_noise=10.0)
    assert (everywhere.dq == NO_SLOPE).all()


def test_a_jump_parts_the_ramp() -> None:
    reads, times = ramps(9, shape=(50, 80, 1, 12))
    flags = np.zeros(reads.shape, dtype=np.uint8)
    flags[..., 5] = DQ.JUMP_DET
    hit = reads.copy()
    hit[..., 5:] += 4000.0
    for method in LINEAR:
        before = fit_linear(reads, times, method=method, read_noise=10.0, groupdq=flags)
        after = fit_linear(hit, times, method=method, read_noise=10.0, groupdq=flags)
        np.testing.assert_allclose(after.rate, before.rate, atol=1e-9)
        assert (after.dq == DQ.JUMP_DET).all()
        pull = (after.rate - 20.0) / np.sqrt(after.var_poisson + after.var_rnoise)
        assert abs(pull.mean()) < 0.05
        assert abs(pull.std() - 1) < 0.04


def test_cds_takes_the_longest_part() -> None:
    reads, times = ramps(10)
    flags = np.zeros(reads.shape, dtype=np.uint8)
    flags[..., 3] = DQ.JUMP_DET
    fit = fit_linear(reads, times, method="cds", read_noise=10.0, groupdq=flags)
    np.testing.assert_allclose(fit.rate, (reads[..., 0, 9] - reads[..., 0, 3]) / 9.0)


@pytest.mark.parametrize("reads_there", [2, 3])
def test_mcds_of_few_reads_is_cds(reads_there: int) -> None:
    reads, times = ramps(11, shape=(4, 4, 1, reads_there))
    mcds = fit_linear(reads, times, method="mcds", read_noise=10.0, coadd=5)
    cds = fit_linear(reads, times, method="cds", read_noise=10.0)
    np.testing.assert_array_equal(mcds.rate, cds.rate)


def test_coadd_is_at_most_half_of_the_reads() -> None:
    reads, times = ramps(12, shape=(4, 4, 1, 7))
    wide, half = (fit_linear(reads, times, method="mcds", read_noise=10.0, coadd=k) for k in (100, 3))
    np.testing.assert_array_equal(wide.rate, half.rate)
    assert (wide.reads_used == 6).all()


@pytest.mark.parametrize("method", LINEAR)
def test_groups_of_different_lengths_are_not_biased(method: str) -> None:
    rng = np.random.default_rng(13)
    shape = (100, 100, 3, 10)
    reads, times = ramps(13, rate=5.0, shape=shape)
    reads += rng.normal(0, 100, (100, 100, 3, 1))
    flags = np.zeros(shape, dtype=np.uint8)
    flags[:, :, 1, 4] = flags[:, :, 2, 7] = DQ.SATURATED
    fit = fit_linear(reads, times, method=method, read_noise=10.0, groupdq=flags)
    error = np.sqrt(fit.var_poisson + fit.var_rnoise)
    assert abs(fit.rate.mean() - 5.0) < 4 * fit.rate.std() / 100
    assert 0.98 < error.mean() / fit.rate.std() < 1.03
    alone = fit_linear(reads[:, :, :1], times[:1], method=method, read_noise=10.0)
    assert fit.rate.std() < alone.rate.std()


def test_equal_groups_are_averaged() -> None:
    reads, times = ramps(14, shape=(5, 6, 4, 9))
    fit = fit_linear(reads, times, method="ols", read_noise=10.0)
    each = [fit_linear(reads[:, :, [g]], times[[g]], method="ols", read_noise=10.0) for g in range(4)]
    np.testing.assert_allclose(fit.rate, np.mean([one.rate for one in each], axis=0))
    np.testing.assert_allclose(fit.var_rnoise, each[0].var_rnoise / 4)
    assert (fit.reads_used == 36).all()


def test_weights_of_groups_are_those_of_the_common_rate() -> None:
    read, poisson = np.array([[1.0], [4.0]]), np.array([[0.5], [0.1]])
    high = combined(np.array([[900.0], [1100.0]]), read=read, poisson=poisson, noise=np.array([1.0]))
    shares = 1 / (read[:, 0] + high.rate * poisson[:, 0])
    assert high.rate == pytest.approx(shares @ [900.0, 1100.0] / shares.sum(), rel=1e-4)
    assert high.var_poisson + high.var_rnoise == pytest.approx(1 / shares.sum(), rel=1e-4)


@given(
    steps=st.lists(st.floats(0.5, 5.0), min_size=2, max_size=12),
    frames=st.integers(1, 6),
    method=st.sampled_from(LINEAR),
    pedestal=st.floats(-1.0, 1.0),
)
def test_variance_is_that_of_the_covariance(
    steps: list[float], frames: int, method: str, pedestal: float
) -> None:
    times = np.cumsum(steps) + 1.0
    weights = WEIGHTS[method](times, 3) + pedestal
    parts = variance_parts(weights, times, frames=frames, frame_time=0.05)
    full = covariance(times, rate=7.0, read_noise=3.0, frames=frames, frame_time=0.05)
    assert 9 * parts.read + 7 * parts.poisson == pytest.approx(weights @ full @ weights, rel=1e-9)


def test_covariance_of_averaged_frames() -> None:
    """Sum over all frames."""
    at = np.arange(12) * 0.4 + 1.0
    times = at.reshape(3, 4).mean(axis=1)
    mean = np.kron(np.eye(3), np.full(4, 0.25))
    np.testing.assert_allclose(
        poisson_covariance(times, frames=4, frame_time=0.4), mean @ np.minimum.outer(at, at) @ mean.T
    )
    uneven = np.array([at[0], at[1:4].mean(), at[4:].mean()])
    rows = np.zeros((3, 12))
    rows[0, 0], rows[1, 1:4], rows[2, 4:] = 1, 1 / 3, 1 / 8
    np.testing.assert_allclose(
        covariance(uneven, rate=2.0, read_noise=3.0, frames=[1, 3, 8], frame_time=0.4),
        rows @ (2 * np.minimum.outer(at, at) + 9 * np.eye(12)) @ rows.T,
    )


def test_errors_of_averaged_frames() -> None:
    rng = np.random.default_rng(15)
    charge = rng.poisson(50.0 * 0.5, (100, 100, 1, 24)).cumsum(axis=-1) + rng.normal(0, 10, (100, 100, 1, 24))
    reads, times = charge.reshape(100, 100, 1, 6, 4).mean(axis=-1), (np.arange(6)[None] * 4 + 2.5) * 0.5
    for method in LINEAR:
        fit = fit_linear(reads, times, method=method, read_noise=10.0, frames=4, frame_time=0.5, coadd=2)
        error = np.sqrt(fit.var_poisson + fit.var_rnoise).mean()
        assert error == pytest.approx(fit.rate.std(), rel=0.025)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times": np.zeros((1, 10))}, "increase"),
        ({"times": np.full((1, 10), np.nan)}, "increase"),
        ({"times": np.arange(9.0)[None]}, "9"),
        ({"reads": np.zeros((4, 4, 10))}, "axes"),
        ({"reads": np.zeros((4, 4, 1, 0)), "times": np.zeros((1, 0))}, "empty"),
        ({"reads": np.zeros((6, 7, 1, 10), dtype=complex)}, "real"),
        ({"groupdq": np.zeros((6, 7, 1, 9), dtype=np.uint8)}, "DQ"),
        ({"groupdq": np.zeros((6, 7, 1, 10), dtype=np.uint32)}, "uint8"),
        ({"read_noise": np.ones((7, 6))}, "read noise"),
    ],
)
def test_data_that_do_not_go_together(changes: dict[str, object], message: str) -> None:
    reads, times = ramps(16)
    arguments = {"reads": reads, "times": times, "method": "ols", "read_noise": 10.0} | changes
    with pytest.raises(DataError, match=message):
        fit_linear(arguments.pop("reads"), arguments.pop("times"), **arguments)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "median"},
        {"coadd": 0},
        {"frames": 0},
        {"frames": [1, 2]},
        {"frames": 3, "frame_time": 1.0},
        {"frame_time": -1.0},
        {"frame_time": float("nan")},
        {"read_noise": -1.0},
        {"read_noise": float("nan")},
        {"block_rows": 0},
    ],
)
def test_values_that_are_not_allowed(changes: dict[str, object]) -> None:
    reads, times = ramps(17)
    with pytest.raises(ParameterError):
        fit_linear(reads, times, **({"method": "ols", "read_noise": 10.0} | changes))


def test_an_unknown_method_is_told_which_there_are() -> None:
    reads, times = ramps(18)
    with pytest.raises(ParameterError, match="median") as refused:
        fit_ramps(reads, times, method="median", read_noise=10.0)
    assert all(method in str(refused.value.hint) for method in METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_the_same_front(method: str) -> None:
    reads, times = ramps(19, shape=(20, 20, 2, 8))
    fit = fit_ramps(reads, times, method=method, read_noise=10.0)
    assert abs(fit.rate.mean() - 20.0) < 0.5
    assert np.isfinite(fit.rate).all()
    assert (fit.dq == 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_jumps_are_found_for_every_method(method: str) -> None:
    reads, times = ramps(20, shape=(20, 20, 1, 12))
    reads[..., 6:] += 3000.0
    fit = fit_ramps(reads, times, method=method, read_noise=10.0, find_jumps=True)
    assert (fit.groupdq[..., 6] & DQ.JUMP_DET).all()
    assert (fit.dq & DQ.JUMP_DET).all()
    assert abs(fit.rate.mean() - 20.0) < 0.5
