"""Mappings of a Git repository as they were at a revision."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from calmap.cache.git import Done, git
from calmap.errors import CacheError, NotInCacheError
from calmap.model.names import is_safe, mapping_kind

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
        if done.code:
            dubious = "dubious ownership" in done.reason
            hint = done.reason if dubious else "revisions need a cache that is kept in Git"
            raise CacheError(f"{folder} is in no Git repository", hint)
        return cls(Path(done.output.decode("utf-8", "surrogateescape").rstrip("\n")))

    @property
    def shallow_hint(self) -> str:
        """What to do if it lacks older commits; empty if it has them all."""
        shallow = _run(self.root, "rev-parse", "--is-shallow-repository").text == "true"
        return "the clone is shallow; git fetch --unshallow gets the older commits" if shallow else ""

    def commit(self, revision: str) -> str | None:
        """The commit that a branch, a tag, ``HEAD~1`` and the like stand for, or None."""
        if not revision or "\0" in revision:
            return None
        asked = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        done = _run(self.root, "rev-parse", *asked)
        return None if done.code else done.text

    def merge_base(self, one: str, other: str) -> str:
        """The commit at which the histories of two commits part.

        Raises
        ------
        CacheError
            If they have nothing in common.
        """
        done = _run(self.root, "merge-base", one, other)
        if done.code:
            message = f"the commits {one[:10]} and {other[:10]} have no common history"
            raise CacheError(message, self.shallow_hint or None)
        return done.text

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
        data, place = self._output("cat-file", "--batch", given="".join(f"{name}\n" for name in names)), 0
        for name in names:
            end = data.index(b"\n", place)
            words = data[place:end].split()
            if len(words) != 3 or words[1] != b"blob" or int(words[2]) > _MAX_BLOB:
                raise CacheError(f"the object {name} of the repository {self.root} can't be read")
            size = int(words[2])
            yield data[end + 1 : end + 1 + size]
            place = end + 2 + size

    def _output(self, *arguments: str, given: str = "") -> bytes:
        done = _run(self.root, *arguments, given=given.encode())
        if done.code:
            raise CacheError(f"git {arguments[0]} fails in {self.root}: {done.reason}")
        return done.output


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


def _run(folder: Path, *arguments: str, given: bytes = b"") -> Done:
    return git(folder, *arguments, given=given, otherwise="compare files by their names")


def _parts(output: bytes) -> Iterator[str]:
    """Texts that end in NUL."""
    return (part.decode("utf-8", "surrogateescape") for part in output.split(b"\0") if part)
