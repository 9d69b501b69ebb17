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


def test_content_may_come_in_pieces(file):
    write_atomically(file, (piece for piece in (b"ne", b"", b"w")))

    assert file.read_bytes() == b"new"
    assert only_file(file)


def test_pieces_that_end_early_change_nothing(file):
    def pieces():
        yield b"ne"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, pieces())

    assert file.read_bytes() == b"old"
    assert only_file(file)


def test_guard_is_asked_when_all_is_written(file):
    def guard():
        (new,) = (entry for entry in file.parent.iterdir() if entry != file)
        assert new.read_bytes() == b"new"
        assert file.read_bytes() == b"old"
        raise FileChangedError("not now")

    with pytest.raises(FileChangedError, match="not now"):
        write_atomically(file, b"new", guard=guard)

    assert file.read_bytes() == b"old"
    assert only_file(file)


def test_what_is_to_be_private_is_never_open_to_others(file):
    file.chmod(0o600)
    modes = []

    def pieces():
        (new,) = (entry for entry in file.parent.iterdir() if entry != file)
        modes.append(stat.S_IMODE(new.stat().st_mode))
        yield b"new"

    write_atomically(file, pieces())

    assert modes == [0o600]


def test_trouble_once_the_file_is_in_place_is_not_told(file, monkeypatch):
    sync = os.fsync

    def fail_for_folders(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(handle)

    monkeypatch.setattr(os, "fsync", fail_for_folders)

    write_atomically(file, b"new", digest(b"old"))

    assert file.read_bytes() == b"new"


def test_file_that_holds_the_new_content_already_is_done(file):
    before = digest(file.read_bytes())
    file.write_bytes(b"new\n")
    number = file.stat().st_ino

    write_atomically(file, b"new\n", before)

    assert (file.read_bytes(), file.stat().st_ino) == (b"new\n", number)
    assert only_file(file)
