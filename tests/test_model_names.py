"""Names of files, and the words that stand where a name could."""

import pytest

from calmap.model.names import is_na, is_omit, is_safe, mapping_kind, mapping_name
from calmap.syntax.ast import MappingKind


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hst.pmap", ("hst", "", "", "", "pmap")),
        ("hst_0729.pmap", ("hst", "", "", "0729", "pmap")),
        ("jwst_miri_0001.imap", ("jwst", "miri", "", "0001", "imap")),
        ("hst_acs_darkfile_0123.rmap", ("hst", "acs", "darkfile", "0123", "rmap")),
        ("HST_ACS_DARKFILE_0123.RMAP", ("hst", "acs", "darkfile", "0123", "rmap")),
        ("jwst_nirspec_fore-x_10000.rmap", ("jwst", "nirspec", "fore-x", "10000", "rmap")),
        ("ligeriri_iris_dark_0001.rmap", ("ligeriri", "iris", "dark", "0001", "rmap")),
    ],
)
def test_parts_of_a_name(name, parts):
    assert mapping_name(name) == parts


@pytest.mark.parametrize(
    "name", ["", "hst", "hst.txt", "9hst.pmap", "hst_acs.rmap.bak", "a/hst.pmap", "hst_0729.pmap\n"]
)
def test_names_that_follow_no_pattern(name):
    assert mapping_name(name) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.pmap", MappingKind.PIPELINE), ("a.b.IMAP", MappingKind.INSTRUMENT), ("a.fits", None), ("", None)],
)
def test_kind(name, kind):
    assert mapping_kind(name) is kind


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc/passwd",
        "a/b",
        "a\\b",
        ".hidden",
        "a\0b",
        "a\nb",
        "x.",
        "é.fits",
        "a b.fits",
        "-x",
        "a" * 256,
        "C:x",
    ],
)
def test_names_that_could_lead_out_of_a_folder(name):
    assert not is_safe(name)


@pytest.mark.parametrize(
    "name",
    ["a.fits", "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits", "x2i1559gl_wcp.fits", "a+b.json", "crds$x.asdf"],
)
def test_names_that_cannot(name):
    assert is_safe(name)


def test_words():
    assert all(map(is_na, ("N/A", "n/a", "TEMP_N/A", "temp_n/a")))
    assert all(map(is_omit, ("OMIT", "Omit", "temp_omit")))
    assert not any(map(is_na, ("NA", "N/A ", "OMIT", "")))
    assert not any(map(is_omit, ("OMITTED", "N/A", "")))
