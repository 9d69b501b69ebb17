"""Files outside a cache that get new content together: all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from calmap.cache.interrupts import deferred
from calmap.cache.store import hidden_name, permissions, sync_folder, write_new, writing
from calmap.errors import CacheError, FileChangedError


class NewContent(NamedTuple):
    """What a file that is there shall hold.

    Parameters
    ----------
    path
        The file; a link stays one, and what it leads to is written.
    old, new
        What was read from it, and what it shall hold.
    """

    path: Path
    old: bytes
    new: bytes


class _Staged(NamedTuple):
    """A file, and where its new and old content are ready beside it."""

    content: NewContent
    target: Path
    new: Path
    old: Path


def write_together(contents: Iterable[NewContent]) -> None:
    """Give files new content; if one can't get it, all have the old.

    Parameters
    ----------
    contents
        The files. One that holds the new content already is as it shall be.

    Raises
    ------
    FileChangedError
        If a file no longer holds what was read.
    CacheError
        If one can't be written, or two of them are the same; the message tells what became of the others.
    """
    staged: list[_Staged] = []
    lost: tuple[_Staged, ...] = ()
    with deferred() as check:
        try:
            for content in contents:
                _stage(content, staged)
                check()
            lost, problem = _replace_all(staged)
        except CacheError as unstaged:
            raise _told(unstaged, "no file was changed") from unstaged
        finally:
            _clean_up(staged, lost)
    if problem is not None:
        raise problem
    for folder in dict.fromkeys(item.target.parent for item in staged):
        with suppress(OSError):
            sync_folder(folder)


def _stage(content: NewContent, staged: list[_Staged]) -> None:
    """Write the new and the old content of a file beside it."""
    target = Path(os.path.realpath(content.path))
    same = next((item.content.path for item in staged if item.target == target), None)
    if same is not None:
        raise CacheError(f"{same} and {content.path} are the same file", "name it once")
    with writing(content.path):
        if target.read_bytes() == content.new:
            return
        _require_unchanged(target, content)
        new, old = (target.with_name(hidden_name(target.name)) for _ in range(2))
        staged.append(_Staged(content, target, new, old))
        mode = permissions(target)
        write_new(new, (content.new,), mode)
        write_new(old, (content.old,), mode)


def _replace_all(staged: Sequence[_Staged]) -> tuple[tuple[_Staged, ...], CacheError | None]:
    """Put new content in place; if one fails, put the old back and give what could not be, and why."""
    for number, item in enumerate(staged):
        try:
            with writing(item.content.path):
                _require_unchanged(item.target, item.content)
                item.new.replace(item.target)
        except CacheError as problem:
            lost = tuple(done for done in staged[:number] if not _is_put_back(done))
            return lost, _told(problem, _outcome(number, lost))
    return (), None


def _require_unchanged(target: Path, content: NewContent) -> None:
    if target.read_bytes() != content.old:
        raise FileChangedError(f"{content.path} has changed since it was read", "try again")


def _is_put_back(item: _Staged) -> bool:
    try:
        item.old.replace(item.target)
    except OSError:
        return False
    return True


def _outcome(count: int, lost: Sequence[_Staged]) -> str:
    if not count:
        return "no file was changed"
    if not lost:
        return f"what was changed before it ({count} of the files) has its old content again"
    kept = ", ".join(f"{item.content.path} (its old content is in {item.old})" for item in lost)
    return f"these were changed before it and can't be put back: {kept}"


def _told(problem: CacheError, outcome: str) -> CacheError:
    return type(problem)(f"{problem.message}; {outcome}", problem.hint)


def _clean_up(staged: Iterable[_Staged], lost: Sequence[_Staged]) -> None:
    for item in staged:
        for path in (item.new,) if item in lost else (item.new, item.old):
            with suppress(OSError):
                path.unlink(missing_ok=True)
