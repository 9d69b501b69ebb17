"""How a harvest goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """How a harvest goes.

    Parameters
    ----------
    files
        Files looked at, each once.
    read
        Those that were read.
    unchanged
        Those whose rows were taken over from before.
    unreadable
        Those that can't be read, or not to their end, and folders that can't.
    repeated
        Names that came up again.
    rows
        Datasets in the table.
    kept
        Datasets in the table from before whose files were not named.
    left_out
        Datasets that were in the table before and are no more, as their files were
        not named.
    """

    files: int = 0
    read: int = 0
    unchanged: int = 0
    unreadable: int = 0
    repeated: int = 0
    rows: int = 0
    kept: int = 0
    left_out: int = 0
