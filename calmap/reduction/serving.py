"""Which exposures a reference file is for, by the rule that an exposure like it meets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calmap.bestref import Context
from calmap.errors import CalmapError


def served(context: Context, header: Mapping[str, Any], reftype: str) -> dict[str, str]:
    """The values that the rule for an exposure is for, by the keywords of references for that."""
    try:
        answer = context.bestrefs(header, (reftype,)).get(reftype)
        steps = answer.explain().steps if answer else ()
    except CalmapError:
        return {}
    patterns = context.observatory.reference_headers.patterns if context.observatory else {}
    keys = (key for step in steps for key in step.keys if key.outcome == "match" and "|" in key.wanted)
    return {
        patterns[key.parameter.upper()][-1]: key.wanted for key in keys if key.parameter.upper() in patterns
    }
