"""Files of datasets that a user names: files, folders and lists of names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from calmap.errors import UsageError

SUFFIXES = (
    ".fits",
    ".fit",
    ".fts",
    ".fits.gz",
    ".fits.fz",
    ".fits.bz2",
    ".asdf",
    ".json",
    ".jsonl",
    ".yaml",
    ".yml",
)
_DEPTH = 8


def dataset_files(names: Sequence[str], cwd: Path) -> Iterator[Path]:
    """Paths of datasets in the order named, found one by one as they are asked for.

    Parameters
    ----------
    names
        Files; folders, for all datasets below them in alphabetical order; and
        ``@list``, for a text file with one name a line, in which ``#`` begins a
        comment and names count from the folder of the list.
    cwd
        Folder that relative names start from.

    Raises
    ------
    UsageError
        At once if something named is not there; later if a list named in a list can't be
        read. A dataset named in a list is yielded whether or not it is there.
    """
    for name in names:
        _check(name, cwd)
    return (path for name in names for path in _expanded(name, cwd, _DEPTH))


def _check(name: str, folder: Path) -> None:
    if not (folder / Path(name.removeprefix("@")).expanduser()).exists():
        raise UsageError(f"{name} does not exist", "name files, folders, or @list for a file of names")


def _expanded(name: str, folder: Path, depth: int) -> Iterator[Path]:
    if name.startswith("@"):
        if depth == 0:
            raise UsageError(f"{name}: lists name each other too deeply")
        yield from _listed(folder / name[1:], depth)
        return
    path = folder / Path(name).expanduser()
    shown = Path(name).expanduser() if folder == Path.cwd() else path
    if path.is_dir():
        yield from _below(shown)
    else:
        yield shown


def _listed(path: Path, depth: int) -> Iterator[Path]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"the list {path} can't be read: {problem}") from None
    for line in lines:
        name = line.partition("#")[0].strip()
        if name:
            yield from _expanded(name, path.parent, depth - 1)


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        elif path.name.lower().endswith(SUFFIXES):
            yield path
