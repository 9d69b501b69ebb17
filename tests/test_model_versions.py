"""Versions and relations to them."""

import pytest

from calmap.model.versions import VersionError, version_parts, version_relation


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1", (1, 0, 0)),
        ("1.10", (1, 10, 0)),
        ("1.2.3", (1, 2, 3)),
        ("2.0rc1", (2, 0, 0)),
        ("1.2.3.4", (1, 2, 3)),
        ("01.2", (1, 2, 0)),
    ],
)
def test_versions(text, parts):
    assert version_parts(text) == parts


@pytest.mark.parametrize("text", ["", "x", "v1", ".1", "-1", "1 2", "123456789" * 20])
def test_what_is_no_version(text):
    with pytest.raises(VersionError):
        version_parts(text)


def test_relations_sort_as_they_are_tried():
    keys = ["default", "=5", "<3.1", "<=3.1", "5.5", "== 7", "=default"]

    assert sorted(keys, key=version_relation) == ["<3.1", "<=3.1", "=5", "5.5", "== 7", "default", "=default"]


@pytest.mark.parametrize("text", ["", "x", ">3", "<", "<1.2.3", "=x", "defaults"])
def test_what_is_no_relation(text):
    with pytest.raises(VersionError):
        version_relation(text)
