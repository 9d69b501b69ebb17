"""What a reference mapping answers as time goes by, for values that stay the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from calmap.compile.evaluate import EvaluationError
from calmap.compile.hooks import AFTER_FAILURE, AFTER_FAILURE_KEYWORDS, HOOK_DATE, HOOK_KEYWORDS, HOOK_MOMENTS
from calmap.compile.matching import Accepting, Match
from calmap.compile.ordered import Header
from calmap.compile.outcome import Outcome
from calmap.compile.reference import (
    IRRELEVANT,
    OMITTED,
    CompiledReference,
    HookError,
    first_header,
    holds,
    second_header,
)
from calmap.compile.rows import Dated, Other
from calmap.model.dates import moment, moment_text

_FIRST = moment("0001-01-01 00:00:00")


class Timeline(NamedTuple):
    """Answers that hold from moment to moment.

    Parameters
    ----------
    moments
        Microseconds since 1970, ascending.
    outcomes
        One more than moments: the first holds before all of them.
    """

    moments: Sequence[int]
    outcomes: Sequence[Outcome]

    def at(self, moment: int) -> Outcome:
        """The answer for a moment."""
        return self.outcomes[bisect_right(self.moments, moment)]


class Dependence(NamedTuple):
    """What the answers of a reference mapping depend on.

    Parameters
    ----------
    date
        Keywords that together are a date and matter in no other way; none where there are no such.
    keys
        All other keywords.
    """

    date: tuple[str, ...]
    keys: tuple[str, ...]


def dependence(reference: CompiledReference) -> Dependence:
    """What the answers of a reference mapping depend on."""
    terms, rules = reference.terms, reference.rules
    hooks = [hook.__name__ for hook in (terms.precondition, terms.fallback) if hook is not None]
    hooked = [name for hook in hooks for name in sorted(HOOK_KEYWORDS[hook])]
    failing = AFTER_FAILURE_KEYWORDS.get(terms.after_failure or "", frozenset())
    plain = [name for node in rules.others for name in _looked_at(node)]
    plain += sorted(terms.expression_names | failing)
    date = rules.date
    others = {*plain, *(name for name in hooked if name not in HOOK_DATE)}
    steady = (
        1 <= len(date) <= 2
        and not others & set(date)
        and not any(name.upper() in terms.parkey_relevance for name in date)
        and (not set(hooked) & set(HOOK_DATE) or date == HOOK_DATE)
    )
    if not steady:
        return Dependence((), tuple(dict.fromkeys((*plain, *hooked, *date))))
    return Dependence(date, tuple(dict.fromkeys(name for name in (*plain, *hooked) if name not in date)))


def _looked_at(node: object) -> tuple[str, ...]:
    return node.parameters if isinstance(node, Match | Other) else ()


class Timelines:
    """The timelines of a reference mapping.

    Parameters
    ----------
    reference
        The mapping, for which `dependence` names a date.
    """

    def __init__(self, reference: CompiledReference) -> None:
        self._reference = reference
        self._rules = reference.rules
        self._is_flat = reference.rules.is_flat
        self._known: dict[Hashable, Timeline] = {}
        self._reached_by: dict[Accepting, _Looked | None] = {}

    def of(self, header: Header) -> Timeline:
        """Answers for conditioned values of all keywords but the date.

        The same object is returned for other values that lead to the same rules.
        """
        terms = self._reference.terms
        if terms.omits is not None and holds(terms.omits, header, default=False):
            return self._made((), (_Looked(OMITTED, ()),), header)
        if terms.applies is not None and not holds(terms.applies, header, default=True):
            return self._made((), (_Looked(IRRELEVANT, ()),), header)
        if terms.precondition is None and terms.fallback is None:
            return self._made((), (self._look(header),), header)
        turns = tuple(moment(text) for text in HOOK_MOMENTS)
        return self._made(
            turns, tuple(self._look(self._dated(header, at)) for at in (_FIRST, *turns)), header
        )

    def _made(self, moments: tuple[int, ...], looked: tuple[_Looked, ...], header: Header) -> Timeline:
        """A timeline that is known already, or what the mapping answers at each moment."""
        key = tuple(each.key for each in looked)
        if key not in self._known:
            turns = sorted({*moments, *(at for each in looked for at in each.moments)})
            before = max(turns[0] - 1, _FIRST) if turns else _FIRST
            outcomes = [self._reference.choose(self._dated(header, at)) for at in (before, *turns)]
            self._known[key] = Timeline(turns, outcomes)
        return self._known[key]

    def _dated(self, header: Header, at: int) -> dict[str, str]:
        date = self._rules.date
        return {**header, **dict(zip(date, moment_text(at).split(" ", len(date) - 1), strict=True))}

    def _look(self, header: Header) -> _Looked:
        """What the rules come to that a header leads to, whatever its date."""
        terms = self._reference.terms
        try:
            values = first_header(terms, header)
        except (HookError, EvaluationError) as problem:
            return _Looked(str(problem), ())
        spares = terms.after_failure is not None and AFTER_FAILURE[terms.after_failure](values)
        first = self._reached(values)
        if terms.fallback is None:
            return _Looked((spares, first.key), first.moments)
        try:
            second = self._reached(second_header(terms, header))
        except (HookError, EvaluationError) as problem:
            second = _Looked(str(problem), ())
        return _Looked((spares, first.key, second.key), (*first.moments, *second.moments))

    def _reached(self, values: Header) -> _Looked:
        """Rules that accept some values, and the dates that count for them."""
        rules = self._rules
        root = rules.chosen(*rules.root)
        if not isinstance(root, Match):
            return _Looked("", rules.dates)
        accepting = root.accepting(values)
        if isinstance(accepting, Outcome):
            return _Looked(accepting, ())
        known = self._reached_by.get(accepting)
        if known is None:
            known = self._reached_by[accepting] = self._leading(root, accepting)
        return known or _Looked(tuple(sorted(values.items())), rules.dates)

    def _leading(self, match: Match, accepting: Accepting) -> _Looked | None:
        """What rules lead to, or None if header values count below them too."""
        rules, ranked = self._rules, accepting.ranked()
        chosen = [rules.chosen(match.choices[n], match.places[n]) for group in ranked for n in group]
        if any(not isinstance(node, Dated | Outcome) for node in chosen) or not self._is_flat:
            return None
        moments = {at for node in chosen if isinstance(node, Dated) for at in node.dates}
        return _Looked(tuple(map(tuple, ranked)), tuple(moments))


class _Looked(NamedTuple):
    """What answers depend on, and the moments at which they may change."""

    key: Hashable
    moments: Sequence[int]
