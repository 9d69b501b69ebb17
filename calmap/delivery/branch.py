"""A change of a cache as one commit on a branch of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.git import Done, git
from calmap.errors import CacheError


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
        names = [self._pathspec(path) for path in paths]
        message = "\n".join((subject, "", *body)).rstrip() + "\n"
        try:
            _git(self.root, "switch", "--quiet", "--create", self.name)
            _git(self.root, "add", "--", *names)
            _git(self.root, "commit", "--quiet", "--file", "-", "--only", "--", *names, text=message)
        except BaseException:
            self._leave(names)
            raise

    def _pathspec(self, path: Path) -> str:
        """What Git takes for just this file, whatever signs are in its name."""
        place, root = path.resolve(), self.root.resolve()
        if not place.is_relative_to(root):
            raise CacheError(f"{path} is not in the repository {root}", "leave out --git")
        return f":(top,literal){place.relative_to(root).as_posix()}"

    def _leave(self, names: Sequence[str]) -> None:
        """Go back to where the branch starts, which is the same commit, even if the index is locked.

        A branch of that name that has commits of its own is somebody else's, and stays.
        """
        _run(self.root, "reset", "--quiet", "--", *names)
        if self.start == _head(self.root):
            _run(self.root, "switch", "--quiet", "--detach", self.start)
        else:
            _run(self.root, "symbolic-ref", "HEAD", f"refs/heads/{self.start}")
        _run(self.root, "branch", "--delete", self.name)


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
    if _run(root, "var", "GIT_COMMITTER_IDENT").code:
        hint = "set user.name and user.email with git config, or leave out --git"
        raise CacheError(f"git does not know who commits to {root}", hint)
    commit = _head(root)
    current = _run(root, "symbolic-ref", "--quiet", "--short", "HEAD").text
    known = set(_git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines())
    names = (name, *(f"{name}-{number}" for number in range(2, len(known) + 3)))
    return Branch(root, next(item for item in names if item not in known), current or commit)


def lacks_lfs(folder: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Files that Git would keep whole although the repository keeps others of their kind with Git LFS."""
    root = next((place for place in (folder, *folder.resolve().parents) if (place / ".git").exists()), None)
    if root is None or not paths:
        return ()
    try:
        if "filter=lfs" not in (root / ".gitattributes").read_text("utf-8", errors="replace"):
            return ()
        done = _run(root, "check-attr", "-z", "filter", "--", *(str(path.absolute()) for path in paths))
    except (OSError, CacheError):
        return ()
    filters = done.output.decode("utf-8", "replace").split("\0")[2::3]
    return tuple(path for path, value in zip(paths, filters, strict=False) if value != "lfs")


def _head(root: Path) -> str:
    found = _run(root, "rev-parse", "--verify", "HEAD")
    if found.code:
        raise CacheError(f"the repository {root} has no commit yet", "make one first, or leave out --git")
    return found.text


def _git(root: Path, *arguments: str, text: str = "") -> str:
    done = _run(root, *arguments, text=text)
    if done.code:
        message = f"git {arguments[0]} in {root} failed: {done.reason}"
        raise CacheError(message, "leave out --git, or mend that first")
    return done.text


def _run(root: Path, *arguments: str, text: str = "") -> Done:
    return git(root, *arguments, given=text.encode("utf-8"), otherwise="leave out --git")
