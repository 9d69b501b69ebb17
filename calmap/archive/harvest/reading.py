"""Reading what is needed of many headers, in this process or in others.

What goes between processes are plain tuples and lists; Arrow is not needed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from calmap.errors import HeaderError
from calmap.headers.reading import read_headers

MOST_ROWS = 20_000
"""Datasets of one file, or of the files of one task, that are held in memory at once."""

Column = list[str | None]
State = Literal["same", "read", "large", "later"]


class Stamp(NamedTuple):
    """By what a file that has changed is known."""

    size: int
    mtime_ns: int


class Named(NamedTuple):
    """A file to read, and its stamp when it was read before, if it was."""

    name: str
    known: Stamp | None


class Seen(NamedTuple):
    """How a file was found.

    Parameters
    ----------
    state
        ``same`` as it was before and not read; ``read``; too ``large`` for its rows
        to be handed over; or to be read ``later``, by itself, as those before it in
        the task have many rows.
    stamp
        Its stamp, or None if it changed while it was read or not all of it could be.
    rows
        Number of datasets read.
    problem
        Why it, or the rest of it, can't be read; or empty.
    """

    state: State
    stamp: Stamp | None
    rows: int
    problem: str


class Rows:
    """Datasets read, a list for each column.

    Parameters
    ----------
    keywords
        What is taken of each header.
    """

    __slots__ = ("_texts", "columns", "datasets", "keywords")

    def __init__(self, keywords: tuple[str, ...]) -> None:
        self.keywords = keywords
        self.datasets: list[str] = []
        self.columns: list[Column] = [[] for _ in keywords]
        self._texts: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.datasets)

    def add(self, dataset: str, header: dict[str, str]) -> None:
        """Take a dataset in."""
        self.datasets.append(dataset)
        same = self._texts.setdefault
        for keyword, column in zip(self.keywords, self.columns, strict=True):
            value = header.get(keyword)
            column.append(value if value is None else same(value, value))

    def cut(self, length: int) -> None:
        """Forget all beyond the first datasets."""
        del self.datasets[length:]
        for column in self.columns:
            del column[length:]


class Reading(NamedTuple):
    """What came of a task: how each file was found, and the rows of those that were read."""

    files: list[Seen]
    datasets: list[str]
    columns: list[Column]


def read_files(files: tuple[Named, ...], keywords: tuple[str, ...]) -> Reading:
    """Read the files that are not as they were."""
    rows = Rows(keywords)
    seen = [_read(file, rows) for file in files]
    return Reading(seen, rows.datasets, rows.columns)


def read_large(name: str, keywords: tuple[str, ...]) -> Iterator[tuple[Rows, str]]:
    """Rows of a file with many datasets, by and by; with the last, why the rest can't be read."""
    rows = Rows(keywords)
    problem = ""
    try:
        for dataset, header in read_headers(Path(name)):
            rows.add(dataset, header)
            if len(rows) >= MOST_ROWS:
                yield rows, ""
                rows = Rows(keywords)
    except (HeaderError, OSError, ValueError, MemoryError, RecursionError) as error:
        problem = _reason(name, error)
    yield rows, problem


def stamp_of(name: str) -> Stamp | None:
    """Stamp of a file now, or None if there is none."""
    try:
        status = Path(name).stat()
    except (OSError, ValueError):
        return None
    return Stamp(status.st_size, status.st_mtime_ns)


def _read(file: Named, rows: Rows) -> Seen:
    before = stamp_of(file.name)
    if before is not None and before == file.known:
        return Seen("same", before, 0, "")
    start = len(rows)
    problem = ""
    try:
        for dataset, header in read_headers(Path(file.name)):
            if len(rows) >= MOST_ROWS:
                rows.cut(start)
                return Seen("later" if start else "large", None, 0, "")
            rows.add(dataset, header)
    except (HeaderError, OSError, ValueError, MemoryError, RecursionError) as error:
        problem = _reason(file.name, error)
    settled = not problem and before == stamp_of(file.name)
    return Seen("read", before if settled else None, len(rows) - start, problem)


def _reason(name: str, error: Exception) -> str:
    """What is wrong with a file, without its name before it."""
    text = str(error) or type(error).__name__
    if not isinstance(error, HeaderError):
        text = f"it can't be read: {getattr(error, 'strerror', None) or text}"
    return text if name in text else f"{name}: {text}"
