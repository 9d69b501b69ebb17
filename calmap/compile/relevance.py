"""For which combinations of values a type, or a keyword of it, counts at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

from calmap.compile.evaluate import EvaluationError, evaluate
from calmap.compile.terms import ReferenceTerms
from calmap.syntax.expression import Choice, Compare, Either, Every, Expression, Not, names


class Unknown(Enum):
    """Stands for a value that depends on keywords not known."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


class Verdict(StrEnum):
    """What the expressions of a header say before any rule is looked at."""

    COUNTS = "counts"
    IRRELEVANT = "irrelevant"
    OMITTED = "omitted"
    FAILS = "fails"


class Scope(NamedTuple):
    """What counts: the type, and which keywords of it are N/A."""

    verdict: Verdict
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Relevance:
    """The expressions of a reference mapping's header, for headers of which only some values are known."""

    terms: ReferenceTerms

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All of them."""
        terms = self.terms
        found = (terms.omit, terms.relevance, *terms.parkey_relevance.values())
        return tuple(expression for expression in found if expression is not None)

    @property
    def names(self) -> frozenset[str]:
        """Keywords that the expressions name."""
        return frozenset(name.name for expression in self.expressions for name in names(expression))

    @property
    def never(self) -> frozenset[str]:
        """Keywords that don't count, whatever the values."""
        fixed = {key: e for key, e in self.terms.parkey_relevance.items() if not list(names(e))}
        return frozenset(
            key
            for key in self.terms.required
            if (expression := fixed.get(key.upper())) is not None and not evaluate(expression, {})
        )

    def scope(self, values: Mapping[str, str]) -> Scope:
        """What counts for some values; what they don't decide is taken to count."""
        terms = self.terms
        if terms.omit is not None and _truth(terms.omit, values, default=False):
            return Scope(Verdict.OMITTED)
        if terms.relevance is not None and not _truth(terms.relevance, values, default=True):
            return Scope(Verdict.IRRELEVANT)
        try:
            ignored = frozenset(key for key in terms.required if not self._counts(key, values))
        except EvaluationError:
            return Scope(Verdict.FAILS)
        return Scope(Verdict.COUNTS, ignored)

    def _counts(self, key: str, values: Mapping[str, str]) -> bool:
        expression = self.terms.parkey_relevance.get(key.upper())
        return expression is None or bool(evaluate_partly(expression, values))


def _truth(expression: Expression, values: Mapping[str, str], *, default: bool) -> bool:
    try:
        value = evaluate_partly(expression, values)
    except EvaluationError:
        return default
    return default if value is UNKNOWN else bool(value)


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
