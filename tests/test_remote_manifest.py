"""Lists of checksums, URLs and names of mirrors."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remote_servers import SUMS, demo_cache

from calmap.cache.remote.manifest import cache_places, is_place, parse_manifest, write_manifest
from calmap.cache.remote.urls import is_url, mirror_name, normal_url, shown_url
from calmap.errors import CacheError, UsageError

ONE, TWO = "1" * 64, "a" * 64


def parsed(text):
    return dict(parse_manifest(text.encode(), "SUMS").digests)


def test_lines_of_sha256sum():
    text = f"{ONE}  mappings/hst/hst_0001.pmap\n{TWO.upper()} *./references/hst/acs/a.fits\n\n# a comment\n"

    assert parsed(text) == {"mappings/hst/hst_0001.pmap": ONE, "references/hst/acs/a.fits": TWO}


@pytest.mark.parametrize(
    "place",
    [
        "../etc/passwd",
        "mappings/../../etc/passwd",
        "/etc/passwd",
        "mappings//etc/passwd",
        "mappings/hst/.hidden",
        "mappings/hst/..",
        "mappings",
        "README.md",
        "C:\\mappings\\a.pmap",
        "mappings/hst/a\x00.pmap",
        "mappings/hst/~root",
    ],
)
def test_places_outside_a_cache_are_passed_over(place):
    assert parsed(f"{ONE}  {place}\n{TWO}  mappings/hst/hst_0001.pmap\n") == {
        "mappings/hst/hst_0001.pmap": TWO
    }


@given(st.text(max_size=40))
def test_no_place_leads_out(text):
    if is_place(text):
        assert ".." not in text.split("/")
        assert not text.startswith(("/", "."))
        assert "\\" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE html>\n<p>Log in</p>\n", r"SUMS:1: this is no line"),
        (f"{ONE}  mappings/a.pmap\n{ONE[1:]}  mappings/b.pmap\n", r"SUMS:2: this is no line"),
        (f"{ONE}  mappings/a.pmap\n{TWO}  ./mappings/a.pmap\n", r"SUMS:2: mappings/a.pmap has two checksums"),
    ],
)
def test_what_is_no_list(text, message):
    with pytest.raises(CacheError, match=message):
        parsed(text)


def test_written_list_is_that_of_coreutils(tmp_path):
    root = demo_cache(tmp_path / "cache")
    (root / "references/ligeriri/iris/.hidden").write_text("x")

    count = write_manifest(root, cache_places(root))

    assert count == len(parse_manifest((root / SUMS).read_bytes(), SUMS).digests) == 61
    if tool := shutil.which("sha256sum"):
        subprocess.run([tool, "--check", "--strict", "--quiet", SUMS], cwd=root, check=True)


def test_linked_folders_are_not_listed(tmp_path):
    root = demo_cache(tmp_path / "cache")
    before = tuple(cache_places(root))
    (root / "references/ligeriri/again").symlink_to(root / "references/ligeriri/iris")

    assert tuple(cache_places(root)) == before


@pytest.mark.parametrize(
    "text", ["s3://bucket/crds", "https://host/crds/", "FILE:///data/crds", "memory://x"]
)
def test_urls(text):
    assert is_url(text)
    assert normal_url(normal_url(text)) == normal_url(text)


@pytest.mark.parametrize("text", ["/data/crds", "data/crds", "C:\\crds", "~/crds", "host:/crds", "", None])
def test_paths_are_no_urls(text):
    assert not is_url(text)


@pytest.mark.parametrize(
    "url", ["s3://", "https://host/a?b=c", "https://host/a b", "s3://a/*", "zip://a.zip::s3://b/c", "s3:/a"]
)
def test_urls_of_no_cache(url):
    with pytest.raises(UsageError):
        normal_url(url)


def test_passwords_are_not_shown():
    url = "https://me:secret@host/crds"

    assert shown_url(url) == "https://host/crds"
    assert "secret" not in mirror_name(url)
    assert mirror_name(url) != mirror_name("https://host/crds")


def test_mirrors_of_similar_urls_differ():
    urls = ["s3://a/b", "s3://a-b", "s3://a_b", "https://a/b", f"s3://{'a' * 200}/b", f"s3://{'a' * 200}/c"]
    names = {mirror_name(url) for url in urls}

    assert len(names) == len(urls)
    assert all(len(name) < 80 and "/" not in name for name in names)
    assert mirror_name("s3://a/b/") == mirror_name("S3://a/b")
