"""When a constraint counts for a file, and whether its subject has to be there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from calmap.certify.evaluation import Names, evaluate, truth
from calmap.certify.helpers import SUBARRAY_KEYWORDS, is_full_frame, is_subarray
from calmap.model.values import UNDEFINED
from calmap.observatories.constraints import Constraint, Presence
from calmap.syntax.constraint import parse_constraint

CODES: Final[Mapping[str, Presence]] = MappingProxyType(
    {
        "R": Presence.REQUIRED,
        "P": Presence.REQUIRED,
        "O": Presence.OPTIONAL,
        "W": Presence.WARN,
        "E": Presence.EXCLUDED,
        "F": Presence.FULL_FRAME,
        "S": Presence.SUBARRAY,
        "A": Presence.ANY_SUBARRAY,
    }
)
"""Codes for presence in TPN files, which helper functions return too."""


def demanded(constraint: Constraint, names: Names) -> Presence | None:
    """Whether the subject is required, optional, recommended or excluded; None if that doesn't count here.

    Raises
    ------
    EvaluationError
        If the condition of the constraint has no value for the file.
    """
    if constraint.condition is None:
        return _for_subarray(constraint.presence, names, Presence.OPTIONAL)
    value = evaluate(parse_constraint(constraint.condition), names)
    if not truth(value):
        return None
    presence = CODES.get(value, constraint.presence) if isinstance(value, str) else constraint.presence
    return _for_subarray(presence, names, Presence.REQUIRED)


def _for_subarray(presence: Presence, names: Names, where_it_counts: Presence) -> Presence | None:
    """What is demanded of full frames, of subarrays or of both, where it depends on that.

    As in CRDS, that is no more than optional by itself, but required where a condition says so.
    """
    subarray = names.value("SUBARRAY")
    counts = {
        Presence.FULL_FRAME: is_full_frame(subarray),
        Presence.SUBARRAY: is_subarray(subarray),
        Presence.ANY_SUBARRAY: all(names.value(keyword) != UNDEFINED for keyword in SUBARRAY_KEYWORDS),
    }
    if presence not in counts:
        return presence
    return where_it_counts if counts[presence] else None
