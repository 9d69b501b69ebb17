"""Where tables are: files and folders of this machine, and URLs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from calmap.errors import CacheError, HeaderError, UsageError

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_REMOTE_HINT = "install what reads it: pip install 'calmap-toolkit[remote]'"


def is_url(place: str) -> bool:
    """True for what is not on this machine."""
    match = _URL.match(place)
    return match is not None and match[1].lower() != "file"


def placed(name: str, cwd: Path) -> str:
    """What a user calls a file, as a path that can be opened, or the URL it is."""
    if is_url(name):
        return name
    path = Path(name[len("file://") :] if name.lower().startswith("file://") else name).expanduser()
    return str(path) if cwd == Path.cwd() else str(cwd / path)


def files_of(places: Sequence[str], suffixes: Sequence[str]) -> tuple[str, ...]:
    """Files by their names, and those below folders in alphabetical order.

    Hidden files, and those whose names begin with an underscore as tools write
    them beside tables, are left out.

    Parameters
    ----------
    places
        Paths or URLs of files and folders.
    suffixes
        What names of tables end in, lower case.

    Raises
    ------
    UsageError
        If a folder holds something else, or nothing.
    HeaderError
        If a folder can't be read.
    """
    found = []
    for place in places:
        below = _below(place)
        if below is None:
            _require_file(place)
            found.append(place)
            continue
        files = tuple(below)
        strange = next((file for file in files if not file.lower().endswith(tuple(suffixes))), None)
        if strange is not None:
            raise UsageError(f"{strange} is of no known kind", f"tables end in {', '.join(suffixes)}")
        if not files:
            raise UsageError(f"there is no table in {place}", f"tables end in {', '.join(suffixes)}")
        for file in files:
            _require_file(file)
        found += files
    return tuple(found)


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Tell whatever goes wrong with a table as trouble with it.

    Raises
    ------
    HeaderError
        For errors of the system, of Arrow and of remote services.
    """
    from pyarrow import ArrowException

    # What libraries for remote services raise has no common class.
    troubles: tuple[type[Exception], ...] = (Exception,) if is_url(place) else (OSError, ValueError)
    try:
        yield
    except (HeaderError, UsageError):
        raise
    except FileNotFoundError:
        raise HeaderError(f"there is no {place}") from None
    except (*troubles, ArrowException) as problem:
        raise HeaderError(f"{place} can't be read: {_reason(problem)}") from problem


def opened(place: str) -> Any:
    """A file open for reading, with ``read`` and ``seek``.

    Raises
    ------
    CacheError
        If what reads its kind of URL is not installed.
    OSError
        If it can't be opened.
    """
    if not is_url(place):
        return Path(place).open("rb")
    system, path = file_system(place)
    return system.open(path, "rb")


def file_system(url: str) -> tuple[Any, str]:
    """What reads and writes a URL, and the path it knows the URL by.

    Raises
    ------
    CacheError
        If that is not installed.
    """
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(url)
    except ImportError as problem:
        raise CacheError(f"{url} can't be used: {problem}", _REMOTE_HINT) from None
    except ValueError as problem:
        raise UsageError(f"{url} is no URL that can be used: {problem}") from None
    return system, path


def _below(place: str) -> Iterator[str] | None:
    """Files below a folder, or None for what is none."""
    if is_url(place):
        with reading(place):
            system, path = file_system(place)
            if not system.isdir(path):
                return None
            names = sorted(system.find(path))
        inside = len(path.rstrip("/")) + 1
        return (system.unstrip_protocol(name) for name in names if not _is_hidden(name[inside:].split("/")))
    folder = Path(place)
    if not folder.is_dir():
        return None
    with reading(place):
        return iter(tuple(_inside(folder)))


def _require_file(place: str) -> None:
    """Refuse pipes and devices, which can be read once and may never end."""
    if not is_url(place) and Path(place).exists() and not Path(place).is_file():
        raise HeaderError(f"{place} can't be read: it is no regular file")


def is_read_from(place: str, folder: str) -> bool:
    """Whether a file is one of those that are read when a folder is named."""
    if is_url(place) or is_url(folder):
        inside = place.removeprefix(f"{folder.rstrip('/')}/")
        return inside != place and not _is_hidden(inside.split("/"))
    try:
        parts = Path(os.path.realpath(place)).relative_to(os.path.realpath(folder)).parts
    except ValueError:
        return False
    return Path(folder).is_dir() and bool(parts) and not _is_hidden(parts)


def folder_columns(place: str) -> tuple[tuple[str, str | None], ...]:
    """Columns and values that are told by names of folders, as in ``INSTRUME=ACS/part-0.parquet``."""
    pairs = (part.partition("=") for part in re.split(r"[/\\]", place)[:-1])
    return tuple(
        (unquote(name), None if value in ("", _NO_VALUE) else unquote(value))
        for name, equals, value in pairs
        if name and equals
    )


def _inside(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if _is_hidden((path.name,)):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _inside(path)
        elif not path.is_dir():
            yield os.fspath(path)


def _is_hidden(names: Sequence[str]) -> bool:
    return any(name.startswith((".", "_")) for name in names)


def _reason(problem: Exception) -> str:
    if isinstance(problem, UnicodeDecodeError):
        return "it is not UTF-8 text"
    text = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return text.strip().rstrip(".") or type(problem).__name__
