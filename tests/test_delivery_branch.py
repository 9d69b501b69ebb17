"""A change as a commit on a branch of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from git_repositories import git, repository

from calmap.delivery.branch import lacks_lfs, new_branch
from calmap.errors import CacheError


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "old.txt").write_text("old")
    repository(tmp_path)
    git(tmp_path, "config", "user.name", "Tester")
    git(tmp_path, "config", "user.email", "tester@example.org")
    return tmp_path


def test_one_commit_with_these_files_only(repo: Path) -> None:
    (repo / "old.txt").write_text("dirty")
    (repo / "staged.txt").write_text("staged")
    git(repo, "add", "staged.txt")
    new = repo / "é ü.txt"
    new.write_text("new")

    new_branch(repo, "calmap/x").commit([new], "Insert é", ["line one", "", "line two"])

    assert git(repo, "log", "-1", "--format=%B").rstrip() == "Insert é\n\nline one\n\nline two"
    assert git(repo, "-c", "core.quotePath=false", "show", "--format=", "--name-only").strip() == "é ü.txt"
    assert git(repo, "status", "--porcelain") == " M old.txt\nA  staged.txt\n"


def test_a_name_that_is_taken_gets_a_number(repo: Path) -> None:
    git(repo, "branch", "x")
    git(repo, "branch", "x-2")

    assert new_branch(repo, "x").name == "x-3"


@pytest.mark.parametrize("detached", [False, True])
def test_a_refused_commit_leaves_everything_as_it_was(repo: Path, *, detached: bool) -> None:
    if detached:
        git(repo, "checkout", "--quiet", "--detach")
    planned = new_branch(repo, "x")
    before = git(repo, "status", "--porcelain", "--branch")

    with pytest.raises(CacheError, match=r"git add in .* failed"):
        planned.commit([repo / "not there"], "Insert", [])

    assert git(repo, "status", "--porcelain", "--branch") == before
    assert git(repo, "branch", "--list", "x") == ""


def test_a_branch_that_somebody_else_makes_meanwhile_stays(repo: Path) -> None:
    branch = new_branch(repo, "calmap/x")
    git(repo, "switch", "--quiet", "--create", "calmap/x")
    git(repo, "commit", "--quiet", "--allow-empty", "--message", "somebody's work")
    git(repo, "switch", "--quiet", "main")

    with pytest.raises(CacheError, match="already exists"):
        branch.commit([repo / "a.txt"], "Add", ())

    assert git(repo, "log", "-1", "--format=%s", "calmap/x") == "somebody's work\n"
    assert git(repo, "branch", "--show-current") == "main\n"


def test_a_repository_without_a_commit(tmp_path: Path, repo: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    git(empty, "config", "user.name", "Tester")
    git(empty, "config", "user.email", "tester@example.org")

    with pytest.raises(CacheError, match="has no commit yet"):
        new_branch(empty, "x")


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(CacheError, match="not a git repository"):
        new_branch(tmp_path, "x")


def test_no_git(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calmap.cache.git.PROGRAM", ("no-such-program",))

    with pytest.raises(CacheError, match="there is no program git"):
        new_branch(repo, "x")
    assert lacks_lfs(repo, [repo / "a.fits"]) == ()


@pytest.mark.parametrize(
    ("attributes", "lacking"),
    [
        ("*.fits filter=lfs\n", []),
        ("*.asdf filter=lfs\n", ["a.fits"]),
        ("/references/** filter=lfs\n*.asdf filter=lfs\n", ["a.fits"]),
        ("*.rmap text\n", []),
        (None, []),
    ],
)
def test_files_that_git_lfs_does_not_take(repo: Path, attributes: str | None, lacking: list[str]) -> None:
    if attributes:
        (repo / ".gitattributes").write_text(attributes)

    found = lacks_lfs(repo, [repo / "a.fits", repo / "references/b.fits"])

    assert [path.name for path in found if path.name == "a.fits"] == lacking
