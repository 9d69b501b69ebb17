"""References of the full detector or of a part of it, for exposures of either."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reduce_files import header, ramp

from reduce import pipeline
from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.files.reader import open_any
from reduce.files.writer import write_ramp, write_reference
from reduce.frame import Frame
from reduce.library import Library
from reduce.pipeline import Task, run
from reduce.references import NoReferences, Overrides
from reduce.step import NoParameters
from reduce.steps import STEPS
from reduce.windows import Region, region

DETECTOR = (40, 30)
PART = {"SUBARRAY": "CUSTOM", "SUBSTRT1": 6, "SUBSTRT2": 11}
OLDER = {"SARRMODE": "SUB_ARRAY", "XSTART": 6, "YSTART": 11}
ROWS, COLUMNS = slice(10, 33), slice(5, 17)
LARGER = {"SUBARRAY": "CUSTOM", "SUBSTRT1": 4, "SUBSTRT2": 6}
"""Of the references that are of another part, in which that of the exposure is."""
UNITS = {
    "bias": "DN",
    "saturation": "DN",
    "readnoise": "electron",
    "gain": "electron / DN",
    "dark": "electron / s",
}
STEPS_ON_READS = ("dq_init", "saturation", "bias", "nonlin_corr", "gain_scale", "ramp_fit")


def images():
    """What is in reference files of the full detector, different in each pixel."""
    rng = np.random.default_rng(3)
    even = {name: rng.uniform(low, high, DETECTOR).astype(np.float32) for name, low, high in (
        ("bias", 900, 1100), ("gain", 1.5, 2.5), ("readnoise", 5, 15), ("saturation", 20000, 40000),
        ("dark", 0.1, 2), ("flat", 0.8, 1.2),
    )}  # fmt: skip
    dq = (rng.random(DETECTOR) < 0.2).astype(np.uint32) * np.uint32(DQ.HOT)
    powers = [rng.uniform(low, high, DETECTOR) for low, high in ((0, 1), (0.99, 1.01), (0, 1e-6))]
    files = {name: {"SCI": image, "ERR": image / 50, "DQ": dq * 0} for name, image in even.items()}
    files["dq"] = {"DQ": dq}
    files["nonlincoeff"] = {"COEFFS": np.stack(powers, axis=-1).astype(np.float32), "DQ": dq * 0}
    return files


def references(folder: Path, cards: dict[str, object], *cut: slice) -> Library:
    folder.mkdir()
    paths = {}
    for name, arrays in images().items():
        paths[name] = folder / f"{name}.fits"
        some = {key: np.ascontiguousarray(array[cut]) for key, array in arrays.items()}
        unit = {"SCI": UNITS[name]} if name in UNITS else None
        about = header(**{"DATE-BEG": "2025-06-01T00:00:00", "SUBARRAY": "FULL", **cards})
        if "SARRMODE" in cards:
            del about["SUBARRAY"]
        for keyword in ("PEDIGREE", "AUTHOR", "DESCRIP"):
            about[keyword] = "GROUND"
        about["USEAFTER"] = "2025-01-01T00:00:00"
        write_reference(name, paths[name], header=about, arrays=some, units=unit)
    return Library(Overrides(paths, NoReferences()))


def exposure(cards: dict[str, object], *cut: slice):
    """Two groups of reads of the full detector, or a part of them."""
    rng = np.random.default_rng(5)
    steps = rng.poisson(300, (*DETECTOR, 2, 6)).cumsum(axis=-1) + 1000
    steps[20:26, 7:10, :, 4:] = 60000
    about = header(DATAMODL="RampModel")
    about.update(cards)
    if "SARRMODE" in cards:
        del about["SUBARRAY"]
    reads = np.ascontiguousarray(steps[cut]).astype(np.uint16)
    flags = np.zeros(reads.shape[:2], dtype=np.uint32)
    return ramp(reads.shape, reads=reads, header=about, groupdq=None, pixeldq=flags)


def reduced(data, library) -> Frame:
    names = (*STEPS_ON_READS, "dark_sub", "flat_field")
    return run(data, [Task(STEPS[name], STEPS[name].parameters()) for name in names], library)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    library = references(tmp_path_factory.mktemp("whole") / "full", {})
    return library, reduced(exposure({}), library)


def require_part_of(whole: Frame, part: Frame) -> None:
    """The saturation flags of neighbours outside are not known to a part, so its edge is left out."""
    inner = slice(1, -1), slice(1, -1)
    for one, other in (
        (whole.sci, part.sci),
        (whole.dq, part.dq),
        *((whole.variances[name], plane) for name, plane in part.variances.items()),
    ):
        np.testing.assert_array_equal(one[ROWS, COLUMNS][inner], other[inner])


@pytest.mark.parametrize("cards", [PART, OLDER])
def test_references_of_the_full_detector_are_cut_to_a_part_of_it(whole, cards):
    library, expected = whole

    part = reduced(exposure(cards, ROWS, COLUMNS), library)

    assert {"DARK", "FLAT", "POISSON", "RNOISE"} == part.variances.keys()
    require_part_of(expected, part)


@pytest.mark.parametrize(
    ("cards", "cut"),
    [(PART, (ROWS, COLUMNS)), (OLDER, (ROWS, COLUMNS)), (LARGER, (slice(5, 38), slice(3, 30)))],
)
def test_references_of_a_part_serve_what_is_inside_it(whole, tmp_path, cards, cut):
    own = references(tmp_path / "own", cards, *cut)

    require_part_of(whole[1], reduced(exposure(PART, ROWS, COLUMNS), own))


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_the_size_of_blocks_does_not_matter(whole, monkeypatch, size):
    library, expected = whole
    monkeypatch.setattr(pipeline, "_BLOCK_BYTES", size * 30 * 12 * 4)

    found = reduced(exposure({}), library)

    assert np.array_equal(found.sci, expected.sci)
    assert np.array_equal(found.dq, expected.dq)
    for name, variance in expected.variances.items():
        assert np.array_equal(found.variances[name], variance)


def test_a_reference_of_another_place_is_refused(tmp_path):
    own = references(tmp_path / "own", PART, ROWS, COLUMNS)

    with pytest.raises(DataError, match=r"covers columns 6–17 and rows 11–33, and the frame columns 1–30"):
        reduced(exposure({}), own)


def test_a_full_frame_takes_no_reference_of_a_larger_detector(whole):
    smaller = exposure({}, slice(0, 20), slice(0, 20))

    with pytest.raises(DataError, match=r"covers columns 1–30 and rows 1–40, and the frame columns 1–20"):
        reduced(smaller, whole[0])


def test_a_part_that_does_not_say_where_it_lies_is_refused(whole):
    data = exposure({"SUBARRAY": "CUSTOM"}, ROWS, COLUMNS)

    with pytest.raises(DataError, match="it has no SUBSTRT2"):
        reduced(data, whole[0])


@pytest.mark.parametrize("name", ["FULL", "full", "GENERIC", "N/A", " ", None])
def test_a_header_that_names_no_part_is_of_the_full_detector(name):
    cards = {"SUBSTRT1": 5} if name is None else {"SUBARRAY": name, "SUBSTRT1": 5}

    assert region(cards, (3, 4)) == Region(0, 0, 3, 4, full=True)


def test_first_rows_of_blocks_count_from_the_part(whole):
    """Steps work on blocks, whose rows count from the first of the exposure and not of the detector."""
    library, expected = whole
    data = exposure(PART, ROWS, COLUMNS)
    tasks = [Task(STEPS[name], STEPS[name].parameters()) for name in STEPS_ON_READS[:2]]

    result = run(data, tasks, library)

    assert result.first_row == 0
    assert np.array_equal(result.pixeldq & np.uint32(DQ.HOT), expected.dq[ROWS, COLUMNS] & np.uint32(DQ.HOT))


def test_the_map_of_subarrays_in_a_raw_exposure_is_not_lost(whole, tmp_path):
    library, expected = whole
    numbers = np.zeros(DETECTOR, np.uint16)
    numbers[ROWS, COLUMNS] = 1
    write_ramp(replace(exposure({}), planes={"SUBARR_MAP": numbers}), tmp_path / "raw.fits")
    data = open_any(tmp_path / "raw.fits")

    result = run(reduced(data, library), [Task(STEPS["parse_subarrays"], NoParameters())], library)

    assert np.array_equal(result.planes["SUBARR_MAP"], numbers)
    assert result.header["NSUBARR"] == 1
    holes = result.dq ^ expected.dq
    assert np.array_equal(flagged(result.dq, DQ.NON_SCIENCE), numbers == 1)
    assert not holes[numbers == 0].any()
