"""When a constraint counts for a file, and whether its subject has to be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from calmap.certify.evaluation import Names, evaluate, truth
from calmap.certify.helpers import SUBARRAY_KEYWORDS, is_full_frame, is_subarray
from calmap.errors import ObservatoryError
from calmap.model.values import UNDEFINED
from calmap.observatories.constraints import Constraint, Presence
from calmap.syntax.constraint import ExpressionError, parse_constraint

_CODES: Final[Mapping[str, Presence]] = MappingProxyType(
    {
        "R": Presence.REQUIRED,
        "O": Presence.OPTIONAL,
        "W": Presence.WARN,
        "E": Presence.EXCLUDED,
        "F": Presence.FULL_FRAME,
        "S": Presence.SUBARRAY,
        "A": Presence.ANY_SUBARRAY,
    }
)
"""What the helper functions for presence return, and what it means."""


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
    presence = _CODES.get(value, constraint.presence) if isinstance(value, str) else constraint.presence
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


def refuse_wrong_expressions(constraints: Iterable[Constraint]) -> None:
    """Read every expression of some constraints.

    Raises
    ------
    ObservatoryError
        If one can't be read.
    """
    for constraint in constraints:
        for text in filter(None, (constraint.condition, constraint.expression)):
            try:
                parse_constraint(text)
            except ExpressionError as problem:
                place = f"{constraint.origin}: {constraint.subject} > {constraint.name}"
                where = f"column {problem.offset + 1} of '{text}'"
                raise ObservatoryError(
                    f"{place}: the expression can't be read: {problem.message}", where
                ) from None
