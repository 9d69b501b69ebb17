"""Flats made of exposures of a lamp."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from making_exposures import made, write_exposures
from reduce_files import frame

from reduce.dq import DQ
from reduce.errors import DataError
from reduce.files.reader import read_frame
from reduce.making.flat import FlatMaking, flat_flags
from reduce.night import Shot
from reduce.sim import Detector

LEVELS = (400.0, 500.0, 800.0, 600.0, 450.0)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.simulated(
        (64, 64), 4, border=0, nonlinearity=0, channel_drift=0, row_drift=0, hot=0.002, dead=0.004
    )


@pytest.fixture(scope="module")
def lamp(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    shots = [Shot("FLAT", "FLAT", 3, 8, 4.0, level) for level in LEVELS]
    return write_exposures(tmp_path_factory.mktemp("lamp"), detector, shots)


@pytest.fixture(scope="module")
def dark(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dark")
    paths = write_exposures(folder, detector, [Shot("DARK", "DARK", 2, 8, 4.0)] * 3, seed=2)
    return made("dark", paths, folder)[0].path


@pytest.fixture(scope="module")
def flat(lamp: list[Path], dark: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("flat", lamp, tmp_path_factory.mktemp("flat"), {"dark": dark})[0].path


def test_flat_is_the_truth_within_its_errors(detector: Detector, flat: Path) -> None:
    frame = read_frame(flat)
    good = (frame.dq & DQ.DO_NOT_USE) == 0

    truth = detector.flat / np.median(detector.flat[good])
    pull = ((frame.sci - truth) / frame.err)[good]

    assert good.mean() > 0.98
    assert np.median(frame.sci[good]) == pytest.approx(1, abs=1e-3)
    assert abs(pull.mean()) < 0.1
    assert 0.95 < pull.std() < 1.05


def test_dead_pixels_have_no_flat(detector: Detector, flat: Path) -> None:
    frame = read_frame(flat)
    wanted = DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE

    assert detector.dead.sum() > 5
    assert ((frame.dq & wanted) == wanted)[detector.dead].all()
    assert ((frame.dq & DQ.NO_FLAT_FIELD) != 0)[~detector.dead & ~detector.hot].sum() == 0
    assert np.isfinite(frame.sci).all()
    assert np.isfinite(frame.err).all()


def test_levels_of_the_lamp_are_told(flat: Path) -> None:
    table = fits.getdata(flat, "EXPOSURES")

    assert table["LEVEL"] == pytest.approx(LEVELS, rel=0.02)
    assert table["LEVEL"] * table["SCALE"] == pytest.approx(np.ones(len(LEVELS)))
    assert fits.getheader(flat)["LAMPLEV"] == pytest.approx(np.mean(LEVELS), rel=0.02)


def test_error_of_the_dark_is_not_averaged_down(lamp: list[Path], dark: Path, tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.fits"
    with fits.open(dark) as file:
        file["ERR"].data[:] = 20.0
        file["DQ"].data[:] = 0
        file.writeto(noisy, checksum=True)

    errors = []
    for number in (1, 2, 4):
        (written,) = made("flat", lamp[:number], tmp_path / str(number), {"dark": noisy})
        errors.append(np.median(fits.getdata(written.path, "ERR")))

    levels = [np.mean([1 / level for level in LEVELS[:number]]) for number in (1, 2, 4)]
    assert errors == pytest.approx([20 * level for level in levels], rel=0.05)


def test_exposures_without_light_are_refused(detector: Detector, lamp: list[Path], tmp_path: Path) -> None:
    (off,) = write_exposures(tmp_path, detector, [Shot("FLAT", "FLAT", 3, 8, 4.0, 0.0)], seed=9)

    with pytest.raises(DataError, match="has no light"):
        made("flat", [*lamp[:2], off], tmp_path / "out")

    assert not list((tmp_path / "out").iterdir())


def test_filters_have_to_be_alike(lamp: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other.fits"
    with fits.open(lamp[0]) as file:
        file[0].header["FILTER"] = "H"
        file.writeto(other)

    with pytest.raises(DataError, match=r"FILTER='H', and .* has 'K'|FILTER='K', and .* has 'H'"):
        made("flat", [other, lamp[1]], tmp_path / "out")


def test_pixels_with_a_large_error_are_unreliable_and_blind_ones_have_no_flat() -> None:
    values = np.ones((20, 20), np.float32)
    values[3, 3] = -0.5
    variance = np.full((20, 20), 0.01**2, np.float32)
    variance[5, 6], variance[7, 8] = 0.3**2, 0.15**2
    light = frame(
        (20, 20), sci=values, variances={"OTHER": variance}, dq=np.zeros((20, 20), np.uint32), planes={}
    )

    strict, lenient = (flat_flags(light, FlatMaking(unreliable=limit, box=20)) for limit in (0.1, 0.2))

    assert np.argwhere(strict & DQ.UNRELIABLE_FLAT).tolist() == [[5, 6], [7, 8]]
    assert np.argwhere(lenient & DQ.UNRELIABLE_FLAT).tolist() == [[5, 6]]
    assert strict[3, 3] & np.uint32(DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE) == DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE
