"""Biases, maps of bad pixels, linearity corrections, gains and skies made of exposures."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from making_exposures import made, write_exposures
from reduce_files import header, ramp, write

from reduce.dq import DQ
from reduce.errors import DataError, MissingReferenceError
from reduce.files.writer import write_ramp
from reduce.kernels.linearity import nonlinear
from reduce.making.badpix import explained
from reduce.making.linearity import LinearityMaking, _known
from reduce.making.order import Order
from reduce.night import Shot
from reduce.pipeline import Unwatched
from reduce.references import NoReferences, Overrides
from reduce.session import Request
from reduce.sim import Detector

BIAS = Shot("BIAS", "BIAS", 1, 1, 1.44)
DARK = Shot("DARK", "DARK", 2, 8, 10.0)
LAMP = Shot("FLAT", "FLAT", 3, 8, 4.0, 800.0)
RAMP = Shot("FLAT", "RAMPS", 5, 24, 5.0, 1100.0)
PAIRS = [Shot("FLAT", "PAIRS", 4, 2, 5.0, level) for level in (20, 100, 500, 2000, 5000, 8000) for _ in "ab"]
BORDER = 4


@pytest.fixture(scope="module")
def detector() -> Detector:
    """With reference pixels, drifts, nonlinearity, hot and dead pixels."""
    return Detector.simulated((64, 64), 5, dead=0.003, border=BORDER)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("detector")


@pytest.fixture(scope="module")
def bias(detector: Detector, folder: Path) -> Path:
    paths = write_exposures(folder / "bias", detector, [BIAS] * 9)
    return made("bias", paths, folder, border=BORDER)[0].path


@pytest.fixture(scope="module")
def badpix(detector: Detector, bias: Path, folder: Path) -> Path:
    paths = write_exposures(folder / "badpix", detector, [DARK] * 5 + [LAMP] * 3, seed=2)
    return made("badpix", paths, folder, {"bias": bias}, border=BORDER)[0].path


@pytest.fixture(scope="module")
def linearity(detector: Detector, bias: Path, badpix: Path, folder: Path) -> tuple[Path, Path]:
    paths = write_exposures(folder / "ramps", detector, [RAMP] * 5, seed=3)
    given = {"bias": bias, "dq": badpix}
    first, second = made("linearity", paths, folder, given, gain=2.0)
    return first.path, second.path


@pytest.fixture(scope="module")
def pairs(detector: Detector, folder: Path) -> list[Path]:
    return write_exposures(folder / "pairs", detector, [*PAIRS, DARK, DARK, DARK], seed=4)


def test_bias_is_the_truth_within_its_errors(detector: Detector, bias: Path) -> None:
    image, error = fits.getdata(bias, "SCI"), fits.getdata(bias, "ERR")
    pull = (image - detector.bias) / error
    for parity in (0, 1):
        # All columns of a parity share the drift of the reference pixels.
        pull[:, parity::2] -= np.median(pull[:, parity::2][detector.light[:, parity::2]])

    expected = np.hypot(detector.ktc, 9) / 2
    assert fits.getheader(bias)["NOISE"] == pytest.approx(expected, rel=0.05)
    assert np.median(error) == pytest.approx(expected / 3, rel=0.06)
    assert 0.93 < pull[detector.light].std() < 1.12
    assert fits.getheader(bias, "SCI")["BUNIT"] == "DN"


def test_bias_of_all_reads(detector: Detector, tmp_path: Path) -> None:
    paths = write_exposures(tmp_path, detector, [Shot("BIAS", "BIAS", 1, 4, 1.0)] * 3)

    (written,) = made("bias", paths, tmp_path / "out", reads="all")

    offset = (fits.getdata(written.path, "SCI") - detector.bias)[detector.light]
    assert abs(np.median(offset)) < 5


def test_bias_of_one_exposure_has_no_error(detector: Detector, tmp_path: Path) -> None:
    paths = write_exposures(tmp_path, detector, [BIAS])

    (written,) = made("bias", paths, tmp_path / "out")

    assert any("error is not known" in note for note in written.notes)
    assert not fits.getdata(written.path, "ERR").any()


def test_bad_pixels_are_found(detector: Detector, badpix: Path) -> None:
    dq = fits.getdata(badpix, "DQ")
    light = detector.light

    assert badpix.name.split("_")[2] == "DQ"
    assert ((dq & (DQ.HOT | DQ.WARM)) != 0)[detector.hot].all()
    assert ((dq & DQ.DEAD) != 0)[detector.dead].all()
    assert ((dq & DQ.DO_NOT_USE) != 0)[light & ~detector.hot & ~detector.dead].mean() < 0.005
    assert ((dq & DQ.REFERENCE_PIXEL) != 0)[~light].all()
    assert ((dq & DQ.DO_NOT_USE) == 0)[~light].all()
    assert ((dq & DQ.REFERENCE_PIXEL) == 0)[light].all()


def test_map_serves_all_subarrays_and_keeps_to_what_lasts(badpix: Path) -> None:
    dq, header = fits.getdata(badpix, "DQ"), fits.getheader(badpix)

    assert header["SUBARRAY"] == "GENERIC"
    assert header["NBAD"] == np.count_nonzero(dq & DQ.DO_NOT_USE)
    assert not (dq & np.uint32(DQ.JUMP_DET | DQ.SATURATED | DQ.OUTLIER)).any()
    assert len(fits.getdata(badpix, "DQ_DEF")) == 32


def test_old_maps_tell_the_border_alone(
    detector: Detector, badpix: Path, bias: Path, folder: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.fits"
    with fits.open(badpix) as file:
        file["DQ"].data[20:30, 20:30] |= np.uint32(DQ.HOT | DQ.DO_NOT_USE)
        file.writeto(old, checksum=True)

    paths = sorted((folder / "badpix").iterdir())
    (written,) = made("badpix", paths, tmp_path / "out", {"bias": bias, "dq": old})

    assert np.array_equal(fits.getdata(written.path, "DQ"), fits.getdata(badpix, "DQ"))


def test_darks_alone_make_a_map(folder: Path, badpix: Path, tmp_path: Path) -> None:
    darks = sorted((folder / "badpix").glob("*DARK*"))

    (written,) = made("badpix", darks, tmp_path, border=BORDER)

    assert "there are no flats: dead and inefficient pixels are not known" in written.notes
    assert not (fits.getdata(written.path, "DQ") & DQ.DEAD).any()


def test_linearity_straightens_the_detector(detector: Detector, linearity: tuple[Path, Path]) -> None:
    coefficients = fits.getdata(linearity[0], "COEFFS").astype(float)
    good = detector.light & (fits.getdata(linearity[0], "DQ") == 0)

    assert good[detector.light & ~detector.dead & ~detector.hot].mean() > 0.95
    assert coefficients.shape == (*detector.shape, 4)
    for level in (5000.0, 20000.0, 40000.0):
        raw = nonlinear(np.full(detector.shape, level), detector.coefficients)
        corrected = sum(coefficients[..., power] * raw**power for power in range(4))
        residual = (corrected / level - 1)[good]
        assert abs(np.median(residual)) < 0.001
        assert residual.std() < 0.01


def test_saturation_is_where_it_is(detector: Detector, linearity: tuple[Path, Path]) -> None:
    level, dq = fits.getdata(linearity[1], "SCI"), fits.getdata(linearity[1], "DQ")
    seen = detector.light & (dq == 0)

    ratio = (level / detector.saturation)[seen]

    assert seen[detector.light].mean() > 0.8
    assert 0.98 < np.median(ratio) < 1
    assert ratio.std() < 0.005
    assert linearity[1].name.split("_")[2] == "SATURATION"


def test_linearity_needs_a_bias(folder: Path, linearity: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(MissingReferenceError, match="there is no bias"):
        made("linearity", sorted((folder / "ramps").iterdir()), tmp_path)


def test_saturation_that_is_given_is_not_made(
    folder: Path, bias: Path, badpix: Path, linearity: tuple[Path, Path], tmp_path: Path
) -> None:
    given = {"bias": bias, "dq": badpix, "saturation": linearity[1]}

    written = made("linearity", sorted((folder / "ramps").iterdir())[:3], tmp_path, given, gain=2.0)

    assert [each.reftype for each in written] == ["nonlincoeff"]


def test_ramps_have_to_be_read_alike(detector: Detector, bias: Path, tmp_path: Path) -> None:
    paths = write_exposures(tmp_path, detector, [RAMP, Shot("FLAT", "RAMPS", 5, 24, 4.0, 1100.0)])

    with pytest.raises(DataError, match="was not read at the times"):
        made("linearity", paths, tmp_path / "out", {"bias": bias})


def test_gain_and_read_noise(tmp_path: Path) -> None:
    quiet = Detector.simulated((96, 96), 8, nonlinearity=0, channel_drift=0, row_drift=0, border=0)
    paths = write_exposures(tmp_path, quiet, [*PAIRS, DARK, DARK, DARK], seed=4)

    gain, noise = made("gain", paths, tmp_path / "out")

    value, error = (fits.getdata(gain.path, name)[32, 32] for name in ("SCI", "ERR"))
    assert value == pytest.approx(2.0, rel=0.02)
    assert abs(value - 2.0) < 4 * error
    assert fits.getheader(gain.path, "SCI")["BUNIT"] == "electron / DN"
    assert fits.getdata(noise.path, "SCI")[32, 32] == pytest.approx(np.hypot(9, 2 / np.sqrt(12)), rel=0.03)
    assert "1 without a partner of the same level left out" in gain.notes
    assert (gain.reftype, noise.reftype) == ("gain", "readnoise")


def test_gain_of_corrected_reads(
    pairs: list[Path], bias: Path, badpix: Path, linearity: tuple[Path, Path], tmp_path: Path
) -> None:
    given = {"bias": bias, "dq": badpix, "nonlincoeff": linearity[0]}

    gain, _ = made("gain", pairs, tmp_path, given)

    value, error = (fits.getdata(gain.path, name)[32, 32] for name in ("SCI", "ERR"))
    assert abs(value - 2.0) < 4 * error
    steps = {step.step: step.status for step in gain.provenance.steps}
    assert {steps[name] for name in ("dq_init", "refpix", "bias", "nonlin_corr")} == {"COMPLETE"}


def test_read_noise_of_each_pixel(detector: Detector, pairs: list[Path], tmp_path: Path) -> None:
    _, noise = made("gain", pairs, tmp_path, readnoise="pixel")

    image, error = fits.getdata(noise.path, "SCI"), fits.getdata(noise.path, "ERR")
    assert np.sqrt(np.mean(image[detector.light] ** 2)) == pytest.approx(9.5, rel=0.15)
    assert error[32, 32] == pytest.approx(image[32, 32] / 2)


def test_channels_have_gains_of_their_own(tmp_path: Path) -> None:
    gain = np.where(np.arange(64) < 32, 2.0, 3.0) * np.ones((64, 1))
    detector = Detector.simulated((64, 64), 6, nonlinearity=0, channel_drift=0, row_drift=0, border=0)
    from dataclasses import replace

    paths = write_exposures(tmp_path, replace(detector, gain=gain), PAIRS, seed=5)

    image = fits.getdata(made("gain", paths, tmp_path / "out", channels=2)[0].path, "SCI")

    assert image[0, 0] == pytest.approx(2.0, rel=0.05)
    assert image[0, -1] == pytest.approx(3.0, rel=0.05)
    assert len(np.unique(image)) == 2


def test_gain_takes_pairs_of_several_reads(detector: Detector, pairs: list[Path], tmp_path: Path) -> None:
    (single,) = write_exposures(tmp_path, detector, [BIAS])

    with pytest.raises(DataError, match="is too few"):
        made("gain", pairs[:2], tmp_path / "out")
    with pytest.raises(DataError, match="has one read"):
        made("gain", [single], tmp_path / "out")


def test_products_have_no_reads(tmp_path: Path, detector: Detector) -> None:
    from reduce_files import frame, header

    from reduce.files.writer import write_frame

    write_frame(frame(header=header(IMTYPE="BIAS")), tmp_path / "frame.fits")

    with pytest.raises(DataError, match=r"frame\.fits has no reads"):
        made("bias", [tmp_path / "frame.fits"], tmp_path / "out")


def test_sky_per_unit_of_its_level(tmp_path: Path) -> None:
    detector = Detector.simulated((96, 96), 7, border=0, nonlinearity=0, channel_drift=0, row_drift=0)
    shots = [Shot("SKY", "BLANK", 8, 8, 20.0, level) for level in (20.0, 24.0, 18.0, 22.0)]
    paths = write_exposures(tmp_path, detector, shots)

    (written,) = made("sky", paths, tmp_path / "out")

    image, dq = fits.getdata(written.path, "SCI"), fits.getdata(written.path, "DQ")
    good = dq == 0
    assert image[good].mean() == pytest.approx(1, abs=0.01)
    assert fits.getheader(written.path)["SKYLEVEL"] == pytest.approx(21.0, rel=0.05)
    assert written.path.name.split("_")[2] == "SKY"


def test_files_that_belong_together_are_written_together(
    pairs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reduce.errors import OutputError
    from reduce.making import maker

    def full(kind: str, path: Path, **given: object) -> None:
        if kind == "readnoise":
            raise OutputError("the disk is full")
        write(kind, path, **given)

    write = maker.write_reference
    monkeypatch.setattr(maker, "write_reference", full)

    with pytest.raises(OutputError, match="the disk is full"):
        made("gain", pairs, tmp_path)

    assert not list(tmp_path.iterdir())


def test_biases_without_noise_are_as_uncertain_as_rounded_counts(tmp_path: Path) -> None:
    paths = []
    for number in range(4):
        about = header(IMTYPE="BIAS", EXPDTST=f"2025060109000{number}", DATAMODL="RampModel")
        bias = ramp(
            (12, 10, 1, 2), reads=np.full((12, 10, 1, 2), 1000, np.uint16), groupdq=None, header=about,
            pixeldq=np.zeros((12, 10), np.uint32),
        )  # fmt: skip
        paths.append(tmp_path / f"{number}.fits")
        write_ramp(bias, paths[-1])

    (written,) = made("bias", paths, tmp_path / "out")

    assert (fits.getdata(written.path, "SCI") == 1000).all()
    np.testing.assert_allclose(fits.getdata(written.path, "ERR"), np.sqrt(1 / 12 / 4), rtol=1e-5)
    assert not (fits.getdata(written.path, "DQ") & DQ.DO_NOT_USE).any()


def test_levels_of_saturation_that_are_given_are_taken_above_the_bias(tmp_path: Path) -> None:
    """Counts above them are left out of the fit, so they have to be of the same zero point."""
    paths = {}
    for reftype, value in (("bias", 1000), ("saturation", 31000)):
        paths[reftype] = write(tmp_path / f"{reftype}.fits", ("SCI", np.full((6, 5), value, np.float32)))
    order = Order(Request(Overrides(paths, NoReferences())), None, tmp_path, lambda _: Unwatched())

    known = _known(ramp(), order, LinearityMaking())

    assert (known.saturation == 30000).all()
    assert (known.bias == 1000).all()


def test_a_pixel_that_is_bad_for_a_reason_that_does_not_last_is_bad_for_another_one() -> None:
    bad, border = DQ.DO_NOT_USE, DQ.REFERENCE_PIXEL
    broken, other = bad | border | DQ.BAD_REF_PIXEL, bad | DQ.OTHER_BAD_PIXEL
    flags = [0, bad, bad | DQ.JUMP_DET, bad | DQ.HOT, bad | DQ.NON_SCIENCE | border, broken]

    found = explained(np.array(flags, np.uint32))

    assert found.tolist() == [0, other, other, bad | DQ.HOT, border, broken]
