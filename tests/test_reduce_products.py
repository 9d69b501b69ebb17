"""Where products go and what they are called."""

from pathlib import Path

import pytest

from reduce.errors import OutputError
from reduce.products import Output, stem_of
from reduce.recipe import Level

NAME = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"


@pytest.mark.parametrize(
    ("source", "level", "kind", "name"),
    [
        (NAME, Level.L2, "", NAME.replace("LVL0", "LVL2")),
        (NAME, Level.L3, "sky", NAME.replace("LVL0", "LVL3").replace(".fits", "_sky.fits")),
        ("raw.fits", Level.L1, "", "raw_LVL1.fits"),
        ("raw.v2.FITS.gz", Level.L1, "", "raw.v2_LVL1.fits"),
        ("a_lvl1_b.fit", Level.L2, "", "a_LVL2_b.fits"),
        ("M92", Level.L3, "", "M92_LVL3.fits"),
        ("m1_LVL0.fits", Level.L2, "", "m1_LVL2.fits"),
        ("m1_LVL01.fits", Level.L2, "", "m1_LVL01_LVL2.fits"),
    ],
)
def test_names(source, level, kind, name):
    assert Output(Path("out")).path(Path("/raw") / source, level, kind) == Path("out") / name


def test_stems():
    assert [stem_of(name) for name in ("a.fits", "a.fits.fz", "a.b", "a.FIT")] == ["a", "a", "a.b", "a"]


def test_what_is_there_stays_unless_it_may_be_replaced(tmp_path):
    path = tmp_path / "x.fits"
    Output(tmp_path).require_free(path)
    path.touch()

    with pytest.raises(OutputError, match="exists"):
        Output(tmp_path).require_free(path)
    Output(tmp_path, overwrite=True).require_free(path)


def test_there_is_room_for_the_log(tmp_path):
    (tmp_path / "x.log").mkdir()

    with pytest.raises(OutputError, match="the log would have this name"):
        Output(tmp_path).require_free(tmp_path / "x.fits")


def test_a_source_is_never_replaced_not_even_under_another_name(tmp_path):
    (tmp_path / "x.fits").touch()
    (tmp_path / "link.fits").symlink_to(tmp_path / "x.fits")
    output = Output(tmp_path, overwrite=True)

    for path in ("x.fits", "link.fits"):
        with pytest.raises(OutputError, match="would replace the file that it is made from"):
            output.require_free(tmp_path / path, tmp_path / "x.fits")


def test_two_sources_do_not_share_a_product(tmp_path):
    output = Output(tmp_path, overwrite=True)
    output.require_free(tmp_path / "p.fits", tmp_path / "a.fits")
    output.require_free(tmp_path / "p.fits", tmp_path / "a.fits")

    with pytest.raises(OutputError, match="would both become"):
        output.require_free(tmp_path / "p.fits", tmp_path / "b.fits")
    Output(tmp_path, overwrite=True).require_free(tmp_path / "p.fits", tmp_path / "b.fits")


@pytest.mark.parametrize("name", ["x.fits", "x.log", "x.html"])
def test_what_goes_beside_a_product_is_not_replaced_either(tmp_path, name):
    (tmp_path / name).touch()

    with pytest.raises(OutputError, match=f"{name} exists"):
        Output(tmp_path, report=True).require_free(tmp_path / "x.fits")
    Output(tmp_path, overwrite=True, report=True).require_free(tmp_path / "x.fits")
    kept = Output(tmp_path, overwrite=True, report=True)
    kept.keep([tmp_path / name])
    with pytest.raises(OutputError, match="is an input or a reference"):
        kept.require_free(tmp_path / "x.fits")
