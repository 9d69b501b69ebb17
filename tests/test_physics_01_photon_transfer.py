"""Physics test 1: pairs of flats at 12 levels give the gain to 1 % and the read noise to 3 %."""

import numpy as np
import pytest

from reduce.kernels.photon_transfer import PhotonTransfer, photon_transfer
from reduce.sim import Detector, expose, read_times

GAIN, READ_NOISE = 2.0, 9.0
LEVELS = np.concatenate([[0.0], np.geomspace(200, 40000, 11)])


@pytest.fixture(scope="module")
def curve() -> PhotonTransfer:
    detector = Detector.simulated(
        (128, 128), 1, gain=GAIN, read_noise=READ_NOISE, nonlinearity=0, channel_drift=0, row_drift=0
    )
    times = read_times(1, 2, 10.0)
    images = np.empty((2, len(LEVELS), *detector.shape))
    for level, electrons in enumerate(LEVELS):
        for member in range(2):
            reads = expose(detector, electrons / 10, times, seed=2 * level + member).reads[:, :, 0]
            images[member, level] = reads[..., 1].astype(float) - reads[..., 0]
    return photon_transfer(*images, mask=~detector.light, reads_per_image=2)


def test_gain(curve: PhotonTransfer) -> None:
    assert curve.gain[0] == pytest.approx(GAIN, rel=0.01)
    assert abs(curve.gain[0] - GAIN) < 4 * curve.gain_error[0]


def test_read_noise(curve: PhotonTransfer) -> None:
    with_rounding = np.hypot(READ_NOISE, GAIN / np.sqrt(12))
    assert curve.read_noise[0] == pytest.approx(READ_NOISE, rel=0.03)
    assert abs(curve.read_noise[0] - with_rounding) < 4 * curve.read_noise_error[0]


def test_the_variance_grows_with_the_mean_by_one_over_the_gain(curve: PhotonTransfer) -> None:
    means, variances = curve.means[0], curve.variances[0]
    assert means == pytest.approx(LEVELS / GAIN, rel=0.05, abs=1)
    slope = np.polyfit(means, variances, 1, w=1 / curve.variance_errors[0])[0]
    assert slope == pytest.approx(1 / GAIN, rel=0.01)
    bright = means > 5000
    floor = 2 * (READ_NOISE / GAIN) ** 2
    assert ((variances - floor) / means)[bright] == pytest.approx(1 / GAIN, rel=0.05)
    assert curve.chi2[0] < curve.dof + 4 * np.sqrt(2 * curve.dof)
