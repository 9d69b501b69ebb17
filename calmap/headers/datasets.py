"""Files of datasets that a user names: files, folders and lists of names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from calmap.errors import UsageError

SUFFIXES = (
    *(".fits", ".fit", ".fts", ".fits.gz", ".fits.fz", ".fits.bz2"),
    *(".asdf", ".json", ".jsonl", ".yaml", ".yml"),
)
MAX_LINE = 10_000
Trouble = Callable[[Path, str], None]


def dataset_files(names: Sequence[str], cwd: Path, trouble: Trouble | None = None) -> Iterator[Path]:
    """Paths of datasets in the order named, found one by one as they are asked for.

    A file is yielded whether or not it is there, so that one wrong name does not
    stop the others.

    Parameters
    ----------
    names
        Files; folders, for all datasets below them in alphabetical order; and
        ``@list``, for a text file with one name a line, in which ``#`` at the start
        of a line or after a blank begins a comment and names count from the folder
        of the list. What a list names like a file of a dataset is not looked at, as
        a list may name millions.
    cwd
        Folder that relative names start from.
    trouble
        Told of each folder that can't be read and why; then the others are gone
        through all the same.

    Raises
    ------
    UsageError
        If a list can't be read or contains itself.
    OSError
        If a folder can't be read and there is nobody to tell.
    """
    for name in names:
        yield from _expanded(name, cwd, (), trouble)


def _expanded(name: str, folder: Path, lists: tuple[Path, ...], trouble: Trouble | None) -> Iterator[Path]:
    if name.startswith("@"):
        yield from _listed(folder / Path(name[1:]).expanduser(), lists, trouble)
        return
    path = folder / Path(name).expanduser()
    shown = Path(name).expanduser() if not lists and folder == Path.cwd() else path
    listed_file = bool(lists) and name.lower().endswith(SUFFIXES)
    if not listed_file and _is_folder(path, trouble):
        yield from _below(shown, trouble)
    else:
        yield shown


def _is_folder(path: Path, trouble: Trouble | None) -> bool:
    """True for a folder; what can't be looked at counts as a file where somebody is told of it then."""
    try:
        return path.is_dir()
    except OSError:
        if trouble is None:
            raise
        return False


def _listed(path: Path, lists: tuple[Path, ...], trouble: Trouble | None) -> Iterator[Path]:
    here = path.resolve()
    if here in lists:
        raise UsageError(f"the list {path} contains itself")
    if path.exists() and not path.is_file():
        raise UsageError(f"the list {path} is not an ordinary file")
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            while line := file.readline(MAX_LINE):
                if name := _name(line):
                    yield from _expanded(name, path.parent, (*lists, here), trouble)
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise UsageError(f"the list {path} can't be read: {reason}") from None


def _name(line: str) -> str:
    text = line.strip()
    words = text.partition(" #")[0].partition("\t#")[0]
    return "" if text.startswith("#") else words.strip()


def _below(folder: Path, trouble: Trouble | None) -> Iterator[Path]:
    """Datasets below a folder; symbolic links to folders are not followed."""
    open_folders = [_entries(folder, trouble)]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
            continue
        path, is_folder = entry
        if is_folder:
            open_folders.append(_entries(path, trouble))
        elif path.name.lower().endswith(SUFFIXES):
            yield path


def _entries(folder: Path, trouble: Trouble | None) -> Iterator[tuple[Path, bool]]:
    """What is in a folder in alphabetical order, and whether it is a folder."""
    try:
        with os.scandir(folder) as entries:
            found = [(each.name, each.is_dir(follow_symlinks=False)) for each in entries]
    except OSError as problem:
        if trouble is None:
            raise
        trouble(folder, f"the folder can't be read: {problem.strerror or problem}")
        return
    for name, is_folder in sorted(found):
        if not name.startswith("."):
            yield folder / name, is_folder
