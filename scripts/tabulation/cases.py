"""Cases with known answers as tables, one for each context or mapping that they ask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from known_answers.answers import CaseError, required
from known_answers.casefile import read_cases

from calmap.bestref import Cache
from tabulation.answers import Tally, Witness, compare

if TYPE_CHECKING:
    import pyarrow as pa


def case_tables(paths: Iterable[Path]) -> Iterator[tuple[str, pa.Table]]:
    """Names of contexts and mappings, each with a table of the headers it is asked with.

    Raises
    ------
    CaseError, UnreadableError
        If a case or a file is of no known form.
    """
    import pyarrow as pa

    headers: dict[str, list[Mapping[str, Any]]] = {}
    for path in paths:
        for number, case in read_cases(path):
            name = case.get("context") or case.get("rmap")
            (header,) = required(case, "header")
            if not isinstance(name, str) or not isinstance(header, dict):
                raise CaseError(f"{path}:{number}: neither a look-up in an rmap nor one in a context")
            headers.setdefault(name, []).append(header)
    for name, rows in sorted(headers.items()):
        columns = sorted({key for row in rows for key in row})
        table = {key: pa.array([row.get(key) for row in rows], pa.string()) for key in columns}
        yield name, pa.table({"ROOTNAME": pa.array(range(len(rows))), **table})


def examine_cases(cache: Path, paths: Iterable[Path]) -> Tally:
    """Answer all cases in all ways."""
    opened, tally = Cache(cache), Tally()
    for name, table in case_tables(paths):
        context = opened.context(name, re.split("[_.]", name)[0])
        tally.add(compare(Witness(context), table, context.bestrefs_table(table)))
    return tally
