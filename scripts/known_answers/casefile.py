"""Files of cases, one JSON object a line."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

Case: TypeAlias = Mapping[str, Any]


class UnreadableError(Exception):
    """A file of cases that can't be read."""


def read_cases(path: Path) -> Iterator[tuple[int, Case]]:
    """Line numbers and cases of a file, compressed or not.

    Raises
    ------
    UnreadableError
        If the file can't be read, or a line is no JSON object.
    """
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as file
        ):
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _case(f"{path}:{number}", line)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as problem:
        raise UnreadableError(
            f"{path} can't be read: {getattr(problem, 'strerror', None) or problem}"
        ) from None


def _case(place: str, line: str) -> Case:
    try:
        case = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise UnreadableError(f"{place}: not a JSON object: {problem}") from None
    if not isinstance(case, dict):
        raise UnreadableError(f"{place}: not a JSON object: {line[:40].strip()}")
    return case


def digest(case: Case, reftype: str | None = None) -> str:
    """A short name of a case, or of one type of a case, that depends on all it says."""
    text = json.dumps([case, reftype] if reftype else case, sort_keys=True, separators=(",", ":"))
    return hashlib.sha1(text.encode("utf-8"), usedforsecurity=False).hexdigest()[:10]
