"""Gain and read noise from pairs of exposures."""

import numpy as np
import pytest

from reduce.errors import DataError, ParameterError
from reduce.kernels.photon_transfer import photon_transfer, pixel_read_noise

LEVELS = np.concatenate([[0.0], np.geomspace(100, 60000, 7)])


def pairs(
    seed: int,
    gain: float | np.ndarray = 2.0,
    noise: float = 9.0,
    shape: tuple[int, int] = (128, 128),
    levels: np.ndarray = LEVELS,
) -> tuple[np.ndarray, np.ndarray]:
    """Images of both members of each pair, in DN, of levels in electrons and a flat that is not even."""
    rng = np.random.default_rng(seed)
    flat = rng.normal(1, 0.02, shape) * np.linspace(0.9, 1.1, shape[1])
    electrons = rng.poisson(levels[:, None, None] * flat, (2, len(levels), *shape))
    first, second = (electrons + rng.normal(0, noise, electrons.shape)) / gain
    return first, second


def test_gain_and_read_noise_with_honest_errors() -> None:
    pulls = []
    for seed in range(60):
        curve = photon_transfer(*pairs(seed, shape=(48, 48)))
        pulls.append([(curve.gain - 2) / curve.gain_error, (curve.read_noise - 9) / curve.read_noise_error])
        assert curve.dof == 6
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.5
    assert np.std(pulls, axis=0).ravel() == pytest.approx([1, 1], abs=0.3)


def test_chi2_is_that_of_a_line() -> None:
    chi2 = [photon_transfer(*pairs(seed, shape=(48, 48))).chi2[0] for seed in range(40)]
    assert np.mean(chi2) == pytest.approx(6, abs=2)


def test_each_channel_by_itself() -> None:
    gains = np.repeat([1.0, 1.5, 2.0, 3.0], 32)
    curve = photon_transfer(*pairs(1, gain=gains), channels=4)
    assert curve.gain == pytest.approx([1, 1.5, 2, 3], rel=0.04)
    assert curve.read_noise == pytest.approx([9] * 4, rel=0.06)
    assert curve.means.shape == curve.variances.shape == (4, len(LEVELS))


def test_bad_pixels_and_cosmic_rays_do_not_matter() -> None:
    first, second = pairs(1)
    clean = photon_transfer(first, second)
    rng = np.random.default_rng(5)
    bad = rng.random(first.shape[1:]) < 0.005
    for images in (first, second):
        images[:, bad] = rng.uniform(-1e4, 6e4, images[:, bad].shape)
        images[rng.random(images.shape) < 2e-4] += 4000
        images[:, 3, 4] = np.nan
    dirty = photon_transfer(first, second)
    assert dirty.gain[0] == pytest.approx(clean.gain[0], rel=0.005)
    assert dirty.read_noise[0] == pytest.approx(clean.read_noise[0], rel=0.01)


def test_masked_pixels_are_not_looked_at() -> None:
    first, second = pairs(1)
    mask = np.zeros(first.shape[1:], dtype=bool)
    mask[:, 64:] = True
    part = photon_transfer(first[..., :64], second[..., :64])
    first[:, mask] += np.random.default_rng(1).normal(0, 30, first[:, mask].shape)
    assert photon_transfer(first, second, mask=mask).gain == pytest.approx(part.gain)


def test_a_lamp_that_drifts_within_a_pair() -> None:
    first, _ = pairs(1)
    _, second = pairs(1, levels=LEVELS * 1.03)
    curve = photon_transfer(first, second)
    assert curve.gain[0] == pytest.approx(2, rel=0.02)


def test_images_of_two_reads() -> None:
    first, second = pairs(1, noise=9 * np.sqrt(2))
    curve = photon_transfer(first, second, reads_per_image=2)
    assert curve.read_noise[0] == pytest.approx(9, rel=0.03)


def test_images_that_are_not_quite_linear() -> None:
    first, second = (images - 2e-6 * images**2 for images in pairs(1, shape=(256, 256)))
    straight = photon_transfer(first, second)
    curved = photon_transfer(first, second, quadratic=True)
    assert straight.chi2[0] > 100
    assert curved.chi2[0] < 30
    assert curved.quadratic[0] < 0
    assert curved.gain[0] == pytest.approx(2, rel=0.02)
    assert straight.quadratic.tolist() == [0]


def test_a_channel_without_light() -> None:
    first, second = pairs(1)
    rng = np.random.default_rng(7)
    for images in (first, second):
        images[..., :32] = rng.normal(0, 5, images[..., :32].shape)
    curve = photon_transfer(first, second, channels=4)
    assert np.isnan(curve.gain).tolist() == [True, False, False, False]
    assert np.isnan(curve.read_noise).tolist() == [True, False, False, False]


def test_a_channel_without_good_pixels() -> None:
    first, second = pairs(1)
    first[..., :32] = np.nan
    curve = photon_transfer(first, second, channels=4)
    assert np.isnan(curve.gain[0])
    assert np.isfinite(curve.gain[1:]).all()
    with pytest.raises(DataError, match="can't be measured"):
        photon_transfer(first[..., :32], second[..., :32])


def test_no_read_noise_at_all() -> None:
    curve = photon_transfer(*pairs(1, noise=0.0))
    assert curve.read_noise[0] < 3 * curve.read_noise_error[0] + 0.1
    assert np.isfinite(curve.read_noise_error[0])


def test_nothing_is_written_to() -> None:
    first, second = pairs(1)
    mask = np.zeros(first.shape[1:], dtype=bool)
    for array in (first, second, mask):
        array.flags.writeable = False
    photon_transfer(first, second, mask=mask)
    pixel_read_noise(first, gain=2.0)


def test_read_noise_of_pixels() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(6, 14, (60, 60))
    images = rng.normal(0, truth / 2, (40, 60, 60)) + rng.normal(0, 50, (40, 1, 1))
    noise, error = pixel_read_noise(images, gain=2.0)
    assert (noise**2 / truth**2).mean() == pytest.approx(1, abs=4 * np.sqrt(2 / 39 / noise.size))
    assert ((noise - truth) / error).std() == pytest.approx(1, abs=0.05)
    assert pixel_read_noise(images, gain=2.0, reads_per_image=2)[0] == pytest.approx(noise / np.sqrt(2))


def test_what_can_not_be_measured() -> None:
    first, second = pairs(1, shape=(32, 32))
    with pytest.raises(DataError, match="axes"):
        photon_transfer(first, second[1:])
    with pytest.raises(DataError, match="axes"):
        photon_transfer(first[0], second[0])
    with pytest.raises(DataError, match="too few"):
        photon_transfer(first[:1], second[:1])
    with pytest.raises(DataError, match="too few"):
        photon_transfer(first[:2], second[:2], quadratic=True)
    with pytest.raises(DataError, match="mask"):
        photon_transfer(first, second, mask=np.zeros((3, 3), dtype=bool))
    with pytest.raises(DataError, match="at least 3"):
        pixel_read_noise(first[:2], gain=2.0)
    with pytest.raises(DataError, match="does not grow"):
        photon_transfer(first[:1].repeat(4, axis=0), second[:1].repeat(4, axis=0))
    for wrong in ({"channels": 0}, {"channels": 33}, {"reads_per_image": 0}):
        with pytest.raises(ParameterError):
            photon_transfer(first, second, **wrong)
