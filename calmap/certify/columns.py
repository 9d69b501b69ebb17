"""Values of a column against one constraint: every different value once, and wrong ones with their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from calmap.certify.finding import Fault
from calmap.diagnostics import Severity
from calmap.observatories.constraints import Constraint, ValueType

MAX_VALUES: Final = 100_000
"""Different values of a column that are looked at one by one."""

MAX_FAULTS: Final = 5
"""Different faults of a column that are told."""

_SHOWN_ROWS: Final = 3


def column_faults(
    constraint: Constraint, values: Any, judge: Callable[[Any], Iterable[Fault]]
) -> Iterator[Fault]:
    """What is wrong with a column.

    Parameters
    ----------
    constraint
        What is demanded of it.
    values
        A numpy array with a value, or an array of them, for each row.
    judge
        Tells what is wrong with one value.
    """
    import numpy as np

    cells = np.asarray(values)
    if cells.dtype.kind == "O":
        yield Fault("has values of variable length, which are not looked at", None, Severity.INFO)
        return
    if not cells.size:
        return
    wrong = _outside(constraint, cells.ravel())
    different, rows = _different(cells, wrong)
    looked_at = MAX_VALUES if wrong is None else MAX_FAULTS
    faults: dict[Fault, list[int]] = {}
    for value, row in zip(different[:looked_at].tolist(), rows[:looked_at].tolist(), strict=True):
        for fault in judge(value):
            faults.setdefault(fault, []).append(row)
    for fault in list(faults)[:MAX_FAULTS]:
        yield replace(fault, message=f"{fault.message} ({_rows(faults[fault])})")
    more = len(faults if wrong is None else different) - MAX_FAULTS
    if more > 0:
        yield Fault(f"has {more} more value{'s that are' if more > 1 else ' that is'} wrong")
    if wrong is None and len(different) > MAX_VALUES:
        yield Fault(f"has {len(different)} different values, of which {MAX_VALUES} were looked at")


def _different(cells: Any, wrong: Any) -> tuple[Any, Any]:
    """Different values, or those that are wrong, in the order of the rows; and the first row of each."""
    import numpy as np

    flat = cells.ravel()
    places = np.arange(flat.size)
    if wrong is not None:
        flat, places = flat[wrong], places[wrong]
    different, first = np.unique(flat, return_index=True)
    order = np.argsort(first, kind="stable")
    return different[order], places[first[order]] // (cells.size // cells.shape[0])


def _outside(constraint: Constraint, flat: Any) -> Any:
    """Which numbers are outside a range, or no integers; None where each value has to be looked at."""
    import numpy as np

    plain = constraint.expression is None and constraint.check is None and not constraint.values
    kind = ValueType(constraint.type) if constraint.type else ValueType.TEXT
    if not plain or not kind.is_numeric or flat.dtype.kind not in "iuf":
        return None
    wrong = np.zeros(flat.size, bool)
    if constraint.range is not None:
        low, high = map(float, constraint.range)
        wrong |= ~((flat >= low) & (flat <= high))
    if kind is ValueType.INTEGER and flat.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            wrong |= flat != np.floor(flat)
    return wrong


def _rows(rows: Sequence[int]) -> str:
    where = ", ".join(str(row + 1) for row in rows[:_SHOWN_ROWS])
    more = " and more" if len(rows) > _SHOWN_ROWS else ""
    return f"row{'s' * (len(rows) > 1)} {where}{more}"
