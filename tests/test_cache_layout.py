"""Where the files of a cache are found, and that no name leads out of it."""

import pytest

from calmap.cache.layout import Layout, cache_above
from calmap.errors import CacheError, NotInCacheError, UsageError


def put(root, *paths):
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


def test_mapping_is_found_by_the_telescope_in_its_name(layout):
    put(layout.root, "mappings/hst/hst_acs_darkfile_0363.rmap", "mappings/hst/hst_0729.pmap")

    path = layout.mapping_path("hst_acs_darkfile_0363.rmap")

    assert path == layout.root / "mappings/hst/hst_acs_darkfile_0363.rmap"
    assert layout.observatories() == ("hst",)


def test_mapping_of_a_cache_for_one_telescope(layout):
    put(layout.root, "mappings/hst_0001.pmap", "mappings/hst_acs_0001.imap")

    assert layout.mapping_path("hst_0001.pmap") == layout.root / "mappings/hst_0001.pmap"
    assert layout.observatories() == ("hst",)
    assert layout.newest_context() == "hst_0001.pmap"


def test_mapping_with_a_strange_name_is_found_with_the_telescope(layout):
    put(layout.root, "mappings/hst/Strange-Name.rmap")

    assert layout.mapping_path("Strange-Name.rmap", "hst").is_file()
    with pytest.raises(NotInCacheError):
        layout.mapping_path("Strange-Name.rmap")


def test_contexts_are_sorted_by_number(layout):
    names = ["jwst_0999.pmap", "jwst_10000.pmap", "jwst.pmap", "jwst_na_omit.pmap", "jwst_0001.pmap"]
    put(layout.root, *(f"mappings/jwst/{name}" for name in names), "mappings/jwst/jwst_nircam_20000.imap")

    expected = ["jwst.pmap", "jwst_na_omit.pmap", "jwst_0001.pmap", "jwst_0999.pmap", "jwst_10000.pmap"]
    assert list(layout.contexts("jwst")) == expected
    assert layout.newest_context() == "jwst_10000.pmap"


def test_mappings_of_a_cache_and_of_a_telescope(layout):
    put(layout.root, "mappings/hst/hst_0001.pmap", "mappings/hst/Strange-Name.rmap", "mappings/hst/notes.txt")
    put(layout.root, "mappings/jwst/jwst_0001.pmap", "mappings/jwst/old/jwst_0000.pmap")
    put(layout.root, "mappings/hst_0002.pmap", "mappings/jwst_0002.pmap", "mappings/hst/.hidden.rmap")

    def names(telescope):
        return [path.relative_to(layout.mappings).as_posix() for path in layout.mapping_files(telescope)]

    assert names("jwst") == ["jwst/jwst_0001.pmap", "jwst_0002.pmap"]
    assert names("hst") == ["hst/Strange-Name.rmap", "hst/hst_0001.pmap", "hst_0002.pmap"]
    assert sorted(names(None)) == sorted(names("hst") + names("jwst"))
    assert names("tobs") == []


def test_what_is_no_file_is_no_mapping(layout):
    put(layout.root, "mappings/hst/hst_0001.pmap")
    folder = layout.mappings / "hst"
    (folder / "hst_0002.pmap").mkdir()
    (folder / "hst_0003.pmap").symlink_to("hst_0003.pmap")
    (folder / "hst_0004.pmap").symlink_to("nowhere")
    (folder / "hst_0005.pmap").symlink_to("hst_0001.pmap")

    assert layout.contexts("hst") == ("hst_0001.pmap", "hst_0005.pmap")


def test_folders_and_files_that_name_no_telescope(layout):
    put(
        layout.root,
        "mappings/my rules/hst_0001.pmap",
        "mappings/empty/notes.txt",
        "mappings/Strange-Name.rmap",
    )

    assert layout.observatories() == ()


def test_newest_context_of_several_telescopes_must_be_asked_for(layout):
    put(layout.root, "mappings/hst/hst_0001.pmap", "mappings/jwst/jwst_0001.pmap")

    assert layout.newest_context("jwst") == "jwst_0001.pmap"
    with pytest.raises(UsageError, match="hst, jwst") as caught:
        layout.newest_context()
    assert "--observatory" in caught.value.hint


def test_missing_mapping_says_where_and_what_to_do(layout):
    put(layout.root, "mappings/hst/hst_0001.pmap")

    with pytest.raises(NotInCacheError, match=r"hst_0002\.pmap is not in .*mappings/hst") as caught:
        layout.mapping_path("hst_0002.pmap")
    assert caught.value.hint == "the newest context there is hst_0001.pmap"
    with pytest.raises(NotInCacheError) as caught:
        layout.mapping_path("jwst_0002.pmap")
    assert "has mappings of hst" in caught.value.hint


def test_missing_cache_says_so(tmp_path):
    with pytest.raises(NotInCacheError) as caught:
        Layout(tmp_path / "none").mapping_path("hst_0002.pmap")

    assert "is no folder" in caught.value.hint


@pytest.mark.parametrize(
    ("mode", "place"),
    [
        ("flat", "references/hst/a.fits"),
        ("instrument", "references/hst/acs/a.fits"),
        ("legacy", "references/hst/jref/a.fits"),
    ],
)
def test_references_are_where_the_cache_says(layout, mode, place):
    put(layout.root, place, "references/hst/wfc3/b.fits")
    (layout.root / "config/hst").mkdir(parents=True)
    (layout.root / "config/hst/ref_cache_subdir_mode").write_text(f"{mode}\n")

    assert layout.reference_path("a.fits", "hst", "ACS") == layout.root / place
    with pytest.raises(NotInCacheError, match=r"c\.fits is not in"):
        layout.reference_path("c.fits", "hst", "ACS")
    if mode == "legacy":
        assert layout.reference_path("b.fits", "hst", "WFC3").parent.name == "wfc3"


def test_arrangement_is_guessed_from_the_number_of_files(layout):
    put(layout.root, *(f"references/hst/{number}.fits" for number in range(21)))
    put(layout.root, *(f"references/jwst/{number}/x.fits" for number in range(20)))

    assert layout.reference_path("7.fits", "hst", "acs").parent.name == "hst"
    assert layout.reference_path("x.fits", "jwst", "7").parent.name == "7"


def test_unknown_arrangement_is_an_error(layout):
    put(layout.root, "config/hst/ref_cache_subdir_mode")
    (layout.root / "config/hst/ref_cache_subdir_mode").write_text("chaos")

    with pytest.raises(CacheError, match=r"ref_cache_subdir_mode says 'chaos'") as caught:
        layout.reference_path("a.fits", "hst", "acs")
    assert "flat, instrument, legacy" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["../out.rmap", "/etc/passwd", "a/b.rmap", "..", ".", "", ".hidden", "a\0b", "a\\b"]
)
def test_no_name_leads_out(layout, name):
    put(layout.root, "mappings/hst/hst_0001.pmap", "mappings/out.rmap")

    for ask in (
        lambda: layout.mapping_path(name),
        lambda: layout.mapping_path("hst_0001.pmap", name or ".."),
        lambda: layout.reference_path(name, "hst", "acs"),
        lambda: layout.reference_path("a.fits", "hst", name),
        lambda: layout.reference_path("a.fits", name, "acs"),
        lambda: layout.config_of(name),
    ):
        with pytest.raises(CacheError, match="can't be the name"):
            ask()


def test_linked_folders_are_followed(layout, tmp_path_factory):
    big_disk = tmp_path_factory.mktemp("disk")
    put(big_disk, "acs/a.fits")
    (layout.root / "references/hst").mkdir(parents=True)
    (layout.root / "references/hst/acs").symlink_to(big_disk / "acs")

    assert layout.reference_path("a.fits", "hst", "acs").is_file()


def test_folders_can_be_elsewhere(tmp_path):
    put(tmp_path, "rules/hst/hst_0001.pmap", "data/acs/a.fits", "cfg/ref_cache_subdir_mode")
    (tmp_path / "cfg/ref_cache_subdir_mode").write_text("instrument")
    layout = Layout(tmp_path / "none", tmp_path / "rules", tmp_path / "data", tmp_path / "cfg")

    assert layout.newest_context() == "hst_0001.pmap"
    assert layout.reference_path("a.fits", "hst", "acs").is_file()


def test_cache_above(tmp_path):
    put(tmp_path, "cache/mappings/hst/hst_0001.pmap", "cache/mappings/hst/new/x.txt", "mappings/readme.txt")

    assert cache_above(tmp_path / "cache/mappings/hst/new") == tmp_path / "cache"
    assert cache_above(tmp_path) is None


def test_real_caches(corpus):
    cache = Layout(corpus / "crds-cache")

    assert cache.observatories() == ("hst", "jwst", "roman", "tobs")
    assert cache.contexts("jwst") == ("jwst_na_omit.pmap", "jwst_0200.pmap", "jwst_0541.pmap")
    assert cache.newest_context("roman") == "roman_0007.pmap"
    assert cache.contexts("tobs") == ("tobs.pmap",)
    liger = Layout(corpus / "liger-iris-crds-cache")
    name = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"
    assert liger.reference_path(name, "ligeriri", "IRIS").parts[-4:] == (
        "references",
        "ligeriri",
        "iris",
        name,
    )
