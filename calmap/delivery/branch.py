"""A change of a cache as one commit on a branch of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calmap.errors import CacheError

_GIT = ("git", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", "--no-pager")


@dataclass(frozen=True, slots=True)
class Branch:
    """A new branch that is to have one commit.

    Parameters
    ----------
    root
        Topmost folder of the repository.
    name
        Name of the branch.
    start
        Branch, or commit if none, that it starts from.
    """

    root: Path
    name: str
    start: str

    def commit(self, paths: Sequence[Path], subject: str, body: Sequence[str]) -> None:
        """Commit files, and nothing else that is changed, on the new branch, and stay there.

        Raises
        ------
        CacheError
            If Git refuses; the branch is then gone again.
        """
        names = [str(path) for path in paths]
        message = "\n".join((subject, "", *body)).rstrip() + "\n"
        try:
            _git(self.root, "switch", "--quiet", "--create", self.name)
            _git(self.root, "add", "--", *names)
            _git(self.root, "commit", "--quiet", "--file", "-", "--only", "--", *names, text=message)
        except BaseException:
            self._leave(names)
            raise

    def _leave(self, names: Sequence[str]) -> None:
        back = ("--detach", self.start) if self.start == _head(self.root) else (self.start,)
        for command in (
            ("reset", "--quiet", "--", *names),
            ("switch", "--quiet", *back),
            ("branch", "-D", self.name),
        ):
            _run(self.root, *command)


def new_branch(folder: Path, name: str) -> Branch:
    """A branch that can be made and committed to.

    Parameters
    ----------
    folder
        The cache.
    name
        What to call it; a number is added if there is one of that name.

    Raises
    ------
    CacheError
        If the cache is in no repository, Git does not know who commits, or there is no commit yet.
    """
    root = Path(_git(folder, "rev-parse", "--show-toplevel"))
    if _run(root, "var", "GIT_COMMITTER_IDENT").returncode:
        hint = "set user.name and user.email with git config, or leave out --git"
        raise CacheError(f"git does not know who commits to {root}", hint)
    commit = _head(root)
    current = _run(root, "symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip()
    known = set(_git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines())
    names = (name, *(f"{name}-{number}" for number in range(2, len(known) + 3)))
    return Branch(root, next(item for item in names if item not in known), current or commit)


def lacks_lfs(folder: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Files that Git would keep whole although the repository keeps others of their kind with Git LFS."""
    root = _run(folder, "rev-parse", "--show-toplevel").stdout.strip()
    if not root or not paths:
        return ()
    attributes = Path(root, ".gitattributes")
    try:
        if "filter=lfs" not in attributes.read_text("utf-8", errors="replace"):
            return ()
    except OSError:
        return ()
    done = _run(Path(root), "check-attr", "-z", "filter", "--", *(str(path) for path in paths))
    words = done.stdout.split("\0")
    filters = words[2::3]
    return tuple(path for path, value in zip(paths, filters, strict=False) if value != "lfs")


def _head(root: Path) -> str:
    return _git(root, "rev-parse", "--verify", "HEAD")


def _git(root: Path, *arguments: str, text: str = "") -> str:
    done = _run(root, *arguments, text=text)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = "; ".join(said[:3]) or f"exit code {done.returncode}"
        raise CacheError(
            f"git {arguments[0]} in {root} failed: {reason}", "leave out --git, or mend that first"
        )
    return done.stdout.strip()


def _run(root: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [*_GIT, "-C", str(root), *arguments],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise CacheError("git can't be found", "install it, or leave out --git") from None
