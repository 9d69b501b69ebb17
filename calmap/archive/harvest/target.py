"""The file that a harvest is written to, and what it holds already."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from calmap.archive.harvest.table import DATASET, harvested_keywords
from calmap.cache.store import writing
from calmap.errors import UsageError

SUFFIXES: Final = (".parquet", ".csv")
_CSV_BEGINNING: Final = f'"{DATASET}"'.encode("ascii")


def earlier_table(target: Path, keywords: tuple[str, ...], *, fresh: bool, add: bool) -> Path | None:
    """The table in a place that is to be written, if rows of it can be taken over.

    Parameters
    ----------
    target
        The place.
    keywords
        What the new table is to have.
    fresh
        Replace whatever is there.
    add
        It must be taken over, if it is there.

    Raises
    ------
    UsageError
        If that is no place for a harvest, or `add` can't be done.
    CacheError
        If it can't be read.
    """
    _refuse_wrong_place(target, add=add)
    if fresh or not target.exists():
        return None
    found: tuple[str, ...] | None
    with writing(target, "read"):
        if target.suffix.lower() == ".csv":
            with target.open("rb") as file:
                found = () if file.read(len(_CSV_BEGINNING)) == _CSV_BEGINNING else None
        else:
            found = harvested_keywords(target)
    if found is None:
        raise UsageError(
            f"{target} is there already and is no whole table of calmap harvest",
            "name another output, or replace it with --fresh",
        )
    lacking = sorted(set(keywords) - set(found))
    if lacking and add:
        raise UsageError(
            f"{target} has no column {lacking[0]}, so that nothing can be added to it",
            "name all the files, so that they are read again",
        )
    return target if target.suffix.lower() == ".parquet" and not lacking else None


def _refuse_wrong_place(target: Path, *, add: bool) -> None:
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"'{target.name}' does not say what to write", f"end it in {' or '.join(SUFFIXES)}")
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is no ordinary file", "name another output")
    if add and suffix != ".parquet":
        raise UsageError("only a Parquet table can be added to", "end the output in .parquet")
