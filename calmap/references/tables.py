"""Modes of tables: rows known by the values of their key columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from calmap.diagnostics import Severity
from calmap.errors import HeaderError
from calmap.references.contents import find_extension
from calmap.references.fitsfile import FitsFile
from calmap.references.hdu import hdu_name, kind_of
from calmap.references.opening import is_fits, open_fits
from calmap.references.pairing import paired
from calmap.references.problem import Problem
from calmap.references.rows import matched_by_key, repeated
from calmap.references.tablepair import TablePair

_NAMED: Final = 5
"""How many modes or columns a message names."""


def compare_modes(
    old: Path,
    new: Path,
    keys: Mapping[str, Sequence[str]] | Sequence[str],
    extension: int | str | tuple[str, int] | None = None,
) -> tuple[Problem, ...]:
    """Compare the modes of tables with those of the file that is replaced.

    Parameters
    ----------
    old, new
        FITS files.
    keys
        Columns that make a mode, or those of each extension by its name; of
        columns that a table lacks, the others are used.
    extension
        The one to compare, instead of all.

    Returns
    -------
    Modes that are missing and modes that are there twice as warnings, and
    changed values as information.

    Raises
    ------
    HeaderError
        If a file can't be read.
    """
    for path in (old, new):
        if not is_fits(path):
            raise HeaderError(f"{path} is not a FITS file", hint="only FITS files have tables")
    with open_fits(old) as before, open_fits(new) as after:
        pairs = [
            TablePair(before, at, after, other)
            for at, other in _chosen(before, after, extension)
            if kind_of(before.hdus[at]) == kind_of(after.hdus[other]) == "table"
        ]
        return tuple(problem for pair in pairs for problem in _compare(pair, _keys(pair, keys)))


def duplicate_modes(
    path: Path, keys: Mapping[str, Sequence[str]] | Sequence[str], extension: int | None = None
) -> tuple[Problem, ...]:
    """Modes that are in a table of a file more than once.

    Raises
    ------
    HeaderError
        If the file can't be read.
    """
    problems = compare_modes(path, path, keys, extension)
    return tuple(problem for problem in problems if problem.severity is Severity.WARNING)


def described(names: Sequence[str], values: Sequence[object]) -> str:
    """A mode in words: ``FILTER='F606W', CHIP=1``."""
    return ", ".join(f"{name}={shown(value)}" for name, value in zip(names, values, strict=True))


def shown(value: object) -> str:
    """A value of a table as it is shown: texts in quotes, arrays shortened."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return " ".join(np.array2string(value, threshold=6, edgeitems=2, max_line_width=10_000).split())
    return repr(str(value)) if isinstance(value, str) else str(value)


def _chosen(
    old: FitsFile, new: FitsFile, extension: int | str | tuple[str, int] | None
) -> Sequence[tuple[int, int]]:
    if extension is None:
        return paired(old, new).pairs
    return [(find_extension(old, extension), find_extension(new, extension))]


def _keys(pair: TablePair, keys: Mapping[str, Sequence[str]] | Sequence[str]) -> tuple[str, ...]:
    """Key columns that both tables have."""
    if isinstance(keys, Mapping):
        name = hdu_name(pair.old.hdus[pair.old_index])
        keys = {each.upper(): columns for each, columns in keys.items()}.get(name, ())
    common = {name.upper(): name for name in pair.common()}
    return tuple(common[key.upper()] for key in keys if key.upper() in common)


def _compare(pair: TablePair, keys: tuple[str, ...]) -> Iterator[Problem]:
    import numpy as np

    if not keys:
        return
    old_keys, new_keys = pair.codes(keys)
    values = [pair.values(key) for key in keys]

    def modes(rows: Sequence[int], side: int) -> str:
        names = [described(keys, [column[side][row] for column in values]) for row in rows[:_NAMED]]
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        return "; ".join(names) + more

    first = _first_rows(old_keys)
    missing = first[~np.isin(old_keys[first], new_keys)].tolist()
    if missing:
        message = f"{_count(missing)} missing that {pair.old.path.name} has: {modes(missing, 0)}"
        yield Problem(pair.place, message, Severity.WARNING, "are they covered otherwise?")
    first = _first_rows(new_keys)
    twice = first[np.isin(new_keys[first], new_keys[list(repeated(new_keys))])].tolist()
    if twice:
        message = f"{_count(twice)} there more than once: {modes(twice, 1)}"
        yield Problem(pair.place, message, Severity.WARNING, "keep one row of each")
    common = pair.common()
    old_rows, new_rows = pair.codes(common)
    changed = matched_by_key(old_keys, new_keys, old_rows, new_rows).changed
    if changed:
        before, after = np.array(changed).T
        columns = _changed_columns(pair, common, before, after)
        rows = [int(row) for row in before]
        verb = "has" if len(rows) == 1 else "have"
        message = (
            f"{len(rows)} row{'s' * (len(rows) != 1)} {verb} other values of {columns}: {modes(rows, 0)}"
        )
        yield Problem(pair.place, message, Severity.INFO)


def _first_rows(keys: Any) -> Any:
    """The first row of each mode, in the order of the rows."""
    import numpy as np

    return np.sort(np.unique(keys, return_index=True)[1])


def _changed_columns(pair: TablePair, names: Sequence[str], before: Any, after: Any) -> str:
    changed = []
    for name in names:
        old, new = pair.codes([name])
        if (old[before] != new[after]).any():
            changed.append(name)
    more = f" and {len(changed) - _NAMED} more columns" if len(changed) > _NAMED else ""
    return ", ".join(map(repr, changed[:_NAMED])) + more


def _count(rows: Sequence[int]) -> str:
    return "1 mode is" if len(rows) == 1 else f"{len(rows)} modes are"
