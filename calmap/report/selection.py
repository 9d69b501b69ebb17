"""What was selected for datasets, and the formats of it that programs read.

The selections themselves come from `calmap.bestref`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calmap.report.text import printable

if TYPE_CHECKING:
    from calmap.bestref import BestRef


@dataclass(frozen=True, slots=True)
class Selection:
    """One answer and whose it is.

    Parameters
    ----------
    dataset
        Name of the dataset's file.
    instrument
        Instrument the header names.
    context
        Mapping the selection started from.
    ref
        The answer.
    paths
        Where its files are, in their order; empty for one that the cache lacks.
    note
        What else is to be known of its files.
    """

    dataset: str
    instrument: str
    context: str
    ref: BestRef
    paths: tuple[str, ...] = ()
    note: str = ""


def render_json(rows: Iterable[Selection]) -> str:
    """Render a JSON list of flat objects."""
    return json.dumps([_record(row) for row in rows], indent=2) + "\n"


def _record(row: Selection) -> dict[str, object]:
    return {
        "dataset": row.dataset,
        "instrument": row.instrument,
        "context": row.context,
        "type": row.ref.reftype,
        "status": row.ref.status,
        "files": list(row.ref.files),
        "paths": list(row.paths),
        "note": row.note,
        "reason": row.ref.reason,
    }


def render_csv(rows: Iterable[Selection]) -> str:
    """Render CSV with a heading, one line a record; several files stand in one cell, with ``;`` between."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("dataset", "instrument", "context", "type", "status", "files", "paths", "reason"))
    for row in rows:
        ref = row.ref
        cells = (row.dataset, row.instrument, row.context, ref.reftype, ref.status)
        lists = (";".join(ref.files), ";".join(row.paths))
        writer.writerow([printable(cell) for cell in (*cells, *lists, ref.reason)])
    return out.getvalue()


def render_paths(rows: Iterable[Selection]) -> str:
    """Render the path of every file found, one a line, each once."""
    found = dict.fromkeys(path for row in rows if row.ref.status == "found" for path in row.paths if path)
    return "".join(f"{printable(path)}\n" for path in found)
