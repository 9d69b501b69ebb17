"""One thing that is wrong with a reference file."""

from __future__ import annotations

from typing import NamedTuple

from calmap.diagnostics import Severity


class Problem(NamedTuple):
    """Something wrong in a reference file.

    Parameters
    ----------
    place
        Where in the file, as ``extension 1 (SCI)``; empty for the file as a whole.
    message
        One sentence without a full stop.
    severity
        How bad it is.
    hint
        What to do.
    """

    place: str
    message: str
    severity: Severity
    hint: str | None = None
