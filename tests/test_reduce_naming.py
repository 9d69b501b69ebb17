from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reduce.errors import DataError
from reduce.naming import CalibrationName, Pointing, ScienceName, parse_name, semester

FULL = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"

letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
targets = st.text("ABCxyz019+-._ ", min_size=1, max_size=20)
pointings = st.builds(
    Pointing, targets, st.text("YJHKz_+.", min_size=1, max_size=9), st.sampled_from(["4.0", "10.0", "25"])
)
science_names = st.builds(
    ScienceName,
    semester=st.builds("{:04d}{}".format, st.integers(0, 9999), st.sampled_from("AB")),
    program=letters,
    observation=letters,
    instrument=st.sampled_from(["IRIS", "Liger"]),
    detector=st.sampled_from(["IMG", "IMG1", "IFU"]),
    kind=letters,
    pointing=st.none() | pointings,
    level=st.integers(0, 9),
    exposure=st.integers(0, 123456),
    subarray=st.none() | st.integers(0, 99),
)
calibration_names = st.builds(
    CalibrationName,
    instrument=st.sampled_from(["IRIS", "Liger"]),
    detector=st.sampled_from(["IMG", "IMG1", "IFU"]),
    reftype=st.sampled_from(["DARK", "NONLINCOEFF"]),
    when=st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda when: when.replace(microsecond=0)),
    version=st.builds("{}.{}.{}".format, *[st.integers(0, 99)] * 3),
    separator=st.sampled_from(["T", ""]),
)


@settings(deadline=None)
@given(science_names | calibration_names)
def test_a_name_comes_back_from_its_parts(name):
    assert parse_name(str(name)) == name


def test_the_names_of_all_exposures_and_references_come_back(repo_root):
    files = [*(repo_root / "exposures").glob("*.fits"), *(repo_root / "references").rglob("*.fits")]

    assert len(files) > 40
    assert [str(parse_name(path.name)) for path in files] == [path.name for path in files]


def test_the_parts_of_a_science_name():
    name = parse_name(FULL)

    assert name == ScienceName(
        *("2024B", "P123", "008", "IRIS", "IMG1", "SCI"), Pointing("J1458+1013", "Y", "4.0"), 1, 1, 0
    )


@pytest.mark.parametrize(
    "target", ["J1458+1013", "NGC-1068", "a-b-c", "HD_1_2", "M.31", "x_LVL1_0001", "IRIS_IMG1_SCI-Y"]
)
def test_targets_are_told_from_the_right(target):
    name = parse_name(FULL.replace("J1458+1013", target))

    assert name.pointing == Pointing(target, "Y", "4.0")


@pytest.mark.parametrize(
    ("name", "subarray"), [(FULL, 0), (FULL.replace("-00.", "."), None), (FULL.replace("-00.", "-03."), 3)]
)
def test_the_number_of_the_subarray_may_be_missing(name, subarray):
    assert parse_name(name).subarray == subarray
    assert str(parse_name(name)) == name


def test_names_without_a_target_are_read():
    name = parse_name("2025A-U045-001_Liger_IMG_SKY_LVL0_0007.fits")

    assert (name.kind, name.pointing, name.level, name.exposure) == ("SKY", None, 0, 7)


@pytest.mark.parametrize("moment", ["20240924T123456", "20240924123456"])
def test_both_spellings_of_a_date_are_read(moment):
    name = parse_name(f"Liger_IMG_DARK_{moment}_0.0.1.fits")

    assert name.when == datetime(2024, 9, 24, 12, 34, 56)
    assert str(name) == f"Liger_IMG_DARK_{moment}_0.0.1.fits"


@pytest.mark.parametrize(
    "name",
    ["", "x.fits", FULL.removesuffix(".fits"), "a/" + FULL, FULL + "\n", FULL.replace("2024B", "2024C"),
     "IRIS_IMG1_DARK_20240231T000000_0.0.1.fits", "IRIS_IMG1_DARK_20240924T000000_1.fits"],
)  # fmt: skip
def test_other_names_are_refused(name):
    with pytest.raises(DataError, match="the name"):
        parse_name(name)


@pytest.mark.parametrize(
    "change",
    [{"program": "P-1"}, {"instrument": "IR_IS"}, {"detector": "SLC/LEN"},
     {"pointing": Pointing("M92", "K-x", "4.0")}, {"pointing": Pointing("", "K", "4.0")},
     {"level": 12}, {"subarray": 100}],
)  # fmt: skip
def test_parts_that_would_not_come_back_are_refused(change):
    parts = {
        "semester": "2024B",
        "program": "P1",
        "observation": "1",
        "instrument": "IRIS",
        "detector": "IMG1",
    }
    with pytest.raises(DataError):
        ScienceName(**{**parts, "kind": "SCI", "pointing": None, "level": 1, "exposure": 1, **change})


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2025, 1, 1), "2024B"), (date(2025, 1, 31), "2024B"), (date(2025, 2, 1), "2025A"),
        (date(2025, 7, 31), "2025A"), (date(2025, 8, 1), "2025B"), (date(2025, 12, 31), "2025B"),
    ],
)  # fmt: skip
def test_semesters(day, name):
    assert semester(day) == name
