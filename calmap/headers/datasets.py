"""Files of datasets that a user names: files, folders and lists of names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from calmap.errors import UsageError

SUFFIXES = (
    *(".fits", ".fit", ".fts", ".fits.gz", ".fits.fz", ".fits.bz2"),
    *(".asdf", ".json", ".jsonl", ".yaml", ".yml"),
)
MAX_LINE = 10_000


def dataset_files(names: Sequence[str], cwd: Path) -> Iterator[Path]:
    """Paths of datasets in the order named, found one by one as they are asked for.

    A file is yielded whether or not it is there, so that one wrong name does not
    stop the others.

    Parameters
    ----------
    names
        Files; folders, for all datasets below them in alphabetical order; and
        ``@list``, for a text file with one name a line, in which ``#`` at the start
        of a line or after a blank begins a comment and names count from the folder
        of the list.
    cwd
        Folder that relative names start from.

    Raises
    ------
    UsageError
        If a list can't be read or contains itself.
    """
    for name in names:
        yield from _expanded(name, cwd, ())


def _expanded(name: str, folder: Path, lists: tuple[Path, ...]) -> Iterator[Path]:
    if name.startswith("@"):
        yield from _listed(folder / Path(name[1:]).expanduser(), lists)
        return
    path = folder / Path(name).expanduser()
    shown = Path(name).expanduser() if not lists and folder == Path.cwd() else path
    if path.is_dir():
        yield from _below(shown)
    else:
        yield shown


def _listed(path: Path, lists: tuple[Path, ...]) -> Iterator[Path]:
    if path.resolve() in lists:
        raise UsageError(f"the list {path} contains itself")
    if path.exists() and not path.is_file():
        raise UsageError(f"the list {path} is not an ordinary file")
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            while line := file.readline(MAX_LINE):
                if name := _name(line):
                    yield from _expanded(name, path.parent, (*lists, path.resolve()))
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise UsageError(f"the list {path} can't be read: {reason}") from None


def _name(line: str) -> str:
    text = line.strip()
    words = text.partition(" #")[0].partition("\t#")[0]
    return "" if text.startswith("#") else words.strip()


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        elif path.name.lower().endswith(SUFFIXES):
            yield path
