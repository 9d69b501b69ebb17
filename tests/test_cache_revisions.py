"""Mappings as they were at a revision."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from git_repositories import commit, git, repository

from calmap.cache import revisions
from calmap.cache.revisions import Repository
from calmap.cache.snapshots import FolderSnapshot
from calmap.errors import CacheError, NotInCacheError

NAME = "tobs_0001.pmap"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "mappings" / "tobs"
    folder.mkdir(parents=True)
    (folder / NAME).write_text("one\n")
    (folder / "tobs_i_0001.imap").write_text("")
    (folder / "notes.txt").write_text("no mapping\n")
    return repository(tmp_path)


def found(repo: Path, revision: str) -> revisions.RevisionFiles:
    place = Repository.around(repo / "mappings")
    name = place.commit(revision)
    assert name is not None
    return place.mappings(name, revision)


def test_files_are_read_as_they_were(repo: Path) -> None:
    (repo / "mappings" / "tobs" / NAME).write_text("two\n")
    snapshot = found(repo, "HEAD").within("mappings/tobs", "mappings")

    assert snapshot.names() == (NAME, "tobs_i_0001.imap")
    assert snapshot.read(NAME) == b"one\n"
    assert snapshot.read("tobs_i_0001.imap") == b""
    assert snapshot.shown(NAME) == f"HEAD:mappings/tobs/{NAME}"
    with pytest.raises(NotInCacheError):
        snapshot.read("tobs_0002.pmap")


def test_many_files_are_read_at_once(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = found(repo, "HEAD").within("mappings/tobs")
    snapshot.fetch(["tobs_i_0001.imap", NAME, "missing.rmap"])
    monkeypatch.setattr(revisions, "_run", None)

    assert snapshot.read(NAME) == b"one\n"
    assert snapshot.read("tobs_i_0001.imap") == b""


def test_a_file_and_a_blob_of_the_same_content_are_known_as_such(repo: Path) -> None:
    now = FolderSnapshot((repo / "mappings" / "tobs",))
    then = found(repo, "HEAD").within("mappings/tobs")

    assert now.identity(NAME) == then.identity(NAME)
    assert now.identity("../tobs/" + NAME) is None


@pytest.mark.parametrize(
    "text", ["", "nothing", "--help", "-x", "HEAD:mappings", "HEAD^{tree}", "main\0", "HEAD --all", "--all"]
)
def test_what_is_no_commit(repo: Path, text: str) -> None:
    assert Repository.around(repo).commit(text) is None


@pytest.mark.parametrize("branch", ["ä", "-x", "a;b", "--help"])
def test_odd_names_of_branches(repo: Path, branch: str) -> None:
    (repo / ".git" / "refs" / "heads" / branch).write_text(git(repo, "rev-parse", "HEAD"))
    place = Repository.around(repo)

    assert place.commit(branch) == place.commit("HEAD") is not None


def test_changes(repo: Path) -> None:
    folder = repo / "mappings" / "tobs"
    (folder / NAME).write_text("two\n")
    (folder / "tobs_i_0001.imap").unlink()
    (folder / "--x.rmap").write_text("odd\n")
    (folder / "ä\n.rmap").write_text("odder\n")
    (repo / "elsewhere.rmap").write_text("not there\n")
    place = Repository.around(repo)
    first = place.commit("HEAD") or ""
    expected = {f"mappings/tobs/{NAME}": "M", "mappings/tobs/tobs_i_0001.imap": "D"}
    expected |= {"mappings/tobs/--x.rmap": "A", "mappings/tobs/ä\n.rmap": "A"}

    assert place.changes(first, None, "mappings") == expected
    commit(repo, "second")
    assert place.changes(first, place.commit("HEAD"), "mappings") == expected
    assert "elsewhere.rmap" in place.changes(first, place.commit("HEAD"), "")


def test_links_are_no_mappings(repo: Path) -> None:
    (repo / "mappings" / "tobs" / "tobs_0002.pmap").symlink_to("/etc/passwd")
    commit(repo, "a link")

    assert found(repo, "HEAD").within("mappings/tobs").names() == (NAME, "tobs_i_0001.imap")


def test_the_revision_where_histories_part(repo: Path) -> None:
    place = Repository.around(repo)
    first = place.commit("HEAD")
    git(repo, "switch", "--quiet", "--create", "side")
    (repo / "a.rmap").write_text("")
    commit(repo, "on the side")
    git(repo, "switch", "--quiet", "main")
    (repo / "b.rmap").write_text("")
    commit(repo, "on main")

    assert place.merge_base(place.commit("main") or "", place.commit("side") or "") == first


def test_a_folder_without_repository(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="in no Git repository"):
        Repository.around(tmp_path)


def test_a_folder_outside(repo: Path) -> None:
    with pytest.raises(CacheError, match="is not in the Git repository"):
        Repository.around(repo).path_within(repo.parent)


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calmap.cache.git.PROGRAM", ("no-such-git",))

    with pytest.raises(CacheError, match="there is no program git"):
        Repository.around(tmp_path)


def test_a_damaged_repository(repo: Path) -> None:
    snapshot = found(repo, "HEAD").within("mappings/tobs")
    shutil.rmtree(repo / ".git" / "objects")

    with pytest.raises(CacheError):
        snapshot.read(NAME)


def test_a_hook_of_another_repository_does_not_lead_astray(
    repo: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))

    assert Repository.around(repo).root.samefile(repo)
    assert Repository.around(repo).commit("HEAD") is not None
