"""The rules of one instrument, by reference type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from calmap.bestref.explanation import Step
from calmap.cache.rulesets import Link, Links, Rules
from calmap.compile.outcome import NO_MATCH, Outcome, failed
from calmap.compile.reference import CompiledReference
from calmap.compile.tree import Answer
from calmap.errors import CalmapError, MappingError, NotInCacheError
from calmap.model.names import mapping_kind
from calmap.model.values import UNDEFINED, condition_text
from calmap.observatories.keywords import KeywordResolver
from calmap.syntax.ast import MappingKind

Plan: TypeAlias = "tuple[tuple[str, Callable[[Mapping[str, str]], Outcome]], ...]"


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What there is for one reference type: a mapping, or a fixed answer.

    Parameters
    ----------
    reftype
        The type, lower case.
    mapping
        The mapping that answers.
    reference
        Its compiled form, or None if the answer is fixed.
    fixed
        The answer where there is no mapping, or none that can be used.
    steps
        How the imap leads here.
    problem
        Why the mapping can't be used, if it can't.
    """

    reftype: str
    mapping: str
    reference: CompiledReference | None
    fixed: Outcome = NO_MATCH
    steps: tuple[Step, ...] = ()
    problem: CalmapError | None = None

    def choose(self, values: Mapping[str, str]) -> Outcome:
        """The answer for conditioned values."""
        return self.fixed if self.reference is None else self.reference.choose(values)

    def answering(self) -> Callable[[Mapping[str, str]], Outcome]:
        """The quickest form of `choose`."""
        fixed = self.fixed
        return self.reference.choose if self.reference is not None else lambda _: fixed


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """The rules of one instrument.

    Parameters
    ----------
    instrument
        Lower case.
    rules
        The mappings of the cache.
    links
        The entries of the imap.
    own_keys
        Keywords that the context and the imap need themselves.
    steps
        How the context leads here.
    fixed
        The answer for every type, where the context says that the instrument has none.
    """

    instrument: str
    rules: Rules
    name: str
    links: Mapping[str, Link]
    own_keys: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    fixed: Outcome | None = None
    _types: dict[str, TypeRules] = field(default_factory=dict, repr=False, compare=False)
    _plans: dict[tuple[str, ...] | None, Plan] = field(default_factory=dict, repr=False, compare=False)
    _resolvers: dict[tuple[str, ...] | None, tuple[dict[str, str], KeywordResolver]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of_mapping(cls, rules: Rules, name: str) -> Rulebook:
        """Rules of an imap, or of a single rmap."""
        if mapping_kind(name) is MappingKind.REFERENCE:
            reference = rules.reference(name)
            terms = reference.terms
            step = Step(f"asked of {name} alone", name, 1)
            only = TypeRules(terms.filekind, name, reference, steps=(step,))
            return cls(terms.instrument, rules, name, {}, (), _types={terms.filekind: only})
        if mapping_kind(name) is MappingKind.PIPELINE:
            raise MappingError(f"{name} stands where an .imap is expected", "calmap check tells more")
        links = rules.links(name)
        return cls(links.instrument, rules, name, links.links, links.parkey)

    @classmethod
    def of_link(cls, rules: Rules, pipeline: Links, link: Link) -> Rulebook:
        """Rules that an entry of a pmap leads to."""
        own = pipeline.parkey
        step = Step(f"{', '.join(own)} = {link.key.upper()} → {link.target}", pipeline.name, link.line)
        if link.is_na or link.is_omit:
            fixed = _special(link, pipeline.name)
            return cls(link.key, rules, pipeline.name, {}, own, (step,), fixed)
        book = cls.of_mapping(rules, link.target)
        return cls(
            book.instrument, rules, book.name, book.links, (*own, *book.own_keys), (step,), None, book._types
        )

    @property
    def reftypes(self) -> tuple[str, ...]:
        """Reference types, in alphabetical order."""
        return tuple(sorted(self.links or self._types))

    def rules_of(self, reftype: str) -> TypeRules:
        """Rules of a type; one that is unknown, or can't be used, has a fixed answer."""
        found = self._types.get(reftype)
        if found is None:
            found = self._types[reftype] = self._new_type(reftype)
        return found

    def plan(self, reftypes: tuple[str, ...] | None) -> Plan:
        """Some types, or all, each with what answers for conditioned values."""
        found = self._plans.get(reftypes)
        if found is None:
            wanted = self.reftypes if reftypes is None else dict.fromkeys(reftypes)
            found = self._plans[reftypes] = tuple(
                (reftype, self.rules_of(reftype).answering()) for reftype in wanted
            )
        return found

    def required(self, reftypes: tuple[str, ...] | None) -> tuple[str, ...]:
        """Keywords that some types, or all, look at."""
        wanted = [self.rules_of(reftype) for reftype in (self.reftypes if reftypes is None else reftypes)]
        used = [rules.reference.terms for rules in wanted if rules.reference is not None]
        if reftypes is not None and any(terms.outside_names for terms in used):
            return self.required(None)
        names = [*self.own_keys, *(key for terms in used for key in terms.required)]
        return tuple(dict.fromkeys(names))

    def values(self, header: Mapping[str, Any], reftypes: tuple[str, ...] | None) -> dict[str, str]:
        """Conditioned values of a header for the keywords required; UNDEFINED where it has none."""
        if reftypes not in self._resolvers:
            keys = self.required(reftypes)
            resolver = KeywordResolver(self.rules.observatory, keys)
            self._resolvers[reftypes] = (dict.fromkeys(keys, UNDEFINED), resolver)
        blank, resolver = self._resolvers[reftypes]
        values = blank.copy()
        for key, value in resolver.resolve(header).items():
            values[key] = condition_text(value)
        return values

    def _new_type(self, reftype: str) -> TypeRules:
        if self.fixed is not None:
            return TypeRules(reftype, self.name, None, self.fixed)
        link = self.links.get(reftype)
        if link is None:
            known = ", ".join(self.reftypes) or "none"
            reason = failed(f"the reference type '{reftype}' is unknown to {self.name}; it has {known}")
            return TypeRules(reftype, self.name, None, reason)
        step = (Step(f"type {link.key.upper()} → {link.target}", self.name, link.line),)
        if link.is_na or link.is_omit:
            return TypeRules(reftype, self.name, None, _special(link, self.name), step)
        try:
            return TypeRules(reftype, link.target, self.rules.reference(link.target), steps=step)
        except (MappingError, NotInCacheError) as problem:
            return TypeRules(reftype, link.target, None, failed(str(problem)), step, problem)


def _special(link: Link, mapping: str) -> Outcome:
    answer = Answer.NOT_APPLICABLE if link.is_na else Answer.OMITTED
    return Outcome(answer, (), f"{mapping}:{link.line} says {link.target}")
