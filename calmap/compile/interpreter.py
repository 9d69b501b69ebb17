"""The plain, slow meaning of rules: the oracle of the compiled form, and the source of explanations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calmap.compile.allowed import refused
from calmap.compile.ordered import MERGEABLE, Header, pick
from calmap.compile.outcome import NO_MATCH, Outcome, failed, joined, missed, reached, refusal
from calmap.compile.prepare import Substitutions
from calmap.compile.tree import Answer, Match, MatchRule, Node, Ordered, Row, Terminal
from calmap.model.patterns import MATCH
from calmap.model.patterns import NO_MATCH as PATTERN_FAILS
from calmap.model.values import UNDEFINED


@dataclass(frozen=True, slots=True)
class Tried:
    """Rules of equal weight that were tried together, and what came of it."""

    match: Match
    rules: tuple[MatchRule, ...]
    weight: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that an ordered selector chose."""

    selector: Ordered
    row: Row
    value: str


Trail = list[Tried | Taken]


def choose(node: Node, header: Header, substitutions: Substitutions, trail: Trail | None = None) -> Outcome:
    """What rules say about a header, found by looking at each of them.

    Parameters
    ----------
    node
        The rules.
    header
        Conditioned values by parameter.
    substitutions
        Those of the mapping's header.
    trail
        If given, what was tried is added to it, in order.
    """
    if isinstance(node, Terminal):
        return reached(node)
    if isinstance(node, Ordered):
        return _choose_rows((node,), header, substitutions, trail)
    for parameter, allowed in zip(node.parameters, node.allowed, strict=True):
        value = header.get(parameter, UNDEFINED)
        if refused(value, allowed, substitutions.get(parameter, {})):
            return refusal(parameter, value)
    for weight, rules in _ranked(node, header):
        start = len(trail) if trail is not None else 0
        outcome = _choose_group(node, rules, header, substitutions, trail)
        if trail is not None:
            trail.insert(start, Tried(node, rules, weight, outcome))
        if outcome.answer is not Answer.NOT_FOUND or outcome.final:
            return outcome
    return NO_MATCH


def outcomes(rule: MatchRule, parameters: tuple[str, ...], header: Header) -> tuple[int, ...]:
    """How each element of a rule judges a header."""
    values = (header.get(parameter, UNDEFINED) for parameter in parameters)
    return tuple(p.match(value) for p, value in zip(rule.patterns, values, strict=True))


def _ranked(node: Match, header: Header) -> Iterator[tuple[int, tuple[MatchRule, ...]]]:
    groups: dict[int, list[MatchRule]] = {}
    for rule in node.rules:
        judged = outcomes(rule, node.parameters, header)
        if PATTERN_FAILS not in judged:
            groups.setdefault(judged.count(MATCH), []).append(rule)
    for weight in sorted(groups, reverse=True):
        yield weight, tuple(groups[weight])


def _choose_group(
    node: Match,
    rules: tuple[MatchRule, ...],
    header: Header,
    substitutions: Substitutions,
    trail: Trail | None,
) -> Outcome:
    if len(rules) == 1:
        return choose(rules[0].choice, header, substitutions, trail)
    if not node.merge_overlaps:
        return failed(f"{len(rules)} rules match with equal weight, and merge_overlaps is off")
    terminals = [rule.choice for rule in rules if isinstance(rule.choice, Terminal)]
    selectors = tuple(rule.choice for rule in rules if isinstance(rule.choice, Ordered))
    if len(terminals) + len(selectors) < len(rules):
        return failed("rules of equal weight that lead to Match selectors can't be merged")
    merged = _choose_rows(selectors, header, substitutions, trail) if selectors else None
    return joined([reached(terminal) for terminal in terminals], merged)


def _choose_rows(
    selectors: tuple[Ordered, ...], header: Header, substitutions: Substitutions, trail: Trail | None
) -> Outcome:
    kinds = {selector.kind for selector in selectors}
    if len(selectors) > 1 and (len(kinds) > 1 or not kinds <= MERGEABLE):
        return failed(f"rules of equal weight that lead to {' and '.join(sorted(kinds))} can't be merged")
    picks = []
    miss = missed("nothing to choose from")
    for selector in tuple(selector for selector in selectors if selector.rows) or selectors:
        picked = pick(selector, header)
        if isinstance(picked, Outcome):
            if picked.final:
                return picked
            miss = picked
        else:
            picks.append((picked[0], _name(picked[1][0]), selector, picked[1]))
    if not picks:
        return miss
    _, _, selector, rows = max(picks, key=lambda p: p[:2])
    if trail is not None:
        value = " ".join(header.get(parameter, UNDEFINED) for parameter in selector.parameters)
        trail.extend(Taken(selector, row, value) for row in dict.fromkeys(rows))
    parts = [choose(row.choice, header, substitutions, trail) for row in rows]
    return parts[0] if len(parts) == 1 else pair(parts)


def pair(parts: list[Outcome]) -> Outcome:
    """The two answers of a Bracket selector as one."""
    for part in sorted(parts, key=lambda part: part.answer is not Answer.NOT_FOUND):
        if part.answer is not Answer.FOUND:
            return part
    return parts[0]._replace(files=tuple(name for part in parts for name in part.files))


def _name(row: Row) -> str:
    return row.choice.written if isinstance(row.choice, Terminal) else ""
