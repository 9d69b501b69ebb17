"""The checksum that a mapping records of itself."""

import hashlib

import pytest

from calmap.model.checksum import checksum
from calmap.model.mapping import load_mapping

TEXT = "header = {\n    'name' : 'a.pmap',\n    'sha1sum' : 'abc',\n}\n\nselector = {\n}\n"
EXPECTED = hashlib.sha1(b"header = {\n    'name' : 'a.pmap',\n}\n\nselector = {\n}\n").hexdigest()


def test_the_line_of_the_checksum_does_not_count():
    assert checksum(TEXT) == EXPECTED
    assert checksum(TEXT.replace("abc", "def")) == EXPECTED


def test_every_line_that_mentions_it_is_left_out():
    assert checksum(f"# sha1sum of old\n{TEXT}'sha1sum'") == EXPECTED


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_do_not_count(end):
    assert checksum(TEXT.replace("\n", end)) == EXPECTED


@pytest.mark.parametrize("change", [" ", "\n", "# note\n"])
def test_blanks_and_comments_count(change):
    assert checksum(TEXT + change) != EXPECTED


def test_text_beyond_ascii_is_utf8():
    assert checksum("é\n") == hashlib.sha1("é\n".encode()).hexdigest()


def test_a_real_mapping(corpus):
    mapping = load_mapping(corpus / "crds-cache" / "mappings" / "hst" / "hst_0729.pmap")

    assert mapping.checksum == mapping.recorded_checksum


def test_a_mapping_from_windows(tmp_path):
    path = tmp_path / "a.pmap"
    path.write_bytes(TEXT.replace("abc", EXPECTED).replace("\n", "\r\n").encode())
    mapping = load_mapping(path)

    assert mapping.checksum == mapping.recorded_checksum == EXPECTED
