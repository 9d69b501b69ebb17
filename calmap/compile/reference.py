"""A reference mapping compiled: header in, answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeAlias

from calmap.compile.evaluate import Compiled, EvaluationError
from calmap.compile.hooks import AFTER_FAILURE, Hook
from calmap.compile.interpreter import choose
from calmap.compile.ordered import Header
from calmap.compile.outcome import Outcome, failed
from calmap.compile.packed import PackedReference
from calmap.compile.packing import pack
from calmap.compile.prepare import Terms, prepare
from calmap.compile.selectors import Rules
from calmap.compile.terms import ReferenceTerms, open_terms, pack_terms, reference_terms, selector_terms
from calmap.compile.tree import Answer, Node
from calmap.model.dates import DateError
from calmap.model.values import NA, UNDEFINED
from calmap.observatories.definition import Observatory
from calmap.source import Source
from calmap.syntax.ast import MappingFile, SelectorCall

OMITTED = Outcome(Answer.OMITTED, (), "rmap_omit holds")
IRRELEVANT = Outcome(Answer.NOT_APPLICABLE, (), "rmap_relevance does not hold")
Choose: TypeAlias = Callable[[Header], Outcome]
_NOT_FOUND = Answer.NOT_FOUND
_HOOK_TROUBLE = (KeyError, ValueError, OverflowError, DateError)


class HookError(ValueError):
    """An instrument hook could not do with a header."""


class CompiledReference:
    """An rmap ready for look-ups.

    Parameters
    ----------
    source
        The text that it was compiled from.
    terms
        Its header.
    rules
        Its rules.
    """

    def __init__(self, source: Source, terms: ReferenceTerms, rules: Rules) -> None:
        self.source = source
        self.terms = terms
        self.rules = rules
        self._select = rules.choose

    @cached_property
    def file(self) -> MappingFile:
        """What the text says; it is parsed when this is first asked for."""
        from calmap.model.mapping import parsed

        return parsed(self.source)

    @cached_property
    def tree(self) -> Node:
        """The rules for the plain interpreter."""
        return rule_tree(self.file, selector_terms(self.file))

    def choose(self, header: Mapping[str, str]) -> Outcome:
        """The answer for a header of conditioned values, reduced to the keywords required."""
        return look_up(self.terms, header, self._select)

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
    reference = open_reference(file.source, pack_reference(file, observatory))
    reference.__dict__["file"] = file
    return reference


def pack_reference(file: MappingFile, observatory: Observatory | None) -> PackedReference:
    """The packed form of an rmap.

    Raises
    ------
    MappingError
        If it can't be understood.
    """
    terms = reference_terms(file, observatory)
    return PackedReference(
        pack_terms(terms), pack(rule_tree(file, terms.selector), terms.selector.substitutions)
    )


def open_reference(source: Source, packed: PackedReference) -> CompiledReference:
    """An rmap from its packed form.

    Parameters
    ----------
    source
        The text that it was packed from.
    packed
        The packed form.

    Raises
    ------
    PackedError
        If it contradicts itself, or names hooks that don't exist.
    """
    return CompiledReference(source, open_terms(source, packed.terms), Rules(packed.selector))


def rule_tree(file: MappingFile, terms: Terms) -> Node:
    """The rules of an rmap as a tree.

    Raises
    ------
    MappingError
        If they can't be understood.
    """
    if not isinstance(file.selector, SelectorCall):
        raise terms.refuse(file.selector.span, "the selector of an rmap must be one such as Match({...})")
    return prepare(file.selector, terms)


def look_up(terms: ReferenceTerms, header: Mapping[str, str], select: Choose) -> Outcome:
    """Everything an rmap does for a header: relevance, hooks, rules, and what follows when none matches."""
    omits, applies = terms.omits, terms.applies
    if omits is not None and holds(omits, header, default=False):
        return OMITTED
    if applies is not None:
        try:
            if not applies(header):
                return IRRELEVANT
        except EvaluationError:
            pass  # as in CRDS, an expression without a value counts as if it weren't there
    values = header
    if terms.precondition is not None or terms.parkey_relevance:
        try:
            values = first_header(terms, header)
        except (HookError, EvaluationError) as problem:
            return failed(str(problem))
    outcome = select(values)
    if outcome.answer is not _NOT_FOUND:
        return outcome
    return after_failure(terms, header, values, outcome, select)


def after_failure(
    terms: ReferenceTerms,
    header: Mapping[str, str],
    values: Mapping[str, str],
    outcome: Outcome,
    select: Choose,
) -> Outcome:
    """What an rmap does when no rule has an answer.

    Parameters
    ----------
    terms
        Its header.
    header, values
        The header as it was given, and as the rules saw it.
    outcome
        What came of that.
    select
        Asks the rules.
    """
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


def holds(condition: Compiled, header: Mapping[str, str], *, default: bool) -> bool:
    """Whether a condition holds; the default if it has no value, as in CRDS."""
    try:
        return bool(condition(header))
    except EvaluationError:
        return default
