"""Finds out why a reference mapping answers as it does, by interpreting it once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from calmap.bestref.explanation import KeyCheck, KeyOutcome, NearRule, Step
from calmap.compile.evaluate import EvaluationError, evaluate
from calmap.compile.interpreter import Taken, Trail, Tried, choose, outcomes
from calmap.compile.outcome import Outcome
from calmap.compile.reference import CompiledReference, HookError, first_header, second_header
from calmap.compile.tree import Answer, Match, MatchRule, Node, Terminal
from calmap.model.patterns import DONT_CARE, MATCH, NO_MATCH
from calmap.model.values import UNDEFINED
from calmap.source import Span
from calmap.syntax.ast import Tuple, Value, header_entry
from calmap.syntax.expression import Expression

MAX_NEAREST = 3
_OUTCOMES: Mapping[int, KeyOutcome] = {MATCH: "match", DONT_CARE: "any", NO_MATCH: "no"}


class Tracer:
    """Tells the steps that one reference mapping takes for one header.

    Parameters
    ----------
    reference
        The mapping.
    header
        Conditioned values, as they were looked up.
    """

    def __init__(self, reference: CompiledReference, header: Mapping[str, str]) -> None:
        self.reference = reference
        self.header = header
        self.source = reference.source
        self.name = self.source.name.replace("\\", "/").rpartition("/")[2]

    def steps(self) -> Iterator[Step]:
        """The steps, in order."""
        yield from self._conditions()
        try:
            values = first_header(self.reference.terms, self.header)
        except (HookError, EvaluationError) as problem:
            yield self._step(str(problem), Span(0, 0))
            return
        yield from self._changes(values)
        outcome, trail = self._look_up(values)
        yield from self._trail(trail, values)
        if outcome.answer is Answer.NOT_FOUND and self.reference.terms.fallback is not None:
            yield from self._second(outcome)

    def nearest(self) -> tuple[NearRule, ...]:
        """The rules that came closest, the closest first."""
        match = self.reference.tree
        if not isinstance(match, Match):
            return ()
        try:
            values = first_header(self.reference.terms, self.header)
        except (HookError, EvaluationError):
            values = self.header
        judged = [(outcomes(rule, match.parameters, values), rule) for rule in match.rules]
        judged.sort(key=lambda pair: (pair[0].count(NO_MATCH), -pair[0].count(MATCH)))
        return tuple(self._near(match, rule, values) for _, rule in judged[:MAX_NEAREST])

    def value(self, parameter: str) -> str:
        """Conditioned value of a parameter, as it was looked up."""
        return self.header.get(parameter, UNDEFINED)

    def values_named(self, parameter: str) -> tuple[str, ...]:
        """Values of a parameter that the rules of the first level name, if they are all there is."""
        return self.reference.rules.allowed(parameter)

    def condition(self, key: str) -> str:
        """An expression of the header, as written."""
        return self.reference.terms.written.get(key, "")

    @property
    def matches(self) -> bool:
        """True if a rule accepts the header, so that its date or the like is what is missing."""
        try:
            values = first_header(self.reference.terms, self.header)
        except (HookError, EvaluationError):
            values = self.header
        return self.reference.rules.accept(values)

    def _near(self, match: Match, rule: MatchRule, values: Mapping[str, str]) -> NearRule:
        keys = self._keys(match, rule, values)
        note = ""
        if all(key.outcome != "no" for key in keys):
            swaps = self.reference.terms.selector.substitutions
            note = choose(rule.choice, values, swaps).reason
        return NearRule(self.name, self._line(rule.span), keys, note)

    def _conditions(self) -> Iterator[Step]:
        terms = self.reference.terms
        for key, expression in (("rmap_omit", terms.omit), ("rmap_relevance", terms.relevance)):
            if expression is not None:
                text = f"{key} {self._verdict(expression)}: {self.condition(key)}"
                yield self._step(text, self._header_span(key))

    def _verdict(self, expression: Expression) -> str:
        try:
            return "holds" if evaluate(expression, self.header) else "does not hold"
        except EvaluationError as problem:
            return f"is ignored, as in CRDS: {problem}"

    def _changes(self, values: Mapping[str, str]) -> Iterator[Step]:
        terms = self.reference.terms
        for key in sorted(values):
            old, new = self.header.get(key, UNDEFINED), values[key]
            if old == new:
                continue
            where = "parkey_relevance" if key.upper() in terms.parkey_relevance else "hooks"
            yield self._step(f"{key} {old} counts as {new} here ({where})", self._header_span(where))

    def _second(self, first: Outcome) -> Iterator[Step]:
        fallback = self.reference.terms.fallback
        name = fallback.__name__ if fallback else ""
        yield self._step(f"{first.reason}; once more with {name}", self._header_span("hooks"))
        try:
            values = second_header(self.reference.terms, self.header)
        except (HookError, EvaluationError) as problem:
            yield self._step(str(problem), Span(0, 0))
            return
        yield from self._trail(self._look_up(values)[1], values)

    def _look_up(self, values: Mapping[str, str]) -> tuple[Outcome, Trail]:
        trail: Trail = []
        swaps = self.reference.terms.selector.substitutions
        return choose(self.reference.tree, values, swaps, trail), trail

    def _trail(self, trail: Trail, values: Mapping[str, str]) -> Iterator[Step]:
        for event in trail:
            if isinstance(event, Tried):
                yield from self._tried(event, values)
            else:
                yield self._taken(event)

    def _tried(self, event: Tried, values: Mapping[str, str]) -> Iterator[Step]:
        many = f" ({len(event.rules)} rules of equal weight)" if len(event.rules) > 1 else ""
        failed = event.outcome.answer is Answer.NOT_FOUND
        for rule in event.rules:
            text = f"rule matches with weight {event.weight}{many}{_arrow(rule.choice)}"
            if failed:
                text += f", but {event.outcome.reason}"
            yield replace(self._step(text, rule.span), keys=self._keys(event.match, rule, values))

    def _taken(self, event: Taken) -> Step:
        names = " ".join(event.selector.parameters)
        text = f"{event.selector.kind} {event.row.written} for {names} = {event.value}"
        return self._step(text + _arrow(event.row.choice), event.row.span)

    def _keys(self, match: Match, rule: MatchRule, values: Mapping[str, str]) -> tuple[KeyCheck, ...]:
        written = self._elements(rule.written, len(match.parameters))
        judged = outcomes(rule, match.parameters, values)
        return tuple(
            KeyCheck(
                parameter,
                values.get(parameter, UNDEFINED),
                wanted,
                _OUTCOMES[verdict],
                _substituted(wanted, element),
            )
            for parameter, wanted, element, verdict in zip(
                match.parameters, written, rule.key, judged, strict=True
            )
        )

    def _elements(self, written: Value, count: int) -> tuple[str, ...]:
        items = written.items if isinstance(written, Tuple) else (written,)
        texts = tuple(_unquoted(self.source.slice(item.span)) for item in items)
        return texts if len(texts) == count else ("?",) * count

    def _step(self, text: str, span: Span) -> Step:
        return Step(text, self.name, self._line(span))

    def _line(self, span: Span) -> int:
        return self.source.position(span.start).line

    def _header_span(self, key: str) -> Span:
        entry = header_entry(self.reference.file.header, key)
        return entry.span if entry else Span(0, 0)


def _substituted(wanted: str, element: str) -> str:
    same = wanted.strip().upper() in (element, "N/A", "*")
    return f"counts as {element}" if element in ("N/A", "*") and not same else ""


def _unquoted(text: str) -> str:
    quoted = len(text) >= 2 and text[0] in "'\"" and text[-1] == text[0] and text[0] not in text[1:-1]
    return text[1:-1] if quoted else text


def _arrow(choice: Node) -> str:
    if not isinstance(choice, Terminal):
        return ""
    return f" → {', '.join(choice.files) or choice.written}"
