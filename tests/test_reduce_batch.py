"""Associations reduced to files, with their logs."""

import pytest
from astropy.io import fits
from reduce_files import frame, header

from reduce.associations import Association
from reduce.batch import Failed, Written, reduce_association
from reduce.errors import OutputError, ParameterError
from reduce.files.reader import read_provenance
from reduce.files.writer import write_frame
from reduce.pipeline import Unwatched
from reduce.products import Output
from reduce.provenance import Provenance
from reduce.recipe import Level, parsed
from reduce.references import NoReferences
from reduce.session import Request

RECIPE = parsed(
    """
    name: plain
    steps:
      L1: [ramp_fit]
      L2: [normalize]
      L3: [combine_frames]
    """,
    "plain.yaml",
)


@pytest.fixture
def raws(tmp_path):
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"x_LVL1_{number}.fits")
        write_frame(frame(seed=number, provenance=Provenance(), header=header(DATALVL=1)), paths[-1])
    return tuple(paths)


def reduced(association, folder, last=Level.L2, skies=None, **options):
    request = Request(NoReferences(), RECIPE, last=last, **options)
    folder.mkdir(exist_ok=True)
    return list(reduce_association(association, request, Output(folder), lambda _: Unwatched(), skies))


def test_each_exposure_becomes_a_product_with_a_log(raws, tmp_path):
    results = reduced(Association("", raws), tmp_path / "p")

    assert [(one.kind, one.path.name, one.sources) for one in results] == [
        ("exposure", f"x_LVL2_{number}.fits", (raws[number],)) for number in range(3)
    ]
    assert all(one.path.with_suffix(".log").is_file() for one in results)
    assert results[0].records == read_provenance(results[0].path).steps
    assert fits.getheader(results[0].path)["RECIPE"] == "plain"


def test_the_log_has_no_times_and_is_the_same_again(raws, tmp_path):
    [one, *_] = reduced(Association("", raws), tmp_path / "p")
    [two, *_] = reduced(Association("", raws), tmp_path / "q")

    assert one.path.with_suffix(".log").read_bytes() == two.path.with_suffix(".log").read_bytes()
    assert one.path.read_bytes() == two.path.read_bytes()


def test_a_combination_is_called_after_the_association(raws, tmp_path):
    *_, one = reduced(Association("M92", raws), tmp_path / "p", Level.L3)
    *_, two = reduced(Association("", raws), tmp_path / "q", Level.L3)
    *_, three = reduced(Association("../../a/b", raws), tmp_path / "r", Level.L3)

    assert [each.path.name for each in (one, two, three)] == ["M92_LVL3.fits", "x_LVL3_0.fits", "b_LVL3.fits"]
    assert three.path.parent == tmp_path / "r"
    assert one.kind == "combined"
    assert [one.path for one in read_provenance(one.path).inputs] == [
        str(tmp_path / "p" / f"x_LVL2_{number}.fits") for number in range(3)
    ]


def test_one_failure_does_not_stop_the_others_but_the_combination(raws, tmp_path):
    raws[1].write_bytes(b"SIMPLE")

    one, two, three, whole = reduced(Association("", raws), tmp_path / "p", Level.L3)

    assert isinstance(one, Written)
    assert isinstance(three, Written)
    assert (two.path, whole.problem.message) == (
        raws[1], "1 of 3 exposures failed, so they are not combined",
    )  # fmt: skip
    assert isinstance(whole, Failed)


def test_what_exists_stays(raws, tmp_path):
    reduced(Association("", raws[:1]), tmp_path / "p")
    before = (tmp_path / "p/x_LVL2_0.fits").read_bytes()

    [failed] = reduced(Association("", raws[:1]), tmp_path / "p", skip=("normalize",))

    assert isinstance(failed.problem, OutputError)
    assert (tmp_path / "p/x_LVL2_0.fits").read_bytes() == before


def test_frames_that_are_reduced_are_only_combined(raws, tmp_path):
    products = tuple(one.path for one in reduced(Association("", raws), tmp_path / "p"))

    [whole] = reduced(Association("", products), tmp_path / "q", Level.L3)
    [failed] = reduced(Association("", products[:1]), tmp_path / "q")

    assert whole.kind == "combined"
    assert isinstance(failed.problem, ParameterError)
    assert failed.problem.message.endswith("is at L2 already")


def test_a_sky_of_several_targets_is_made_once(tmp_path):
    recipe = parsed("steps: {L2: [subtract_bkg], L3: [calc_bkg_imager]}", "s.yaml")
    paths = []
    for number in range(4):
        paths.append(tmp_path / f"x_LVL1_{number}.fits")
        one = frame((40, 40), seed=number, provenance=Provenance(), header=header(DATALVL=1))
        write_frame(one, paths[-1])
    request = Request(NoReferences(), recipe, last=Level.L2)
    output, skies, names = Output(tmp_path / "p"), {}, []
    output.folder.mkdir()

    for target in paths[:2]:
        association = Association("", (target,), tuple(paths[2:]))
        for result in reduce_association(association, request, output, lambda _: Unwatched(), skies):
            assert isinstance(result, Written), result
            names.append(result.path.name)

    assert names == ["x_LVL2_2.fits", "x_LVL2_3.fits", "x_LVL3_2_sky.fits", "x_LVL2_0.fits", "x_LVL2_1.fits"]
    for name in ("x_LVL2_0.fits", "x_LVL2_1.fits"):
        assert fits.getheader(tmp_path / "p" / name)["R_SKY"] == str(tmp_path / "p/x_LVL3_2_sky.fits")


def test_exposures_of_the_sky_of_several_targets_are_reduced_once(raws, tmp_path):
    """Also where they are not subtracted."""
    skies, names = {}, []
    for science in (raws[:1], raws[1:2]):
        association = Association("", science, raws[2:])
        for result in reduced(association, tmp_path / "p", skies=skies, skip={"calc_bkg_imager"}):
            assert isinstance(result, Written), result
            names.append(result.path.name)

    assert names == [f"x_LVL2_{number}.fits" for number in (2, 0, 1)]


def test_the_level_is_the_highest_that_the_recipe_has(tmp_path, raws):
    recipe = parsed("steps: {L1: [normalize], L3: [combine_frames]}", "d.yaml")
    request = Request(NoReferences(), recipe, first=Level.L0)
    (tmp_path / "p").mkdir()

    [result] = reduce_association(
        Association("", raws[:1]), request, Output(tmp_path / "p"), lambda _: Unwatched()
    )

    assert result.path.name == "x_LVL1_0.fits"
    assert fits.getheader(result.path)["DATALVL"] == 1
