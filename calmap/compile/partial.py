"""Header expressions of which only some keywords are known."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from itertools import pairwise
from typing import Any

from calmap.compile.evaluate import evaluate
from calmap.syntax.expression import Choice, Compare, Either, Every, Expression, Not, names


class Unknown(Enum):
    """Stands for a value that depends on keywords not known."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


def evaluate_partly(expression: Expression, values: Mapping[str, str]) -> Any:
    """Value of an expression, or `UNKNOWN` where keywords that are not among the values decide.

    Raises
    ------
    EvaluationError
        If two values that are known can't be compared.
    """
    if all(name.name in values for name in names(expression)):
        return evaluate(expression, values)
    match expression:
        case Every(items) | Either(items):
            return _joined(items, values, stop=isinstance(expression, Either))
        case Not(item):
            value = evaluate_partly(item, values)
            return UNKNOWN if value is UNKNOWN else not value
        case Choice(then, condition, otherwise):
            value = evaluate_partly(condition, values)
            return UNKNOWN if value is UNKNOWN else evaluate_partly(then if value else otherwise, values)
        case Compare(first, rest) if len(rest) > 1:
            operands = (first, *(item for _, item in rest))
            pairs = zip(rest, pairwise(operands), strict=True)
            return _joined([Compare(a, ((sign, b),)) for (sign, _), (a, b) in pairs], values, stop=False)
    return UNKNOWN


def _joined(items: Any, values: Mapping[str, str], *, stop: bool) -> Any:
    unknown = False
    result: Any = None
    for item in items:
        result = evaluate_partly(item, values)
        if result is UNKNOWN:
            unknown = True
        elif bool(result) is stop:
            return result
    return UNKNOWN if unknown else result
