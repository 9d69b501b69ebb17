"""References for the reduction, by the rules of a cache."""

import shutil

import pytest
from astropy.io import fits

from calmap.bestref import Cache
from calmap.cache.layout import Layout
from calmap.reduction.resolver import CacheResolver
from reduce.errors import MissingReferenceError
from reduce.headers import plain

SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
DARK = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"


@pytest.fixture
def header(repo_root):
    return plain(fits.getheader(repo_root / "exposures" / SEED))


def resolver(root, **options):
    return CacheResolver(Cache(Layout(root)).context("ligeriri_0001.pmap", "ligeriri"), **options)


@pytest.fixture
def copied(repo_root, tmp_path):
    """A cache of its own, with one reference file."""
    shutil.copytree(repo_root / "mappings/ligeriri", tmp_path / "mappings/ligeriri")
    place = tmp_path / "references/ligeriri/iris"
    place.mkdir(parents=True)
    shutil.copy(repo_root / "references/ligeriri/iris" / DARK, place / DARK)
    return tmp_path


def test_the_file_the_rule_and_the_context(repo_root, header):
    found = resolver(repo_root).find(header, "dark")

    assert found.path == repo_root / "references/ligeriri/iris" / DARK
    assert (found.origin, found.context) == ("cache", "ligeriri_0001.pmap")
    assert found.rule == "ligeriri_iris_dark_0001.rmap:27"
    assert found.keyword_value == f"crds://{DARK}"
    assert found.reason


def test_a_type_without_rules_is_unknown(repo_root, header):
    assert resolver(repo_root).find(header, "bias") is None


def test_a_type_that_does_not_apply(repo_root, header):
    found = resolver(repo_root).find({**header, "DETECTOR": "IFU"}, "drizpars")

    assert (found.path, found.keyword_value, found.origin) == (None, "N/A", "cache")


def test_why_there_is_none(repo_root, header):
    with pytest.raises(MissingReferenceError, match="FILTER='Q' is in no rule") as caught:
        resolver(repo_root).find({**header, "FILTER": "Q"}, "flat")
    assert "nearest rules" in caught.value.explanation
    assert caught.value.reftype == "flat"
    undated = {key: value for key, value in header.items() if not key.startswith(("DATE", "EXPDTST"))}
    with pytest.raises(MissingReferenceError, match=r"set META\.DATE, EXPDTST"):
        resolver(repo_root).find(undated, "dark")
    with pytest.raises(MissingReferenceError, match="the header names no instrument"):
        resolver(repo_root).find({}, "dark")


def test_a_file_that_is_not_in_the_cache(copied, header):
    assert resolver(copied).find(header, "dark").path.name == DARK
    with pytest.raises(MissingReferenceError, match="FLAT_20240924T000000"):
        resolver(copied).find(header, "flat")


def test_pointers(copied, header):
    path = copied / "references/ligeriri/iris" / DARK
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1677\n")

    with pytest.raises(MissingReferenceError, match="only a Git-LFS pointer"):
        resolver(copied).find(header, "dark")
    assert resolver(copied, pointers=True).find(header, "dark").path == path


def test_a_rule_with_several_files(copied, header):
    rules = copied / "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"
    rules.write_text(rules.read_text().replace(f"'{DARK}'", "('a.fits', 'b.fits')"))

    with pytest.raises(MissingReferenceError, match=r"several files for dark: a\.fits, b\.fits"):
        resolver(copied).find(header, "dark")


def test_a_type_that_the_rules_leave_out(copied, header):
    rules = copied / "mappings/ligeriri/ligeriri_iris_0001.imap"
    rules.write_text(rules.read_text().replace("'ligeriri_iris_drizpars_0001.rmap'", "'OMIT'"))

    assert resolver(copied).find(header, "drizpars").keyword_value == "N/A"
