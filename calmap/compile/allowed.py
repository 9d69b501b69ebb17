"""Values that CRDS refuses before it looks at the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calmap.model.values import ANY, NA, is_esoteric
from calmap.syntax.ast import Plain

_DEPTH = 10


def refused(
    value: str, allowed: frozenset[str] | None, swaps: Mapping[Any, Plain], depth: int = _DEPTH
) -> bool:
    """True if a header's value is none of those that the rules name, so that no rule is looked at.

    Parameters
    ----------
    value
        Conditioned value of the header.
    allowed
        Values named by the rules, or None if any value is let through.
    swaps
        Substitutions of the parameter: a value that is substituted in rules is let
        through if its substitute is.
    """
    if allowed is None or value in allowed:
        return False
    if is_esoteric(value) or value in (ANY, "ANY", NA):
        return False
    if len(allowed) == 1 and (bounds := next(iter(allowed)).split(":"))[1:]:
        return _outside(value, bounds)
    substitute = swaps.get(value)
    if isinstance(substitute, str) and depth:
        return refused(substitute, allowed, swaps, depth - 1)
    return True


def _outside(value: str, bounds: list[str]) -> bool:
    try:
        low, high = (float(bound) for bound in bounds)
        return not low <= float(value) <= high
    except ValueError:
        return True
