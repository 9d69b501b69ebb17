"""The simulated detector does what its description says."""

import os
from dataclasses import fields, replace

import numpy as np
import pytest

from reduce.errors import DataError, ParameterError
from reduce.kernels.linearity import nonlinear
from reduce.sim import Detector, expose, read_times


def quiet(shape: tuple[int, int] = (64, 64), seed: int = 1, **other: float) -> Detector:
    """Linear, without drifts, hot and dead pixels."""
    settings = {"nonlinearity": 0.0, "channel_drift": 0.0, "row_drift": 0.0, "hot": 0.0, "dead": 0.0} | other
    return Detector.simulated(shape, seed, **settings)


def electrons(detector: Detector, reads: np.ndarray) -> np.ndarray:
    """Electrons since the reset, float64."""
    return (reads.astype(np.float64) - detector.bias[..., None, None]) * detector.gain


def test_a_seed_gives_the_same_exposure() -> None:
    detector = Detector.simulated((64, 64), 1)
    first, again, other = (expose(detector, 20.0, read_times(2, 5, 2.0), seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.reads, again.reads)
    assert not np.array_equal(first.reads, other.reads)
    assert first.reads.dtype == np.uint16
    assert first.reads.shape == (64, 64, 2, 5)


def test_a_seed_gives_the_same_detector() -> None:
    first, again = (Detector.simulated((64, 64), 5) for _ in range(2))
    for field in fields(Detector):
        assert np.array_equal(getattr(first, field.name), getattr(again, field.name)), field.name


def test_threads_do_not_change_an_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector.simulated((96, 40), 1)
    exposures = []
    for cores in (1, 5):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        exposures.append(expose(detector, 20.0, read_times(1, 4, 2.0), seed=3))
    assert np.array_equal(exposures[0].reads, exposures[1].reads)


def test_nothing_is_written_to() -> None:
    detector = Detector.simulated((64, 64), 1)
    for name in ("dark", "bias", "flat", "coefficients", "saturation", "hot", "dead"):
        getattr(detector, name).flags.writeable = False
    scene, times = np.full((64, 64), 30.0), read_times(1, 4, 2.0)
    scene.flags.writeable = times.flags.writeable = False
    expose(detector, scene, times, seed=1)


def test_light_and_dark_current_collect() -> None:
    detector = quiet(dark=5.0)
    times = read_times(40, 2, 10.0)
    exposure = expose(detector, 20.0, times, seed=2, cosmic_rays=False)
    collected = np.diff(electrons(detector, exposure.reads), axis=-1)[..., 0]
    expected = exposure.truth.rate * 10
    assert np.allclose(exposure.truth.rate, 20 * detector.flat + detector.dark)
    error = np.sqrt((expected + 2 * 9**2 + 2 * 4 / 12) / 40)
    pulls = (collected.mean(axis=-1) - expected) / error
    assert abs(pulls.mean()) < 4 / np.sqrt(pulls.size)
    assert abs(pulls.std() - 1) < 0.04


def test_the_scatter_is_that_of_photons_and_reads() -> None:
    detector = replace(quiet((64, 64), dark=0.0), flat=np.ones((64, 64), dtype=np.float32))
    reads = expose(detector, 100.0, read_times(20, 3, 10.0), seed=2, cosmic_rays=False).reads
    steps = np.diff(electrons(detector, reads), axis=-1)
    assert steps.var() == pytest.approx(1000 + 2 * (9**2 + 4 / 12), rel=0.02)
    shared = np.mean((steps[..., 0] - 1000) * (steps[..., 1] - 1000))
    assert shared == pytest.approx(-(9**2 + 4 / 12), abs=10)


def test_a_reset_leaves_noise_that_stays() -> None:
    detector = quiet(dark=0.0, read_noise=0.5, ktc=50.0)
    levels = electrons(
        detector, expose(detector, 0.0, read_times(3, 4, 1.0), seed=2, cosmic_rays=False).reads
    )
    assert levels[..., 0].std() == pytest.approx(50, rel=0.03)
    assert np.abs(np.diff(levels, axis=-1)).max() < 8
    assert abs(np.corrcoef(levels[:, :, 0, 0].ravel(), levels[:, :, 1, 0].ravel())[0, 1]) < 0.1


def test_the_linearity_correction_finds_the_rate_again() -> None:
    detector = replace(quiet(nonlinearity=1.0, dark=0.0, read_noise=0.5), flat=np.ones((64, 64), np.float32))
    exposure = expose(detector, 2000.0, read_times(10, 9, 5.0), seed=2, cosmic_rays=False)
    raw = exposure.reads.astype(np.float64) - detector.bias[..., None, None]
    linear = sum(detector.coefficients[..., k, None, None] * raw**k for k in range(4)) * detector.gain
    measured = np.diff(linear, axis=-1).mean(axis=(0, 1, 2)) / 5
    assert measured == pytest.approx(np.full(8, 2000), rel=5e-4)
    assert np.diff(raw, axis=-1)[..., -1].mean() * detector.gain / 5 < 1900


def test_the_simulator_and_the_correction_have_the_same_inverse() -> None:
    from reduce.sim import _raw

    detector = Detector.simulated((32, 32), 3)
    linear = np.random.default_rng(1).uniform(-100, 55000, (1, 6, 32, 32)).astype(np.float32)
    ours = _raw(linear, np.moveaxis(detector.coefficients, -1, 0))
    theirs = nonlinear(np.moveaxis(linear, (0, 1), (2, 3)), detector.coefficients)
    assert np.allclose(np.moveaxis(ours, (0, 1), (2, 3)), theirs, atol=0.02)


def test_counts_stop_at_the_well() -> None:
    detector = quiet(nonlinearity=1.0)
    exposure = expose(detector, 3000.0, read_times(1, 20, 5.0), seed=2)
    light = detector.light
    saturated = exposure.truth.saturated[light][:, 0]
    last = exposure.reads[light][:, 0, -1].astype(np.float64)
    assert saturated[:, -1].all()
    assert not saturated[:, 0].any()
    assert (np.diff(saturated.astype(int), axis=1) >= 0).all()
    full = detector.bias[light] + 1.01 * (detector.saturation[light] - detector.bias[light])
    assert np.abs(last - full).max() < 30
    level = np.broadcast_to(detector.saturation[light][:, None], saturated.shape)
    reads = exposure.reads[light][:, 0]
    assert (reads[saturated] > level[saturated] - 30).all()
    assert (reads[~saturated] < level[~saturated] + 30).all()


def test_counts_never_wrap_around() -> None:
    detector = quiet(nonlinearity=0.0)
    high = replace(detector, saturation=np.full((64, 64), 90000, np.float32))
    low = replace(detector, bias=np.full((64, 64), 2, np.float32), ktc=60.0)
    assert expose(high, 1e5, read_times(1, 3, 5.0), seed=2).reads[20, 20, 0].tolist() == [65535] * 3
    assert (expose(low, 0.0, read_times(1, 3, 5.0), seed=2).reads < 300).all()


def test_leaving_out_cosmic_rays_changes_nothing_else() -> None:
    detector = Detector.simulated((64, 64), 1, cosmic_rate=2000.0)
    times = read_times(2, 6, 10.0)
    hit, clean = (expose(detector, 5.0, times, seed=2, cosmic_rays=on) for on in (True, False))
    rays = hit.truth.cosmic_rays
    assert len(clean.truth.cosmic_rays.rows) == 0
    assert len(rays.rows) > 50
    touched = np.zeros(hit.reads.shape, dtype=bool)
    for row, column, group, read in zip(rays.rows, rays.columns, rays.groups, rays.reads, strict=True):
        touched[row, column, group, read:] = True
    assert np.array_equal(hit.reads[~touched], clean.reads[~touched])
    assert (hit.reads[touched] >= clean.reads[touched]).all()


def test_a_cosmic_ray_is_a_jump_of_its_charge() -> None:
    detector = quiet((128, 128), cosmic_rate=1000.0)
    times = read_times(1, 6, 10.0)
    hit, clean = (expose(detector, 0.0, times, seed=2, cosmic_rays=on) for on in (True, False))
    extra = (hit.reads.astype(float) - clean.reads)[..., 0, -1] * detector.gain
    rays = hit.truth.cosmic_rays
    expected = np.zeros(detector.shape)
    np.add.at(expected, (rays.rows, rays.columns), rays.electrons)
    below = expected < 5e4
    assert np.abs(extra - expected)[below].max() <= 2 * detector.gain
    hits = 1000 * (128e-3) ** 2 * 60
    assert rays.electrons.sum() / hits == pytest.approx(1500 * np.exp(0.8**2 / 2), rel=0.15)


def test_cosmic_rays_come_at_their_rate_and_at_any_time() -> None:
    detector = quiet((256, 256), cosmic_rate=50.0)
    numbers, reads = [], []
    for seed in range(20):
        rays = expose(detector, 0.0, read_times(1, 4, 10.0), seed=seed).truth.cosmic_rays
        assert (np.diff(rays.rows) >= 0).all()
        assert detector.light[rays.rows, rays.columns].all()
        numbers.append(len(rays.rows))
        reads.append(np.bincount(rays.reads, minlength=4))
    hits = 20 * 50 * (256e-3) ** 2 * 40
    pixels_a_hit = 1 + 1 / (np.e - 1)
    assert sum(numbers) == pytest.approx(hits * pixels_a_hit, rel=0.1)
    assert np.sum(reads, axis=0) == pytest.approx(np.full(4, sum(numbers) / 4), rel=0.15)


def test_reference_pixels_see_no_light_but_the_drift() -> None:
    detector = replace(quiet((64, 128), dark=0.0, read_noise=1.0, ktc=0.0, channel_drift=20.0), channels=2)
    exposure = expose(detector, 200.0, read_times(1, 8, 5.0), seed=2, cosmic_rays=False)
    change = np.diff(exposure.reads[..., 0, :].astype(float), axis=-1)
    strip = slice(10, 64, 2)
    reference = change[:4, strip].mean(axis=(0, 1))
    light = change[4:-4, strip].mean(axis=(0, 1))
    collected = exposure.truth.rate[4:-4, strip].mean() * 5 / detector.gain
    assert np.abs(reference).max() > 5
    assert light - reference == pytest.approx(np.full(7, collected), abs=1.5)
    other = change[:4, 65:128:2].mean(axis=(0, 1))
    assert not np.allclose(reference, other, atol=3)


def test_rows_drift_together() -> None:
    detector = quiet((256, 64), dark=0.0, read_noise=1.0, ktc=0.0, row_drift=5.0)
    reads = expose(detector, 0.0, read_times(1, 2, 5.0), seed=2).reads[..., 0, :].astype(float)
    rows = np.diff(reads, axis=-1)[..., 0].mean(axis=1)
    assert rows.std() == pytest.approx(5 * np.sqrt(2), rel=0.35)
    assert np.corrcoef(rows[:-1], rows[1:])[0, 1] > 0.5


def test_hot_and_dead_pixels() -> None:
    detector = Detector.simulated((512, 512), 1)
    assert detector.hot.mean() == pytest.approx(0.003, rel=0.2)
    assert detector.dead.mean() == pytest.approx(0.002, rel=0.2)
    assert detector.dark[detector.hot].min() >= 1
    assert not detector.flat[detector.dead].any()
    usable = detector.light & ~detector.dead
    assert np.median(detector.flat[usable]) == pytest.approx(1, abs=0.002)
    assert detector.flat[usable].min() > 0.5
    assert np.median(detector.dark[usable & ~detector.hot]) == pytest.approx(0.023, abs=0.003)


def test_the_first_read_has_the_charge_since_the_reset() -> None:
    detector = quiet(dark=0.0)
    one = expose(detector, 100.0, [[30.0]], seed=2, cosmic_rays=False)
    level = electrons(detector, one.reads)[detector.light].mean()
    assert level == pytest.approx(3000 * detector.flat[detector.light].mean(), rel=0.005)


@pytest.mark.parametrize(
    ("rate", "times"),
    [
        (np.ones((3, 3)), [[1.0]]),
        (-1.0, [[1.0]]),
        (np.nan, [[1.0]]),
        (1.0, [1.0]),
        (1.0, [[]]),
        (1.0, [[2.0, 1.0]]),
        (1.0, [[-1.0, 1.0]]),
        (1.0, [[1.0, np.nan]]),
    ],
)
def test_what_can_not_be_exposed(rate: float | np.ndarray, times: list[list[float]]) -> None:
    with pytest.raises(DataError):
        expose(quiet(), rate, times, seed=1)


def test_what_is_not_a_detector() -> None:
    with pytest.raises(DataError, match="bias"):
        replace(quiet(), bias=np.zeros((3, 3), np.float32))
    with pytest.raises(DataError, match="coefficients"):
        replace(quiet(), coefficients=np.zeros((3, 3, 4), np.float32))
    with pytest.raises(ParameterError, match="channels"):
        replace(quiet(), channels=65)
