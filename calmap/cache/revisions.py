"""Mappings of a Git repository as they were at a revision."""

from __future__ import annotations

import subprocess
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from calmap.errors import CacheError, NotInCacheError
from calmap.model.names import is_safe, mapping_kind

_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-pager")
_BLOBS = frozenset({"100644", "100755"})
_MAX_BLOB = 200_000_000


@dataclass(frozen=True, slots=True)
class Repository:
    """A Git repository.

    Parameters
    ----------
    root
        Its topmost folder.
    """

    root: Path

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository that a folder is in.

        Raises
        ------
        CacheError
            If it is in none, or there is no Git.
        """
        done = _run(folder, "rev-parse", "--show-toplevel")
        if done.returncode:
            said = _said(done)
            hint = said if "dubious ownership" in said else "revisions need a cache that is kept in Git"
            raise CacheError(f"{folder} is in no Git repository", hint)
        return cls(Path(done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")))

    def commit(self, revision: str) -> str | None:
        """The commit that a branch, a tag, ``HEAD~1`` and the like stand for, or None."""
        if not revision or "\0" in revision:
            return None
        asked = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        done = _run(self.root, "rev-parse", *asked)
        return None if done.returncode else done.stdout.decode("ascii", "replace").strip()

    def merge_base(self, one: str, other: str) -> str:
        """The commit at which the histories of two commits part.

        Raises
        ------
        CacheError
            If they have nothing in common.
        """
        done = _run(self.root, "merge-base", one, other)
        if done.returncode:
            raise CacheError(f"the commits {one} and {other} have no common history")
        return done.stdout.decode("ascii", "replace").strip()

    def mappings(self, commit: str, label: str) -> RevisionFiles:
        """Every mapping in a commit.

        Parameters
        ----------
        commit
            As `commit` gives it.
        label
            What the user called it.
        """
        listed = self._output("ls-tree", "-r", "-z", "--full-tree", commit)
        found = {}
        for line in _parts(listed):
            about, _, path = line.partition("\t")
            mode, kind, blob = about.split(" ")[:3]
            if kind == "blob" and mode in _BLOBS and mapping_kind(PurePosixPath(path).name):
                found[path] = blob
        return RevisionFiles(self, commit, label, found)

    def changes(self, old: str, new: str | None, folder: str) -> dict[str, str]:
        """Paths of mappings that differ between a commit and another or the working tree.

        Parameters
        ----------
        old, new
            Commits; None for the working tree.
        folder
            Only what is below this folder, a path from the root.

        Returns
        -------
        dict
            ``A`` for added, ``D`` for deleted, ``M`` for changed.
        """
        places = ("--", f":(top,literal){folder}") if folder else ()
        commits = (old, new) if new else (old,)
        flags = ("--name-status", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        words = list(_parts(self._output("diff", *flags, *commits, *places)))
        found = {path: state[:1] for state, path in zip(words[::2], words[1::2], strict=True)}
        if new is None:
            others = self._output("ls-files", "-z", "--others", "--exclude-standard", "--full-name", *places)
            found.update(dict.fromkeys(_parts(others), "A"))
        known = {path: "M" if state == "T" else state for path, state in found.items()}
        return {path: known[path] for path in sorted(known) if mapping_kind(PurePosixPath(path).name)}

    def path_within(self, folder: Path) -> str:
        """A folder as a path from the root; empty for the root itself.

        Raises
        ------
        CacheError
            If it lies outside.
        """
        place, root = folder.resolve(), self.root.resolve()
        if not place.is_relative_to(root):
            raise CacheError(f"{folder} is not in the Git repository {self.root}")
        path = place.relative_to(root).as_posix()
        return "" if path == "." else path

    def blobs(self, names: tuple[str, ...]) -> Iterator[bytes]:
        """Contents of blobs, in their order.

        Raises
        ------
        CacheError
            If one is not there.
        """
        done = _run(self.root, "cat-file", "--batch", asked="".join(f"{name}\n" for name in names).encode())
        if done.returncode:
            raise CacheError(f"git can't read the repository {self.root}: {_said(done)}")
        data, place = done.stdout, 0
        for name in names:
            end = data.index(b"\n", place)
            words = data[place:end].split()
            if len(words) != 3 or words[1] != b"blob" or int(words[2]) > _MAX_BLOB:
                raise CacheError(f"the object {name} of the repository {self.root} can't be read")
            size = int(words[2])
            yield data[end + 1 : end + 1 + size]
            place = end + 2 + size

    def _output(self, *arguments: str) -> bytes:
        done = _run(self.root, *arguments)
        if done.returncode:
            raise CacheError(f"git {arguments[0]} fails in {self.root}: {_said(done)}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class RevisionFiles:
    """The mappings of a commit.

    Parameters
    ----------
    repository, commit
        Where they are.
    label
        What the user called the commit.
    paths
        Blobs by path from the root of the repository.
    """

    repository: Repository
    commit: str
    label: str = field(compare=False)
    paths: dict[str, str] = field(repr=False, compare=False)
    _kept: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def within(self, *folders: str) -> RevisionSnapshot:
        """The mappings that stand in folders, of which earlier ones come first."""
        placed = [(path, *path.rpartition("/")[::2]) for path in self.paths]
        found: dict[str, str] = {}
        for folder in folders:
            for path, place, name in placed:
                if place == folder and is_safe(name):
                    found.setdefault(name, path)
        return RevisionSnapshot(self, found)

    def content(self, path: str) -> bytes:
        """Bytes of a file."""
        blob = self.paths[path]
        if blob not in self._kept:
            self._kept[blob] = next(self.repository.blobs((blob,)))
        return self._kept[blob]

    def fetch(self, paths: Iterable[str]) -> None:
        """Read many files at once, so that `content` need not."""
        blobs = dict.fromkeys(self.paths[path] for path in paths)
        wanted = tuple(blob for blob in blobs if blob not in self._kept)
        if wanted:
            self._kept.update(zip(wanted, self.repository.blobs(wanted), strict=True))


@dataclass(frozen=True, slots=True)
class RevisionSnapshot:
    """The mappings of a telescope in a commit, by name.

    Parameters
    ----------
    files
        All mappings of the commit.
    places
        Paths by name.
    """

    files: RevisionFiles
    places: dict[str, str]

    def identity(self, name: str) -> Hashable | None:
        """The blob of a mapping, or None."""
        return self.files.paths[self.places[name]] if name in self.places else None

    def read(self, name: str) -> bytes:
        """Bytes of a mapping.

        Raises
        ------
        NotInCacheError
            If it is not in the commit.
        """
        if name not in self.places:
            raise NotInCacheError(f"mapping {name} is not in {self.files.label}")
        return self.files.content(self.places[name])

    def fetch(self, names: Iterable[str]) -> None:
        """Read many mappings at once, so that `read` need not."""
        self.files.fetch(self.places[name] for name in names if name in self.places)

    def shown(self, name: str) -> str:
        """Revision and path of a mapping."""
        return f"{self.files.label}:{self.places.get(name, name)}"

    def names(self) -> tuple[str, ...]:
        """Names of all mappings."""
        return tuple(sorted(self.places))


def _run(folder: Path, *arguments: str, asked: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            (*_GIT, "-C", str(folder), *arguments),
            input=asked,
            stdin=subprocess.DEVNULL if asked is None else None,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise CacheError("there is no program git", "install Git, or compare files by their names") from None
    except (OSError, ValueError) as problem:
        raise CacheError(f"git can't be started: {problem}") from None


def _parts(output: bytes) -> Iterator[str]:
    """Texts that end in NUL."""
    return (part.decode("utf-8", "surrogateescape") for part in output.split(b"\0") if part)


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else "it does not say why"
