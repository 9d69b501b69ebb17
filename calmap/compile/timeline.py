"""What a reference mapping answers as time goes by, for values that stay the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, TypeGuard

from calmap.compile.hooks import AFTER_FAILURE_KEYWORDS, HOOK_DATE, HOOK_KEYWORDS, HOOK_MOMENTS
from calmap.compile.outcome import Outcome
from calmap.compile.reference import CompiledReference
from calmap.compile.tree import Match, Node, Ordered
from calmap.model.dates import EPOCH, DateError, moment

_TICK = timedelta(microseconds=1)


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
    terms = reference.terms
    nodes = tuple(_nodes(reference.tree))
    hooks = [hook.__name__ for hook in (terms.precondition, terms.fallback) if hook is not None]
    plain = [name for node in nodes if not _is_dated(node) for name in node.parameters]
    plain += sorted(
        terms.expression_names | AFTER_FAILURE_KEYWORDS.get(terms.after_failure or "", frozenset())
    )
    hooked = [name for hook in hooks for name in sorted(HOOK_KEYWORDS[hook])]
    dates = sorted({node.parameters for node in nodes if _is_dated(node)})
    date = dates[0] if len(dates) == 1 else ()
    others = set(plain) | {name for name in hooked if name not in HOOK_DATE}
    steady = (
        1 <= len(date) <= 2
        and not others & set(date)
        and not any(name.upper() in terms.counts for name in date)
        and (not set(hooked) & set(HOOK_DATE) or date == HOOK_DATE)
        and all(
            isinstance(row.key, str) and _is_date(row.key)
            for node in nodes
            if _is_dated(node)
            for row in node.rows
        )
    )
    if not steady:
        keys = [*plain, *hooked, *(name for group in dates for name in group)]
        return Dependence((), tuple(dict.fromkeys(keys)))
    return Dependence(date, tuple(dict.fromkeys(name for name in (*plain, *hooked) if name not in date)))


def timeline(reference: CompiledReference, header: Mapping[str, str]) -> Timeline:
    """Answers for conditioned values of all keywords but the date.

    Parameters
    ----------
    reference
        The rules, for which `dependence` names a date.
    header
        Values of the other keywords.

    Notes
    -----
    The same object may be returned for other values that lead to the same answers.
    """
    date = dependence(reference).date
    moments = sorted({*_turns(reference), *(moment(text) for text in HOOK_MOMENTS)})
    outcomes = [reference.choose({**header, **_written(date, moments[0] - 1)})]
    outcomes += [reference.choose({**header, **_written(date, at)}) for at in moments]
    return Timeline(moments, outcomes)


def _turns(reference: CompiledReference) -> Iterator[int]:
    for node in _nodes(reference.tree):
        if _is_dated(node):
            yield from (moment(str(row.key)) for row in node.rows)


def _written(parameters: tuple[str, ...], at: int) -> dict[str, str]:
    words = (EPOCH + at * _TICK).isoformat(" ").split(" ", len(parameters) - 1)
    return dict(zip(parameters, words, strict=True))


def _nodes(node: Node) -> Iterator[Match | Ordered]:
    if isinstance(node, Match):
        yield node
        for rule in node.rules:
            yield from _nodes(rule.choice)
    elif isinstance(node, Ordered):
        yield node
        for row in node.rows:
            yield from _nodes(row.choice)


def _is_dated(node: Match | Ordered) -> TypeGuard[Ordered]:
    return isinstance(node, Ordered) and node.kind == "UseAfter"


def _is_date(text: str) -> bool:
    try:
        moment(text)
    except DateError:
        return False
    return True
