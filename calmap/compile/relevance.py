"""For which combinations of values a type, or a keyword of it, counts at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from calmap.compile.evaluate import EvaluationError, evaluate
from calmap.compile.partial import UNKNOWN, evaluate_partly
from calmap.compile.terms import ReferenceTerms
from calmap.syntax.expression import Expression, names


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
