"""Whatever numbers come in, pixels that a kernel calls good have a value and an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from reduce.arrays import Corrected
from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.kernels import acceleration, cosmic_rays, dark, flat, normalization, subtraction, zero_point
from reduce.kernels.bias import subtract_bias
from reduce.kernels.combine import Source, combine
from reduce.kernels.gain import to_electrons
from reduce.kernels.linearity import linearize
from reduce.kernels.mosaic import DrizzleInput, drizzle_frames
from reduce.kernels.photometry import aperture_photometry
from reduce.kernels.ramp.dispatch import fit_ramps
from reduce.kernels.ramp.fit import RampFit
from reduce.kernels.rampdata import RampArrays
from reduce.kernels.saturation import flag_saturation

Array = NDArray[np.generic]

STRANGE = np.array(
    [np.nan, np.inf, -np.inf, 0, -0.0, 1e30, -1e30, 3e38, -3e38, 1e-45, 1e-38, 1e-20, 1e20, -1]
)
WIDER = np.append(STRANGE, [1e300, -1e300, 1e-300])
REALS = ("<f4", "<f8", ">f4", ">f8")
INTEGERS = ("u1", "<u2", ">u2", ">i2", "<i4", ">u4", "<i8")
SHAPES = ((1, 1), (3, 1), (5, 7), (24, 24))
SEEDS = range(25)


def laid_out(rng: np.random.Generator, array: Array) -> Array:
    """The same numbers, somehow in memory, not to be written to."""
    way = rng.integers(4)
    if way == 1:
        wide = np.zeros([2 * side for side in array.shape], array.dtype)
        some = wide[tuple(slice(None, None, 2) for _ in array.shape)]
        some[...] = array
        array = some
    elif way == 2:
        array = np.asfortranarray(array)
    elif way == 3:
        array = array[::-1].copy()[::-1]
    array.flags.writeable = False
    return array


def strange(
    rng: np.random.Generator, shape: tuple[int, ...], *, types: tuple[str, ...] = (*REALS, *INTEGERS)
) -> Array:
    kind = np.dtype(types[rng.integers(len(types))])
    plain = rng.normal(100, 10, shape)
    if kind.kind == "f":
        values = np.where(
            rng.random(shape) < 0.2, rng.choice(WIDER if kind.itemsize > 4 else STRANGE, shape), plain
        )
        with np.errstate(under="ignore"):
            return laid_out(rng, values.astype(kind))
    ends = np.array([np.iinfo(kind).min, np.iinfo(kind).max, 0, 1], dtype=kind)
    return laid_out(rng, np.where(rng.random(shape) < 0.2, rng.choice(ends, shape), plain.astype(kind)))


def bits(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    some = np.where(rng.random(shape) < 0.1, rng.integers(0, 2**32, shape, dtype=np.uint64), 0)
    return laid_out(rng, some.astype(["<u4", ">u4"][rng.integers(2)]))


def require_sound(sci: Array, variances: Mapping[str, Array], dq: Array) -> None:
    good = ~flagged(dq)
    assert dq.dtype == np.uint32
    assert np.isfinite(sci[good]).all()
    for part in variances.values():
        assert np.isfinite(part[good]).all()
        assert (part[good] >= 0).all()


FRAMES: dict[str, Callable[..., Corrected]] = {
    "dark": lambda rng, sci, parts, dq, other: dark.subtract(
        sci, parts, dq, *other, scale=rng.choice([1, -1e20])
    ),
    "sky": lambda rng, sci, parts, dq, other: subtraction.subtract(
        sci, parts, dq, *other, factor=rng.choice([1, 1e20]), factor_error=rng.choice([0, 1, 1e20])
    ),
    "flat": lambda _, sci, parts, dq, other: flat.divide(sci, parts, dq, *other),
    "normalized": lambda rng, sci, parts, dq, _: (
        normalization.normalize(sci, parts, dq, statistic=rng.choice(["mean", "median", "mode"])).arrays
    ),
    "calibrated": lambda rng, sci, parts, dq, _: zero_point.flux_calibrate(
        sci, parts, dq, factor=rng.choice([1, 1e20, 1e-25])
    ),
    "cosmic rays": lambda _, sci, parts, dq, other: cosmic_rays.flag(sci, parts, dq, other[0], clean=True),
}


@pytest.mark.parametrize("kernel", FRAMES)
def test_frames(kernel: str) -> None:
    done = 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        shape = SHAPES[seed % len(SHAPES)]
        parts = {name: strange(rng, shape, types=REALS) for name in ("POISSON", "RNOISE", "FLAT")[seed % 3 :]}
        other = strange(rng, shape), strange(rng, shape, types=REALS), bits(rng, shape)
        try:
            arrays = FRAMES[kernel](rng, strange(rng, shape), parts, bits(rng, shape), other)
        except DataError:
            continue
        require_sound(*arrays)
        done += 1
    assert done


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("method", ["gls", "ols", "mcds", "cds"])
def test_ramps(method: str, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not compiled:
        monkeypatch.setattr(acceleration, "available", lambda: False)
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        shape = (*SHAPES[seed % 3], *((1, 1), (1, 2), (1, 6), (3, 4))[seed % 4])
        reads = strange(rng, shape)
        groupdq = laid_out(
            rng, np.where(rng.random(shape) < 0.1, rng.integers(0, 256, shape), 0).astype(np.uint8)
        )
        fit = fit_ramps(
            reads,
            np.tile(1.5 * np.arange(1, shape[3] + 1), (shape[2], 1)),
            method=method,
            read_noise=strange(rng, shape[:2], types=REALS) if seed % 2 else 9.0,
            groupdq=groupdq if seed % 3 else None,
            find_jumps=bool(seed % 2),
        )
        require_sound(fit.rate, {"P": fit.var_poisson, "R": fit.var_rnoise}, fit.dq)
        good = ~flagged(fit.dq)
        assert (fit.var_poisson[good] + fit.var_rnoise[good] > 0).all()


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("method", ["mean", "wmean", "median", "wmedian"])
def test_combination(method: str, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not compiled:
        monkeypatch.setattr("reduce.kernels.combine.available", lambda: False)
    rejections = ("none", "sigma", "biweight", "minmax", "variance")
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        shape, number = SHAPES[seed % 3], 1 + seed % 6
        frames = [
            Source(
                strange(rng, shape),
                (strange(rng, shape, types=REALS), strange(rng, shape, types=REALS)),
                bits(rng, shape),
            )
            for _ in range(number)
        ]
        done = combine(
            frames,
            method=method,
            reject=rejections[seed % 5],
            error=("propagate", "measure")[seed % 2],
            scales=list(rng.choice([1, 1e-20, 1e20, 2.0], number)) if seed % 3 else None,
        )
        require_sound(done.sci, {"": done.variance}, done.dq)
        assert (done.variance[~flagged(done.dq, DQ.DO_NOT_USE | DQ.UNRELIABLE_ERROR)] > 0).all()


def test_mosaic() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        shape = SHAPES[2 + seed % 2]
        places = np.stack(np.indices(shape, dtype=float)[::-1], axis=-1) + 0.3
        frame = DrizzleInput(
            strange(rng, shape),
            strange(rng, shape, types=REALS),
            bits(rng, shape),
            places,
            float(rng.choice([1, 1e-20, 1e20])),
        )
        mosaic = drizzle_frames([frame], None, shape)
        require_sound(mosaic.sci, {"": mosaic.variance}, mosaic.dq)


def test_stars() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        places = np.vstack([rng.uniform(-5, 30, (4, 2)), [[np.nan, 3], [np.inf, -np.inf]]])
        stars = aperture_photometry(
            strange(rng, (24, 24)),
            strange(rng, (24, 24), types=REALS),
            bits(rng, (24, 24)),
            places,
            radius=2.0,
            annulus=(3.0, 8.0),
        )
        assert np.isfinite(stars.flux[stars.good]).all()
        assert np.isfinite(stars.flux_err[stars.good]).all()


def test_a_variance_below_zero_is_not_added_up() -> None:
    variance = np.full((24, 24), 4.0)
    variance[12, 12] = -100.0
    stars = aperture_photometry(
        np.ones((24, 24)), variance, np.zeros((24, 24), np.uint32), [(12, 12)], radius=2, annulus=None
    )
    assert not stars.good[0]
    assert stars.flux_err[0] > 0


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (50, 3), (6, 50)])
def test_images_too_small_for_the_filters_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="7 rows and columns"):
        cosmic_rays.flag(np.ones(shape), {"": np.ones(shape)}, np.zeros(shape, np.uint32))


@pytest.mark.parametrize("factor", [1e-19, 1e19])
def test_errors_survive_units_of_very_small_or_large_numbers(factor: float) -> None:
    plane = np.full((4, 4), 3.0, np.float32)
    arrays = zero_point.flux_calibrate(plane, {"POISSON": plane}, np.zeros((4, 4), np.uint32), factor=factor)
    assert not flagged(arrays.dq).any()
    assert np.allclose(arrays.variances["POISSON"], 3 * factor**2, rtol=1e-6, atol=0)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64])
def test_the_highest_count_is_saturated(kind: type[np.integer]) -> None:
    reads = np.full((2, 2, 1, 3), np.iinfo(kind).max, dtype=kind)
    reads[..., 0] = 5
    ramp = flag_saturation(reads, None, np.zeros((2, 2), np.uint32), level=1e30, grow=0)
    assert ramp.groupdq is not None
    assert ((ramp.groupdq & DQ.SATURATED) != 0)[..., 1:].all()
    assert not (ramp.groupdq[..., 0] & DQ.SATURATED).any()


@pytest.mark.parametrize("compiled", [True, False])
def test_large_coefficients_are_no_missing_ones(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not compiled:
        monkeypatch.setattr(acceleration, "available", lambda: False)
    coefficients = np.zeros((1, 1, 4))
    coefficients[..., 1:] = 1, 1e308, 1e308
    ramp = linearize(np.zeros((1, 1, 1, 2)), None, np.zeros((1, 1), np.uint32), coefficients=coefficients)
    assert not flagged(ramp.pixeldq, DQ.NO_LIN_CORR).any()


@pytest.mark.parametrize("seed", range(30))
def test_compiled_and_plain_reads_are_the_same_bits(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    shape = (*SHAPES[seed % len(SHAPES)], 1 + seed % 2, 1 + seed % 6)
    reads, levels, flags = strange(rng, shape), strange(rng, shape[:2]), bits(rng, shape[:2])
    groupdq = laid_out(rng, rng.integers(0, 256, shape, dtype=np.uint8)) if seed % 3 else None
    coefficients = strange(rng, (*shape[:2], 3), types=REALS)

    def both() -> list[RampArrays]:
        return [
            flag_saturation(reads, groupdq, flags, level=levels, grow=seed % 3),
            subtract_bias(reads, groupdq, flags, bias=levels),
            to_electrons(reads, groupdq, flags, gain=levels),
            linearize(reads, groupdq, flags, coefficients=coefficients),
            linearize(reads, groupdq, flags, coefficients=coefficients, convention="factor"),
        ]

    compiled = both()
    monkeypatch.setattr(acceleration, "available", lambda: False)
    with np.errstate(over="ignore", invalid="ignore"):
        plain = both()
    for one, other in zip(compiled, plain, strict=True):
        for array, expected in zip(one, other, strict=True):
            assert (array is None) == (expected is None)
            if array is not None:
                assert array.dtype == expected.dtype
                np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("processors", [1, 3])
@pytest.mark.parametrize("method", ["gls", "ols"])
def test_threads_and_blocks_change_no_bit_of_slopes(
    method: str, processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    reads = np.cumsum(rng.poisson(50, (37, 41, 2, 6)), axis=3) + rng.normal(0, 9, (37, 41, 2, 6))
    reads[rng.random(reads.shape) < 0.01] += 3000
    times = np.tile(np.arange(1.0, 7), (2, 1))

    def fitted(rows: int) -> RampFit:
        return fit_ramps(
            reads.astype(np.float32), times, method=method, read_noise=9.0, find_jumps=True, block_rows=rows
        )

    expected = fitted(64)
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    for rows in (1, 5, 18):
        for array, other in zip(fitted(rows), expected, strict=True):
            np.testing.assert_array_equal(array, other)
