"""Darks made of exposures, and what is refused for all kinds."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from making_exposures import made, write_exposures

from reduce.dq import DQ
from reduce.errors import DataError, OutputError, ParameterError
from reduce.files.reader import read_frame, read_provenance
from reduce.making.order import Description, moment
from reduce.night import Shot
from reduce.sim import Detector

DARK = Shot("DARK", "DARK", 2, 10, 30.0)
NAME = "IRIS_IMG1_DARK_20250620T010000_0.0.1.fits"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.simulated((64, 64), 3, border=0, nonlinearity=0, channel_drift=0, row_drift=0)


@pytest.fixture(scope="module")
def darks(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_exposures(tmp_path_factory.mktemp("darks"), detector, [DARK] * 6)


@pytest.fixture(scope="module")
def dark(darks: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    (written,) = made("dark", darks, tmp_path_factory.mktemp("dark"))
    return written.path


def test_dark_is_the_truth_within_its_errors(detector: Detector, dark: Path) -> None:
    frame = read_frame(dark)
    good = (frame.dq & DQ.DO_NOT_USE) == 0

    pull = ((frame.sci - detector.dark) / frame.err)[good]

    assert good.mean() > 0.98
    assert abs(pull.mean()) < 4 / np.sqrt(pull.size)
    assert 0.94 < pull.std() < 1.06


def test_bright_pixels_are_flagged(detector: Detector, dark: Path) -> None:
    dq = read_frame(dark).dq

    assert detector.hot.sum() > 5
    assert ((dq & (DQ.HOT | DQ.WARM)) != 0)[detector.hot].all()
    assert ((dq & DQ.HOT) != 0)[detector.dark > 10].all()
    assert ((dq & (DQ.HOT | DQ.WARM)) != 0)[~detector.hot].mean() < 0.003


def test_header_says_what_it_is_for(dark: Path, darks: list[Path]) -> None:
    header = fits.getheader(dark)

    assert dark.name == NAME
    assert {key: header[key] for key in ("REFTYPE", "DATAMODL", "INSTERA", "READMODE", "SUBARRAY")} == {
        "REFTYPE": "DARK",
        "DATAMODL": "DarkModel",
        "INSTERA": "0.1.0",
        "READMODE": "DEFAULT",
        "SUBARRAY": "FULL",
    }
    assert (header["USEAFTER"], header["REFVER"]) == ("2025-06-20T01:00:00", "0.0.1")
    assert header["DESCRIP"] == "Dark of IRIS IMG1 from 6 dark exposures"
    assert header["NINPUT"] == len(darks)
    assert not {"IMTYPE", "OBJECT", "EXPDTST", "FILTER"} & set(header)


def test_tables_say_what_it_was_made_from(dark: Path, darks: list[Path]) -> None:
    provenance = read_provenance(dark)
    table = fits.getdata(dark, "EXPOSURES")

    assert [one.path for one in provenance.inputs] == [str(path) for path in darks]
    assert {one.role for one in provenance.inputs} == {"dark"}
    assert all(len(one.sha256) == 64 for one in provenance.inputs)
    steps = {step.step: step for step in provenance.steps}
    assert steps["dq_init"].status == "SKIPPED"
    assert steps["gain_scale"].parameters["gain"] == "2.0"
    assert steps["combine_frames"].parameters["method"] == "mean"
    assert steps["make_dark"].parameters["hot"] == "50.0"
    assert list(table["FILE"]) == [path.name for path in darks]


def test_same_exposures_give_the_same_bytes(darks: list[Path], dark: Path, tmp_path: Path) -> None:
    (again,) = made("dark", darks[::-1], tmp_path)

    assert again.path.read_bytes() == dark.read_bytes()
    assert list(tmp_path.iterdir()) == [again.path]


def test_reduced_exposures_are_taken_as_they_are(darks: list[Path], dark: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from making_exposures import MISSING, SETTINGS

    from reduce.files.writer import write_frame
    from reduce.recipe import Level
    from reduce.references import NoReferences
    from reduce.session import Request, opened, planned, reduced
    from reduce.settings import Settings, command_line

    settings = Settings((command_line(SETTINGS),))
    request = Request(NoReferences(), last=Level.L1, settings=settings, allowed=MISSING)
    rates = []
    for path in darks:
        data = opened(path)
        rate = reduced(data, planned(data, path, request), request)
        rates.append(tmp_path / path.name.replace("LVL0", "LVL1"))
        write_frame(replace(rate, planes={}), rates[-1])

    (written,) = made("dark", rates, tmp_path)

    assert np.array_equal(fits.getdata(written.path, "SCI"), fits.getdata(dark, "SCI"))
    assert [one.path for one in written.provenance.inputs] == [str(path) for path in rates]
    assert "ramp_fit" in [step.step for step in written.provenance.steps]


@pytest.mark.parametrize("number", [1, 2])
def test_few_exposures_are_told(darks: list[Path], number: int, tmp_path: Path) -> None:
    (written,) = made("dark", darks[:number], tmp_path)

    assert any("outliers are not left out" in note for note in written.notes)
    assert "outliers are not left out" in str(fits.getheader(written.path)["HISTORY"]).replace("\n", "")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("DETECTOR", "IMG2"), ("READMODE", "MCDS"), ("INSTERA", "0.2.0"), ("SUBSTRT1", 5)],
)
def test_exposures_have_to_be_alike(darks: list[Path], keyword: str, value: object, tmp_path: Path) -> None:
    other = tmp_path / "other.fits"
    with fits.open(darks[1]) as file:
        file[0].header[keyword] = value
        file.writeto(other)

    with pytest.raises(DataError, match=f"other.fits has {keyword}='{value}'") as caught:
        made("dark", [darks[0], other], tmp_path / "out")

    assert not (tmp_path / "out").exists()
    assert keyword in str(caught.value.hint)


def test_exposures_that_are_known_to_be_bad_are_left_out(darks: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other.fits"
    with fits.open(darks[1]) as file:
        file[0].header["DATAQUAL"] = "BAD"
        file.writeto(other, checksum=True)

    with pytest.raises(DataError, match=r"other\.fits has DATAQUAL='BAD'"):
        made("dark", [darks[0], other], tmp_path / "out")
    (written,) = made("dark", [darks[0], other], tmp_path / "out", named=False)

    assert written.sources == (darks[0],)


def test_shapes_have_to_be_alike(darks: list[Path], tmp_path: Path) -> None:
    (small,) = write_exposures(tmp_path, Detector.simulated((32, 64), 1, border=0), [DARK])

    with pytest.raises(DataError, match="has 32 rows and 64 columns"):
        made("dark", [darks[0], small], tmp_path / "out")


def test_a_copy_is_no_second_exposure(darks: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.fits"
    copy.write_bytes(darks[0].read_bytes())

    with pytest.raises(DataError, match="is a copy of"):
        made("dark", [darks[0], copy], tmp_path / "out")


def test_other_kinds_are_refused_or_left_out(darks: list[Path], detector: Detector, tmp_path: Path) -> None:
    (flat,) = write_exposures(tmp_path, detector, [Shot("FLAT", "FLAT", 3, 4, 5.0, 100.0)])

    with pytest.raises(DataError, match="has IMTYPE='FLAT'"):
        made("dark", [*darks, flat], tmp_path / "out")
    (written,) = made("dark", [*darks[:3], flat], tmp_path / "out", named=False)

    assert written.notes == ("1 file of other kinds left out",)
    assert len(written.sources) == 3


def test_a_reference_is_no_exposure(dark: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a reference file of type DARK"):
        made("dark", [dark], tmp_path)


def test_nothing_is_overwritten(darks: list[Path], tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("mine")

    with pytest.raises(OutputError, match="exists"):
        made("dark", darks, tmp_path)

    assert (tmp_path / NAME).read_text() == "mine"


def test_a_description_is_taken(darks: list[Path], tmp_path: Path) -> None:
    description = Description(moment("2025-07-01"), "1.2.3", "Ada", "A dark")
    (written,) = made("dark", darks[:1], tmp_path, description=description)
    header = fits.getheader(written.path)

    assert written.path.name == "IRIS_IMG1_DARK_20250701T000000_1.2.3.fits"
    assert [header[key] for key in ("USEAFTER", "REFVER", "AUTHOR", "DESCRIP")] == [
        "2025-07-01T00:00:00",
        "1.2.3",
        "Ada",
        "A dark",
    ]


def test_no_date_is_made_up(darks: list[Path], tmp_path: Path) -> None:
    undated = tmp_path / "undated.fits"
    with fits.open(darks[0]) as file:
        for keyword in ("EXPDTST", "EXPJDST"):
            del file[0].header[keyword]
        file.writeto(undated)

    with pytest.raises(DataError, match=r"undated\.fits") as caught:
        made("dark", [undated], tmp_path / "out")
    (written,) = made("dark", [undated], tmp_path, description=Description(datetime(2025, 1, 1)))

    assert "--useafter" in str(caught.value.hint)
    assert written.path.name == "IRIS_IMG1_DARK_20250101T000000_0.0.1.fits"


def test_pedigree_of_simulations(detector: Detector, tmp_path: Path) -> None:
    (laboratory,) = write_exposures(tmp_path / "lab", detector, [DARK], PEDIGREE="GROUND")
    (simulated,) = write_exposures(tmp_path / "sim", detector, [DARK], seed=2, PEDIGREE="SIMULATION")

    (real,) = made("dark", [laboratory], tmp_path / "a")
    (false,) = made("dark", [laboratory, simulated], tmp_path / "b")

    assert fits.getheader(real.path)["PEDIGREE"] == "GROUND"
    assert fits.getheader(false.path)["PEDIGREE"] == "SIMULATION"


@pytest.mark.parametrize("text", ["tomorrow", "2025-02-30", ""])
def test_dates_are_dates(text: str) -> None:
    with pytest.raises(ParameterError, match="is no date"):
        moment(text)


def test_wishes_that_are_not_allowed(darks: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="version"):
        Description(version="1")
    with pytest.raises(ParameterError, match=r"there is no parameter 'make\.hott'"):
        made("dark", darks, tmp_path, hott=3)
    with pytest.raises(ParameterError, match="no kind of reference 'darks'"):
        made("darks", darks, tmp_path)
