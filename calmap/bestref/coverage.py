"""What the rules of a context have references for, type by type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from calmap.bestref.context import Context
from calmap.bestref.rulebook import TypeRules
from calmap.compile.coverage import Coverage, cover
from calmap.compile.diagram import TooLargeError
from calmap.compile.domain import named_values
from calmap.compile.terms import ReferenceTerms
from calmap.compile.tree import Answer
from calmap.errors import UsageError
from calmap.model.values import UNDEFINED
from calmap.syntax.expression import names


@dataclass(frozen=True, slots=True)
class TypeCoverage:
    """What the rules of one reference type have references for.

    Parameters
    ----------
    instrument, reftype
        In lower case.
    mapping
        The mapping that answers.
    answer
        In words what the answer always is, or why there is none, where there are no rules to look at.
    usable
        False if the rules can't be used.
    coverage
        What the rules cover; None if `answer` says it all.
    notes
        What was taken for granted, in sentences.
    """

    instrument: str
    reftype: str
    mapping: str
    answer: str = ""
    usable: bool = True
    coverage: Coverage | None = None
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """True if nothing is missing."""
        return self.usable and (self.coverage is None or not self.coverage.missing)


@dataclass(frozen=True, slots=True, eq=False)
class Surveyor:
    """Looks at the reference types of a context, one after the other.

    Parameters
    ----------
    context
        The rules.
    """

    context: Context
    _named: dict[str, Mapping[str, set[str]]] = field(default_factory=dict, repr=False)

    def types(self, instrument: str | None = None, reftype: str | None = None) -> tuple[tuple[str, str], ...]:
        """Instruments and types, in alphabetical order.

        Raises
        ------
        UsageError
            If there is no such instrument or type.
        """
        known = self.context.instruments()
        if instrument is not None and instrument.lower() not in known:
            raise UsageError(
                f"{self.context.name} has no instrument '{instrument}'", f"it has {', '.join(known)}"
            )
        instruments = known if instrument is None else (instrument.lower(),)
        found = [(who, what) for who in instruments for what in self.context.reftypes(who)]
        if reftype is None:
            return tuple(found)
        chosen = tuple(pair for pair in found if pair[1] == reftype.lower())
        if not chosen:
            types = ", ".join(dict.fromkeys(what for _, what in found))
            raise UsageError(f"{self.context.name} has no reference type '{reftype}'", f"it has {types}")
        return chosen

    def survey(self, instrument: str, reftype: str) -> TypeCoverage:
        """What the rules of a type cover."""
        rules = self.context.type_rules(instrument, reftype)
        if rules.reference is None:
            usable = rules.fixed.answer is not Answer.NOT_FOUND
            return TypeCoverage(instrument, reftype, rules.mapping, _fixed(rules), usable)
        terms = rules.reference.terms
        known = self.context.observatory.instruments.get(instrument)
        try:
            coverage = cover(rules.reference, self._values(instrument, rules), known.values if known else {})
        except TooLargeError as problem:
            answer = f"too many combinations to tell: {problem}"
            return TypeCoverage(instrument, reftype, rules.mapping, answer, usable=False)
        notes = tuple(_notes(terms, coverage))
        return TypeCoverage(instrument, reftype, rules.mapping, coverage=coverage, notes=notes)

    def _values(self, instrument: str, rules: TypeRules) -> Mapping[str, set[str]]:
        """Values that the rules of a type name, or other rules of the instrument for the same keyword."""
        if instrument not in self._named:
            named: dict[str, set[str]] = {}
            for reftype in self.context.reftypes(instrument):
                other = self.context.type_rules(instrument, reftype).reference
                for parameter, values in named_values(other.tree).items() if other else ():
                    named.setdefault(parameter, set()).update(values - {"", UNDEFINED})
            self._named[instrument] = named
        shared = self._named[instrument]
        own = named_values(rules.reference.tree) if rules.reference else {}
        return {parameter: values | shared.get(parameter, set()) for parameter, values in own.items()}


def _fixed(rules: TypeRules) -> str:
    words = {Answer.NOT_APPLICABLE: "not applicable", Answer.OMITTED: "omitted"}
    answer = words.get(rules.fixed.answer)
    return f"{answer}: {rules.fixed.reason}" if answer else rules.fixed.reason


def _notes(terms: ReferenceTerms, coverage: Coverage) -> Iterator[str]:
    hooks = [hook.__name__ for hook in (terms.precondition, terms.fallback) if hook is not None]
    if hooks:
        yield f"not looked at: {' and '.join(hooks)}, which may change values, so that some gaps may be none"
    looked_at = {domain.parameter for domain in coverage.domains}
    for key, named in _expression_names(terms):
        if outside := sorted(named - looked_at):
            yield f"{key} looks at {', '.join(outside)} too; where that decides, the rules are taken to count"
    if terms.unmatched_is_na:
        yield "no rule is needed, as reffile_required is NO: without one the type is not applicable"
    if coverage.missing and terms.after_failure:
        yield f"where no reference is found {terms.after_failure} may still say that none is needed"


def _expression_names(terms: ReferenceTerms) -> Iterator[tuple[str, set[str]]]:
    for key, expression in (("rmap_omit", terms.omit), ("rmap_relevance", terms.relevance)):
        if expression is not None:
            yield key, {name.name for name in names(expression)}
    found = {name.name for item in terms.parkey_relevance.values() for name in names(item)}
    if found:
        yield "parkey_relevance", found
