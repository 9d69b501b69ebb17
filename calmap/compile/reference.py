"""A reference mapping compiled: header in, answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from calmap.compile.evaluate import Compiled, EvaluationError
from calmap.compile.hooks import AFTER_FAILURE, Hook
from calmap.compile.interpreter import choose
from calmap.compile.ordered import Header
from calmap.compile.outcome import Outcome, failed
from calmap.compile.prepare import prepare
from calmap.compile.selectors import Selector, compile_node
from calmap.compile.terms import ReferenceTerms, reference_terms
from calmap.compile.tree import Answer, Node
from calmap.model.dates import DateError
from calmap.model.values import NA, UNDEFINED
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import MappingFile, SelectorCall

OMITTED = Outcome(Answer.OMITTED, (), "rmap_omit holds")
IRRELEVANT = Outcome(Answer.NOT_APPLICABLE, (), "rmap_relevance does not hold")
Choose: TypeAlias = Callable[[Header], Outcome]
_HOOK_TROUBLE = (KeyError, ValueError, OverflowError, DateError)


class HookError(ValueError):
    """An instrument hook could not do with a header."""


@dataclass(frozen=True, slots=True)
class CompiledReference:
    """An rmap ready for look-ups.

    Parameters
    ----------
    file
        What it was compiled from.
    terms
        Its header.
    tree
        Its rules, for the plain interpreter.
    selector
        Its rules, compiled.
    """

    file: MappingFile
    terms: ReferenceTerms
    tree: Node
    selector: Selector

    def choose(self, header: Mapping[str, str]) -> Outcome:
        """The answer for a header of conditioned values, reduced to the keywords required."""
        return look_up(self.terms, header, self.selector.choose)

    def interpret(self, header: Mapping[str, str]) -> Outcome:
        """The same, found by looking at every rule."""
        swaps = self.terms.selector.substitutions
        return look_up(self.terms, header, lambda values: choose(self.tree, values, swaps))


def compile_reference(file: MappingFile, observatory: Observatory | None) -> CompiledReference:
    """Compile an rmap.

    Raises
    ------
    MappingError
        If it can't be understood.
    """
    terms = reference_terms(file, observatory)
    if not isinstance(file.selector, SelectorCall):
        raise terms.selector.refuse(
            file.selector.span, "the selector of an rmap must be one such as Match({...})"
        )
    tree = prepare(file.selector, terms.selector)
    return CompiledReference(file, terms, tree, compile_node(tree, terms.selector.substitutions))


def look_up(terms: ReferenceTerms, header: Mapping[str, str], select: Choose) -> Outcome:
    """Everything an rmap does for a header: relevance, hooks, rules, and what follows when none matches."""
    if terms.omits is not None and _holds(terms.omits, header, default=False):
        return OMITTED
    if terms.applies is not None and not _holds(terms.applies, header, default=True):
        return IRRELEVANT
    try:
        values = first_header(terms, header)
    except (HookError, EvaluationError) as problem:
        return failed(str(problem))
    outcome = select(values)
    if outcome.answer is not Answer.NOT_FOUND:
        return outcome
    return _after_failure(terms, header, values, outcome, select)


def _after_failure(
    terms: ReferenceTerms,
    header: Mapping[str, str],
    values: Mapping[str, str],
    outcome: Outcome,
    select: Choose,
) -> Outcome:
    if terms.after_failure is not None and AFTER_FAILURE[terms.after_failure](values):
        return Outcome(Answer.NOT_APPLICABLE, (), "the exposure is not to be reprocessed")
    if terms.fallback is not None:
        try:
            second = select(second_header(terms, header))
        except (HookError, EvaluationError) as problem:
            second = failed(str(problem))
        if second.answer is not Answer.NOT_FOUND:
            return second
        outcome = second
    if terms.unmatched_is_na:
        return Outcome(Answer.NOT_APPLICABLE, (), f"{outcome.reason}, and the type is not required")
    return outcome


def first_header(terms: ReferenceTerms, header: Mapping[str, str]) -> Mapping[str, str]:
    """The header as the rules see it.

    Raises
    ------
    HookError, EvaluationError
        If a hook or an expression can't use the header.
    """
    return relevant(terms, _hooked(terms.precondition, header))


def second_header(terms: ReferenceTerms, header: Mapping[str, str]) -> Mapping[str, str]:
    """The header as the rules see it when nothing was found the first time and there is a fallback.

    Raises
    ------
    HookError, EvaluationError
        If a hook or an expression can't use the header.
    """
    fallback = _hooked(terms.fallback, header)
    return relevant(terms, {key: fallback.get(key, UNDEFINED) for key in terms.required})


def relevant(terms: ReferenceTerms, header: Mapping[str, str]) -> Mapping[str, str]:
    """A header in which keywords that don't count are N/A.

    Raises
    ------
    EvaluationError
        If an expression of ``parkey_relevance`` has no value.
    """
    if not terms.parkey_relevance:
        return header
    known = {**dict.fromkeys(terms.required, UNDEFINED), **header}
    changed = {
        key: NA
        for key in terms.required
        if (counts := terms.counts.get(key.upper())) is not None and not counts(known)
    }
    return {**header, **changed}


def _hooked(hook: Hook | None, header: Mapping[str, str]) -> Mapping[str, str]:
    if hook is None:
        return header
    try:
        return hook(dict(header))
    except _HOOK_TROUBLE as problem:
        raise HookError(f"{hook.__name__} can't use the header: {problem}") from None


def _holds(condition: Compiled, header: Mapping[str, str], *, default: bool) -> bool:
    try:
        return bool(condition(header))
    except EvaluationError:
        return default
