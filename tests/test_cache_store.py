"""Files are written whole, guarded by what was read, or not at all."""

import errno
import os
import stat

import pytest

from calmap.cache.store import digest, write_atomically
from calmap.errors import CacheError, FileChangedError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.rmap"
    path.write_bytes(b"old")
    return path


def only_file(path):
    return [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_content_is_replaced(file):
    write_atomically(file, b"new\r\n", digest(b"old"))

    assert file.read_bytes() == b"new\r\n"
    assert only_file(file)


def test_new_file_is_made_with_usual_permissions(tmp_path):
    path = tmp_path / "new.rmap"
    before = os.umask(0o027)
    try:
        write_atomically(path, b"new")
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_permissions_stay(file):
    file.chmod(0o604)

    write_atomically(file, b"new")

    assert stat.S_IMODE(file.stat().st_mode) == 0o604


def test_link_stays_a_link(file, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "link.rmap"
    link.symlink_to(file)

    write_atomically(link, b"new", digest(b"old"))

    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_changed_file_is_left_alone(file):
    with pytest.raises(FileChangedError, match=r"a\.rmap has changed"):
        write_atomically(file, b"new", digest(b"something else"))

    assert file.read_bytes() == b"old"
    assert only_file(file)


def test_removed_file_counts_as_changed(file):
    file.unlink()

    with pytest.raises(FileChangedError):
        write_atomically(file, b"new", digest(b"old"))

    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "hint"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "writable")],
)
def test_trouble_is_explained_and_cleaned_up(file, monkeypatch, code, hint):
    def fail(_handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(CacheError, match=r"a\.rmap can't be written") as caught:
        write_atomically(file, b"new")

    assert hint in caught.value.hint
    assert file.read_bytes() == b"old"
    assert only_file(file)


def test_interrupt_leaves_nothing_behind(file, monkeypatch):
    def interrupt(_handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)

    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, b"new")

    assert file.read_bytes() == b"old"
    assert only_file(file)


def test_missing_folder(tmp_path):
    with pytest.raises(CacheError, match="can't be written: No such file"):
        write_atomically(tmp_path / "no" / "a.rmap", b"new")
