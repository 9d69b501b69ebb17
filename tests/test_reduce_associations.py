"""Which exposures belong together, by files and by headers."""

import json

import pytest
from astropy.io import fits
from reduce_files import CARDS, write

from reduce.associations import Association, associated, is_association, kind_of, read_associations
from reduce.errors import DataError


def exposure(folder, name, **cards):
    return write(folder / name, ("SCI", fits.ImageHDU().data), cards={**CARDS, **cards})


def pooled(*paths):
    return associated({path: kind_of(path) for path in paths})


def test_targets_of_one_configuration_come_together_with_their_sky(tmp_path):
    one = exposure(tmp_path, "1.fits", OBJECT="A")
    two = exposure(tmp_path, "2.fits", OBJECT="B")
    three = exposure(tmp_path, "3.fits", OBJECT="A")
    sky = exposure(tmp_path, "4.fits", OBJECT="", IMTYPE="SKY")
    other = exposure(tmp_path, "5.fits", IMTYPE="SKY", FILTER="H")

    assert pooled(one, two, three, sky, other) == (
        Association("", (one, three), (sky,)),
        Association("", (two,), (sky,)),
        Association("", (), (other,)),
    )
    assert pooled() == ()


@pytest.mark.parametrize("keyword", ["FILTER", "DETECTOR", "PUPIL", "SUBARRAY", "IMTYPE", "OBJECT"])
def test_what_keeps_exposures_apart(tmp_path, keyword):
    value = {"SUBARRAY": "CUSTOM", "IMTYPE": "STD", "DETECTOR": "IMG2"}.get(keyword, "H")
    one, two = exposure(tmp_path, "1.fits"), exposure(tmp_path, "2.fits", **{keyword: value})

    assert len(pooled(one, two)) == 2


def test_keywords_of_all_eras_are_compared(tmp_path):
    one = exposure(tmp_path, "1.fits")
    two = exposure(tmp_path, "2.fits", IMTYPE="SCI", ERA="0.1.0")

    assert len(pooled(one, two)) == 1


def test_a_keyword_that_can_not_be_read_names_the_file(tmp_path):
    path = exposure(tmp_path, "1.fits", SUBSTRT1="abc")

    with pytest.raises(DataError, match=r"1\.fits: "):
        kind_of(path)


def test_files_that_are_associations_by_name(tmp_path):
    assert [is_association(tmp_path / name) for name in ("a.json", "a.YAML", "a.yml", "a.fits")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_several_products_are_several_associations(tmp_path):
    for name in ("a.fits", "b.fits"):
        exposure(tmp_path, name)
    products = [{"name": name, "members": [{"expname": f"{name}.fits"}]} for name in ("a", "b")]
    (tmp_path / "night.json").write_text(json.dumps({"products": products}))

    found = read_associations(tmp_path / "night.json")

    assert [(one.name, one.science, one.files) for one in found] == [
        ("a", (tmp_path / "a.fits",), (tmp_path / "a.fits",)),
        ("b", (tmp_path / "b.fits",), (tmp_path / "b.fits",)),
    ]


def test_files_count_from_the_folder_of_the_association(tmp_path):
    (tmp_path / "raw").mkdir()
    path = exposure(tmp_path / "raw", "a.fits")
    (tmp_path / "night.yaml").write_text(f"SCI: [raw/a.fits]\nSKY: ['{path}']\n")

    [found] = read_associations(tmp_path / "night.yaml")

    assert (found.name, found.science, found.sky) == ("night", (path,), (path,))


def test_a_member_that_is_not_there_is_named(tmp_path):
    (tmp_path / "night.yaml").write_text("SCI: [absent.fits]\n")

    with pytest.raises(DataError, match=r"names absent\.fits, and there is no such file"):
        read_associations(tmp_path / "night.yaml")
    with pytest.raises(DataError, match="can't be read"):
        read_associations(tmp_path / "absent.yaml")


def test_an_association_without_products(tmp_path):
    (tmp_path / "a.json").write_text('{"products": []}')

    with pytest.raises(DataError, match="has no products"):
        read_associations(tmp_path / "a.json")


def test_an_association_without_a_name(tmp_path):
    exposure(tmp_path, "1.fits")
    (tmp_path / "a.json").write_text(
        '{"products": [{"name": null, "members": [{"expname": "1.fits", "exptype": "science"}]}]}'
    )

    assert [one.name for one in read_associations(tmp_path / "a.json")] == [""]


def test_what_an_association_says_twice_is_refused(tmp_path):
    exposure(tmp_path, "1.fits")
    (tmp_path / "a.yaml").write_text("SCI: [1.fits]\nSCI: [1.fits]\n")

    with pytest.raises(DataError, match="'SCI' is there twice, the second time in line 2"):
        read_associations(tmp_path / "a.yaml")
