"""Files of a cache that are to be here, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from calmap.cache.remote.verification import Proof


class Kind(StrEnum):
    """What a file is for."""

    MAPPING = "mapping"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Item:
    """A file that is to be here.

    Parameters
    ----------
    kind
        What it is.
    target
        Where it is to be.
    places
        Where it may be in the cache elsewhere.
    """

    kind: Kind
    target: Path
    places: tuple[str, ...]

    @property
    def name(self) -> str:
        """File name."""
        return self.target.name


class Fate(StrEnum):
    """What became of a file."""

    KEPT = "kept"
    FETCHED = "fetched"
    REPAIRED = "repaired"
    DAMAGED = "damaged"
    MISSING = "missing"
    ABSENT = "absent"
    FAILED = "failed"


class Outcome(NamedTuple):
    """What became of a file, and what is known of it.

    Parameters
    ----------
    item
        The file.
    fate
        What became of it; ``missing`` is said of what a dry run would fetch.
    size
        Length in bytes; 0 if it is not here.
    proof
        What shows that it is right; None if nobody looked.
    note
        What is wrong with it, and what to do; may be empty.
    """

    item: Item
    fate: Fate
    size: int = 0
    proof: Proof | None = None
    note: str = ""
