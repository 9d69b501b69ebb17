"""Names of mapping and reference files."""

from __future__ import annotations

import re
from typing import NamedTuple

from calmap.syntax.ast import MappingKind

MAX_NAME = 255
_PLAIN = re.compile(rf"[A-Za-z0-9+$][A-Za-z0-9_.+$=~@%,-]{{0,{MAX_NAME - 1}}}")
_MAPPING = re.compile(
    r"(?P<observatory>[a-z][a-z0-9]*)"
    r"(?:_(?P<instrument>[a-z][a-z0-9]*))?"
    r"(?:_(?P<filekind>[a-z][a-z0-9-]*))?"
    r"(?:_(?P<serial>\d{4,}))?"
    r"\.(?P<kind>[pir]map)"
)
NA_VALUES = frozenset({"N/A", "TEMP_N/A"})
OMIT_VALUES = frozenset({"OMIT", "TEMP_OMIT"})


class MappingName(NamedTuple):
    """The parts of a mapping's file name, in lower case; empty where there is none."""

    observatory: str
    instrument: str
    filekind: str
    serial: str
    kind: MappingKind


def mapping_name(name: str) -> MappingName | None:
    """Split a mapping's file name, or None if it follows no pattern."""
    match = _MAPPING.fullmatch(name.lower())
    if match is None:
        return None
    parts = {key: value or "" for key, value in match.groupdict().items()}
    return MappingName(**{**parts, "kind": MappingKind(parts["kind"])})  # type: ignore[arg-type]


def mapping_kind(name: str) -> MappingKind | None:
    """Which level of mapping a file name stands for, by its extension."""
    stem, _, extension = name.lower().rpartition(".")
    return MappingKind(extension) if stem and extension in {"pmap", "imap", "rmap"} else None


def is_safe(name: str) -> bool:
    """True if a name from a mapping is a plain file name that can't lead out of a folder."""
    return _PLAIN.fullmatch(name) is not None and not name.endswith(".")


def is_na(value: str) -> bool:
    """True if a terminal says that a type does not apply."""
    return value.upper() in NA_VALUES


def is_omit(value: str) -> bool:
    """True if a terminal says that a type is to be left out."""
    return value.upper() in OMIT_VALUES
