"""Files are hashed once, for as long as they do not change."""

import hashlib
import os

import pytest

from reduce import hashes
from reduce.errors import DataError
from reduce.hashes import Hashes


def digest(data):
    return hashlib.sha256(data).hexdigest()


def test_a_file_is_read_once(tmp_path, monkeypatch):
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(path.name.encode())
    known, read = Hashes(), []
    monkeypatch.setattr(
        hashes, "checked_sha256", lambda path: read.append(path.name) or digest(path.read_bytes())
    )

    known.add([*paths, tmp_path / "absent"])

    assert [known.of(path) for path in (*paths, *paths)] == [digest(name.encode()) for name in "abcabc"]
    assert sorted(read) == ["a", "b", "c"]
    with pytest.raises(DataError, match="absent can't be read"):
        known.of(tmp_path / "absent")


def test_a_file_that_was_written_again_is_read_again(tmp_path):
    """Also one of the same size, and one that was put in its place with the same time."""
    path, known = tmp_path / "a", Hashes()
    path.write_bytes(b"one")
    assert known.of(path) == digest(b"one")
    before = path.stat()

    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    assert known.of(path) == digest(b"two")

    (tmp_path / "b").write_bytes(b"six")
    os.utime(tmp_path / "b", ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    (tmp_path / "b").replace(path)
    assert known.of(path) == digest(b"six")
