"""The deviations that docs/compatibility.md lists one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from known_answers.casefile import UnreadableError
from known_answers.insertions import InsertionResult
from known_answers.lookups import Comparison

_HEADING = re.compile(r"#+ (CD\d\d)\b")
_ROW = re.compile(r"\| `([0-9a-f]{10})` \| (.*?) \| (.*?) \| (.*?) \|")


class Listed(NamedTuple):
    """One row of a table of deviations."""

    deviation: str
    question: str
    wanted: str
    answer: str


def read_deviations(path: Path) -> Mapping[str, Listed]:
    """Rows of every table of deviations by digest of the case.

    Raises
    ------
    UnreadableError
        If the file can't be read.
    """
    found: dict[str, Listed] = {}
    deviation = ""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UnreadableError(
            f"{path} can't be read: {getattr(problem, 'strerror', None) or problem}"
        ) from None
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            deviation = heading[1]
        elif deviation and (row := _ROW.fullmatch(line.strip())):
            found[row[1]] = Listed(deviation, row[2], row[3], row[4])
    return found


def row(comparison: Comparison | InsertionResult) -> str:
    """The row of a table that lists a deviation."""
    return f"| `{comparison.digest}` | {comparison.question} | {comparison.wanted} | {comparison.compiled} |"


def is_listed(comparison: Comparison | InsertionResult, listed: Mapping[str, Listed]) -> bool:
    """True if a deviation is listed with just these answers."""
    entry = listed.get(comparison.digest)
    return entry is not None and entry[1:] == (
        comparison.question,
        str(comparison.wanted),
        str(comparison.compiled),
    )
