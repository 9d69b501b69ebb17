"""Looks a case up both ways: by the compiled form and by the plain interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from calmap.bestref import Cache, Context
from calmap.bestref.rulebook import Rulebook
from calmap.compile.outcome import Outcome, failed
from calmap.errors import HeaderError
from calmap.model.values import UNDEFINED, condition_value
from known_answers.answers import Answer, CaseError, expected, given, required
from known_answers.casefile import Case, digest


@dataclass(frozen=True, slots=True)
class Comparison:
    """What crds and calmap say to one question.

    Parameters
    ----------
    digest, question
        The case's short name, and the mapping and type asked.
    wanted, compiled, interpreted
        The answers of crds and of the two forms of calmap.
    reason
        Why calmap says so.
    """

    digest: str
    question: str
    wanted: Answer
    compiled: Answer
    interpreted: Answer
    reason: str


@dataclass(frozen=True, slots=True)
class Lookups:
    """The mappings of a cache."""

    cache: Cache
    _contexts: dict[str, Context] = field(default_factory=dict)
    _books: dict[tuple[str, str], Rulebook] = field(default_factory=dict)

    def compare(self, case: Case) -> Iterator[Comparison]:
        """Every answer of a case beside calmap's.

        Raises
        ------
        CaseError
            If the case is of no known form.
        CalmapError
            If a mapping it names can't be used.
        """
        if "rmap" in case and "result" in case:
            yield self._reference(case)
        elif "context" in case and "results" in case:
            yield from self._context(case)
        elif "context" in case and "error" in case:
            yield self._refusal(case)
        else:
            raise CaseError("neither a look-up in an rmap nor one in a context")

    def _reference(self, case: Case) -> Comparison:
        name, header = _asked(case, "rmap")
        reference = self.cache.rules(name.partition("_")[0]).reference(name)
        values = {key: condition_value(header.get(key, UNDEFINED)) for key in reference.terms.required}
        return _comparison(
            case, None, name, case["result"], reference.choose(values), reference.interpret(values)
        )

    def _context(self, case: Case) -> Iterator[Comparison]:
        name, header = _asked(case, "context")
        found = self._named(name).bestrefs(header)
        book = self._book(name, header)
        values = book.values(header, None)
        for reftype, result in case["results"].items():
            rules = book.rules_of(reftype)
            slow = rules.choose(values) if rules.reference is None else rules.reference.interpret(values)
            fast = rules.choose(values)
            if (reftype in found) != (given(fast).kind != "omit") or (
                reftype in found and found[reftype].files != fast.files
            ):
                fast = failed("the context and its mapping differ")
            yield _comparison(case, reftype, f"{name} {reftype}", result, fast, slow)

    def _refusal(self, case: Case) -> Comparison:
        name, header = _asked(case, "context")
        try:
            found = self._named(name).bestrefs(header)
        except HeaderError:
            refused = Answer("not_found")
            return Comparison(digest(case), name, refused, refused, refused, "")
        answer = Answer("found", tuple(sorted(found)))
        return Comparison(digest(case), name, Answer("not_found"), answer, answer, "the header was accepted")

    def _named(self, name: str) -> Context:
        if name not in self._contexts:
            self._contexts[name] = self.cache.context(name)
        return self._contexts[name]

    def _book(self, name: str, header: Mapping[str, Any]) -> Rulebook:
        context = self._named(name)
        instrument = context.instrument(header)
        if (name, instrument) not in self._books:
            self._books[name, instrument] = _book(context, instrument)
        return self._books[name, instrument]


def _book(context: Context, instrument: str) -> Rulebook:
    if not context.name.endswith(".pmap"):
        return Rulebook.of_mapping(context.rules, context.name)
    pipeline = context.rules.links(context.name)
    return Rulebook.of_link(context.rules, pipeline, pipeline.links[instrument])


def _asked(case: Case, kind: str) -> tuple[str, Mapping[str, Any]]:
    name, header = required(case, kind, "header")
    if not isinstance(name, str) or not isinstance(header, dict):
        raise CaseError(f"a case whose {kind!r} is no name or whose 'header' is no object")
    return name, header


def _comparison(
    case: Case, reftype: str | None, question: str, result: object, fast: Outcome, slow: Outcome
) -> Comparison:
    return Comparison(
        digest(case, reftype), question, expected(result), given(fast), given(slow), fast.reason
    )
