"""The tables of a product: meaning of its quality bits, steps, references and inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.dq import DEFINITIONS
from reduce.errors import DataError
from reduce.files.contents import Contents
from reduce.files.text import escaped, unescaped
from reduce.provenance import InputFile, Provenance, ReferenceUse, StepRecord
from reduce.references import Reference

RECIPE: Final = "RECIPE"
VERSION: Final = "DRSVER"
_STEPS: Final = ("ORDER", "STEP", "KEYWORD", "STATUS", "PARAMETERS", "REASON")
_REFERENCES: Final = (
    *("TYPE", "FILE", "PATH", "ORIGIN", "SHA256", "CONTEXT", "RULE"),
    *("ORDER", "STEP", "REASON"),
)
_INPUTS: Final = ("FILE", "PATH", "SHA256", "ROLE")


class Table(NamedTuple):
    """A table to be written: its name, a structured array."""

    name: str
    rows: NDArray[Any]


def dq_table() -> Table:
    """DQ_DEF: what each bit means."""
    return _table(
        "DQ_DEF",
        ("BIT", "VALUE", "NAME", "DESCRIPTION"),
        [(row.bit, row.value, row.name, row.description) for row in DEFINITIONS],
    )


def provenance_tables(provenance: Provenance) -> Iterator[Table]:
    """STEPS, PROVENANCE and INPUTS, from which `provenance_of` makes the same provenance again."""
    yield _table("STEPS", _STEPS, [_step_row(order, step) for order, step in enumerate(provenance.steps, 1)])
    yield _table(
        "PROVENANCE",
        _REFERENCES,
        [
            _reference_row(order, step, use)
            for order, step in enumerate(provenance.steps, 1)
            for use in step.references
        ],
    )
    rows = [(Path(one.path).name, one.path, one.sha256, one.role) for one in provenance.inputs]
    yield _table("INPUTS", _INPUTS, rows)


def definitions(found: Contents) -> dict[str, int]:
    """Value of each quality bit by its name, as DQ_DEF says; empty without one.

    Raises
    ------
    DataError
        If the table is damaged.
    """
    values: dict[str, int] = {}
    for row in _rows(found, "DQ_DEF", ("VALUE", "NAME")):
        value = row["VALUE"]
        if not isinstance(value, int) or not 0 < value < 2**32:
            raise DataError(f"{found.path}: DQ_DEF gives {row['NAME']} the value {value!r}")
        values[str(row["NAME"]).strip().upper()] = value
    return values


def provenance_of(found: Contents) -> Provenance:
    """What STEPS, PROVENANCE and INPUTS say; nothing for a file without them.

    Raises
    ------
    DataError
        If one of the tables is damaged.
    """
    header = found.primary
    try:
        uses: dict[int, list[ReferenceUse]] = {}
        for row in _rows(found, "PROVENANCE", _REFERENCES):
            uses.setdefault(row["ORDER"], []).append(_use(row))
        steps = tuple(_step(row, tuple(uses.get(row["ORDER"], ()))) for row in _rows(found, "STEPS", _STEPS))
        inputs = tuple(
            InputFile(unescaped(row["PATH"]), unescaped(row["SHA256"]), unescaped(row["ROLE"]))
            for row in _rows(found, "INPUTS", _INPUTS)
        )
        if not steps and not inputs:
            return Provenance()
        return Provenance(
            unescaped(str(header.get(RECIPE, ""))), unescaped(str(header.get(VERSION, ""))), inputs, steps
        )
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise DataError(f"{found.path}: the tables of its history are damaged: {problem}") from problem


def _step_row(order: int, step: StepRecord) -> tuple[int | str, ...]:
    parameters = json.dumps(dict(step.parameters))
    return order, step.step, step.keyword, step.status, parameters, step.reason


def _reference_row(order: int, step: StepRecord, use: ReferenceUse) -> tuple[int | str, ...]:
    reference = use.reference
    return (
        *(reference.reftype, reference.path.name if reference.path else "", str(reference.path or "")),
        *(
            reference.origin,
            use.sha256,
            reference.context,
            reference.rule,
            order,
            step.step,
            reference.reason,
        ),
    )


def _step(row: Mapping[str, Any], uses: tuple[ReferenceUse, ...]) -> StepRecord:
    status = row["STATUS"]
    if status not in ("COMPLETE", "SKIPPED"):
        raise ValueError(f"the status {status!r}")
    parameters = json.loads(unescaped(row["PARAMETERS"]))
    return StepRecord(
        step=unescaped(row["STEP"]),
        keyword=unescaped(row["KEYWORD"]),
        status=status,
        parameters={str(name): str(value) for name, value in parameters.items()},
        references=uses,
        reason=unescaped(row["REASON"]),
    )


def _use(row: Mapping[str, Any]) -> ReferenceUse:
    origin, path = row["ORIGIN"], unescaped(row["PATH"])
    if origin not in ("cache", "override", "missing", "memory"):
        raise ValueError(f"the origin {origin!r}")
    if row["SHA256"] and not path:
        raise ValueError(f"PROVENANCE has the sha256 of a reference of type {row['TYPE']} and no PATH")
    reference = Reference(
        reftype=unescaped(row["TYPE"]),
        path=Path(path) if path else None,
        origin=origin,
        context=unescaped(row["CONTEXT"]),
        rule=unescaped(row["RULE"]),
        reason=unescaped(row["REASON"]),
    )
    return ReferenceUse(reference, unescaped(row["SHA256"]))


def _table(name: str, columns: Sequence[str], rows: Sequence[Sequence[int | str]]) -> Table:
    """A structured array whose text columns are as wide as their longest text."""
    plain = [tuple(escaped(cell) if isinstance(cell, str) else cell for cell in row) for row in rows]
    types: list[tuple[str, str]] = []
    for number, column in enumerate(columns):
        cells = [row[number] for row in plain]
        whole = column in ("ORDER", "BIT", "VALUE")
        width = max([1, *(len(cell) for cell in cells if isinstance(cell, str))])
        types.append((column, "i8" if whole else f"S{width}"))
    return Table(name, np.array(plain, dtype=types))


def _rows(found: Contents, name: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    table = found.table(name)
    if table is None:
        return
    known = {column.upper(): column for column in table.dtype.names or ()}
    missing = [column for column in columns if column not in known]
    if missing:
        raise DataError(f"{found.path}: the table {name} has no column {', '.join(missing)}")
    for row in table:
        yield {column: row[known[column]].item() for column in columns}
