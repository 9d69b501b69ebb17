"""Turns an outcome into a reason, or into the whole explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from calmap.bestref.explanation import Explanation, NearRule
from calmap.bestref.rulebook import Rulebook, TypeRules
from calmap.bestref.trail import Tracer
from calmap.compile.outcome import NO_MATCH, Outcome
from calmap.compile.reference import IRRELEVANT, OMITTED
from calmap.compile.tree import Answer
from calmap.model.values import UNDEFINED
from calmap.observatories.keywords import missing_keyword_hint

Status: TypeAlias = Literal["found", "not_applicable", "not_found"]
STATUS: Mapping[Answer, Status] = {
    Answer.FOUND: "found",
    Answer.NOT_APPLICABLE: "not_applicable",
    Answer.NOT_FOUND: "not_found",
}
MAX_NAMED = 8


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains the answers for one header.

    Parameters
    ----------
    book
        The rules of the instrument.
    values
        Conditioned values, as they were looked up.
    """

    book: Rulebook
    values: Mapping[str, str]

    def reason(self, reftype: str, outcome: Outcome) -> str:
        """One sentence that says why; quick where something was found."""
        rules = self.book.rules_of(reftype)
        if rules.reference is None:
            return outcome.reason
        if outcome.place is not None:
            line = rules.reference.source.position(outcome.place).line
            return f"chosen by {rules.mapping}:{line}"
        return self._reason(outcome, Tracer(rules.reference, self.values), rules)

    def explain(self, reftype: str, outcome: Outcome) -> Explanation:
        """The trail from context to rule, and for "not_found" the nearest rules."""
        rules = self.book.rules_of(reftype)
        steps = [*self.book.steps, *rules.steps]
        nearest: tuple[NearRule, ...] = ()
        if rules.reference is not None:
            tracer = Tracer(rules.reference, self.values)
            steps.extend(tracer.steps())
            nearest = tracer.nearest() if outcome.answer is Answer.NOT_FOUND else ()
        reason = self.reason(reftype, outcome)
        status = STATUS[outcome.answer]
        return Explanation(reftype, status, outcome.files, reason, rules.mapping, tuple(steps), nearest)

    def _reason(self, outcome: Outcome, tracer: Tracer, rules: TypeRules) -> str:
        if outcome.parameter:
            return f"{outcome.reason}: {self._advice(outcome.parameter, tracer)}"
        if outcome in (OMITTED, IRRELEVANT):
            return f"{outcome.reason}: {tracer.condition(outcome.reason.partition(' ')[0])}"
        if outcome == NO_MATCH:
            nearest = tracer.nearest() if tracer.matches else ()
            if nearest and nearest[0].note:
                return f"{nearest[0].file}:{nearest[0].line} matches, but {nearest[0].note}"
            return f"no rule of {rules.mapping} matches"
        return outcome.reason

    def _advice(self, parameter: str, tracer: Tracer) -> str:
        named = tracer.values_named(parameter)
        if tracer.value(parameter) == UNDEFINED or not named:
            return missing_keyword_hint(self.book.rules.observatory, parameter)
        more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
        return f"rules name {', '.join(named[:MAX_NAMED])}{more}"
