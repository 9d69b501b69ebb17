"""Rows of two tables matched: by the values of key columns, or by their order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

_MAX_CELLS: Final = 4_000_000
"""Rows of one table times rows of the other, up to which the best alignment is sought."""


class Matching(NamedTuple):
    """Numbers of rows, from 0: those in one table only, and pairs that differ."""

    removed: tuple[int, ...]
    added: tuple[int, ...]
    changed: tuple[tuple[int, int], ...]


def codes(columns: Iterable[tuple[Any, Any]], rows: tuple[int, int]) -> tuple[Any, Any]:
    """A number for each row of two tables, the same for rows with equal values.

    NaN equals NaN, and a zero another of the opposite sign.

    Parameters
    ----------
    columns
        Each column in the old table and in the new one.
    rows
        How many rows they have.
    """
    import numpy as np

    combined = np.zeros(sum(rows), dtype=np.int64)
    for before, after in columns:
        column = _column_codes(before, after)
        combined = combined * (int(column.max(initial=0)) + 1) + column
        combined = np.unique(combined, return_inverse=True)[1].reshape(-1)
    return combined[: rows[0]], combined[rows[0] :]


def matched_by_key(old_keys: Any, new_keys: Any, old: Any, new: Any) -> Matching:
    """Match rows by the codes of their keys; their order does not matter.

    Where a key occurs more than once, equal rows are matched first and the
    others in their order.
    """
    import numpy as np

    left, right = _unpaired(old, new)
    before = _numbered(old_keys[left])
    after = _numbered(new_keys[right])
    _, first, second = np.intersect1d(_joined(*before), _joined(*after), return_indices=True)
    changed = sorted(zip(left[first].tolist(), right[second].tolist(), strict=True))
    removed = np.delete(left, first)
    added = np.delete(right, second)
    return Matching(tuple(removed.tolist()), tuple(added.tolist()), tuple(changed))


def matched_in_order(old: Any, new: Any) -> Matching:
    """Match rows by the codes of all their values, keeping their order."""
    import numpy as np

    shorter = min(len(old), len(new))
    same = old[:shorter] == new[:shorter]
    head = shorter if same.all() else int(np.argmin(same))
    same = old[::-1][: shorter - head] == new[::-1][: shorter - head]
    tail = len(same) if same.all() else int(np.argmin(same))
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    removed: list[int] = []
    added: list[int] = []
    changed: list[tuple[int, int]] = []
    for start, stop, other, end in _blocks(left, right):
        pairs = min(stop - start, end - other)
        for step in range(pairs):
            if left[start + step] != right[other + step]:
                changed.append((head + start + step, head + other + step))
        removed += range(head + start + pairs, head + stop)
        added += range(head + other + pairs, head + end)
    return Matching(tuple(removed), tuple(added), tuple(changed))


def repeated(keys: Any) -> tuple[int, ...]:
    """Numbers of the rows, from 0, whose key stands in an earlier row."""
    import numpy as np

    return tuple(np.flatnonzero(_numbered(keys)[1]).tolist())


def _blocks(left: Any, right: Any) -> list[tuple[int, int, int, int]]:
    if len(left) * len(right) > _MAX_CELLS:
        return [(0, len(left), 0, len(right))]
    matcher = SequenceMatcher(None, left.tolist(), right.tolist(), autojunk=False)
    return [(i, j, k, m) for kind, i, j, k, m in matcher.get_opcodes() if kind != "equal"]


def _column_codes(old: Any, new: Any) -> Any:
    """Codes of the values of a column, those of the old rows first."""
    import numpy as np

    if old.dtype.kind == "O" or new.dtype.kind == "O":
        return _object_codes([*old, *new])
    if old.shape[1:] != new.shape[1:]:
        return np.repeat([0, 1], [len(old), len(new)])
    if (old.dtype.kind == "U") != (new.dtype.kind == "U"):
        old, new = old.astype(str), new.astype(str)
    both = np.concatenate([old, new])
    cells = np.unique(both, return_inverse=True)[1].reshape(len(both), math.prod(both.shape[1:]))
    if cells.shape[1] == 1:
        return cells[:, 0]
    return (
        np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)
        if cells.size
        else np.zeros(len(both), int)
    )


def _object_codes(values: list[Any]) -> Any:
    import numpy as np

    numbers: dict[object, int] = {}
    texts = (tuple("nan" if item != item else item for item in np.ravel(value).tolist()) for value in values)
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)


def _unpaired(old: Any, new: Any) -> tuple[Any, Any]:
    """Numbers of the rows for which the other table has no equal one left."""
    import numpy as np

    _, first, second = np.intersect1d(_joined(*_numbered(old)), _joined(*_numbered(new)), return_indices=True)
    return np.delete(np.arange(len(old)), first), np.delete(np.arange(len(new)), second)


def _numbered(keys: Any) -> tuple[Any, Any]:
    """Codes, and how often each has occurred before."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(keys) else np.zeros(0, int)
    lengths = np.diff(np.r_[starts, len(keys)])
    occurrence = np.empty(len(keys), dtype=np.int64)
    occurrence[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    return keys, occurrence


def _joined(keys: Any, occurrence: Any) -> Any:
    """One number for a code and its occurrence; both stay below 2**31."""
    return (keys << 31) | occurrence
