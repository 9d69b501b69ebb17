"""Selectors compiled for speed: one bit a rule, dates bisected.

They answer exactly as `calmap.compile.interpreter` does; tests compare the two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Protocol

from calmap.compile.allowed import refused
from calmap.compile.interpreter import pair
from calmap.compile.ordered import MERGEABLE, Header, Pick, header_date, pick
from calmap.compile.outcome import NO_MATCH, Outcome, failed, joined, missed, reached, refusal
from calmap.compile.prepare import Substitutions
from calmap.compile.tree import Answer, Match, Node, Ordered, Row, Terminal
from calmap.model.patterns import DONT_CARE, MATCH, Anything, OneOf, Pattern
from calmap.model.values import ANY, NA, UNDEFINED
from calmap.syntax.ast import Plain


class Selector(Protocol):
    """Answers for a header."""

    def choose(self, header: Header) -> Outcome:
        """What the rules say about a header of conditioned values."""


class CompiledTerminal:
    """The end of a rule."""

    __slots__ = ("outcome", "terminal")

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.outcome = reached(terminal)

    def choose(self, header: Header) -> Outcome:
        """The same answer for every header."""
        return self.outcome


class CompiledOrdered:
    """Rows in order of date, version or number."""

    __slots__ = ("choices", "keys", "node", "parameters")

    def __init__(self, node: Ordered, build: Callable[[Node], Selector]) -> None:
        self.node = node
        self.parameters = node.parameters
        self.keys = [row.key for row in node.rows]
        self.choices = {id(row): build(row.choice) for row in node.rows}

    def pick(self, header: Header) -> Pick | Outcome:
        """The rows chosen, with their rank."""
        if self.node.kind != "UseAfter":
            return pick(self.node, header)
        date = header_date(self.parameters, header)
        if isinstance(date, Outcome):
            return date
        index = bisect_right(self.keys, date) - 1  # type: ignore[type-var]
        return (self.keys[index], (self.node.rows[index],)) if index >= 0 else pick(self.node, header)

    def follow(self, rows: tuple[Row, ...], header: Header) -> Outcome:
        """What the chosen rows lead to."""
        parts = [self.choices[id(row)].choose(header) for row in rows]
        return parts[0] if len(parts) == 1 else pair(parts)

    def choose(self, header: Header) -> Outcome:
        """The answer of the chosen row."""
        picked = self.pick(header)
        return picked if isinstance(picked, Outcome) else self.follow(picked[1], header)


class Column:
    """What all rules say about one parameter, as bit masks: bit n is rule n."""

    __slots__ = ("allowed", "any_value", "care", "exact", "not_applicable", "parameter", "swaps", "tests")

    def __init__(self, match: Match, index: int, swaps: Mapping[Plain, Plain]) -> None:
        self.parameter = match.parameters[index]
        self.allowed = match.allowed[index]
        self.swaps = swaps
        self.exact: dict[str, int] = {}
        patterns: dict[int, tuple[Pattern, int]] = {}
        for number, rule in enumerate(match.rules):
            judge = rule.patterns[index]
            patterns[id(judge)] = (judge, patterns.get(id(judge), (judge, 0))[1] | 1 << number)
        for judge, mask in patterns.values():
            if isinstance(judge, OneOf):
                for value in judge.values:
                    self.exact[value] = self.exact.get(value, 0) | mask
        groups = tuple(patterns.values())
        self.care = sum(mask for judge, mask in groups if isinstance(judge, Anything))
        self.tests = tuple(group for group in groups if not isinstance(group[0], Anything | OneOf))
        self.any_value = _judged(groups, ANY)
        self.not_applicable = _judged(groups, NA)

    def masks(self, value: str) -> tuple[int, int]:
        """Rules that match a value, and rules that don't care about it."""
        if value == ANY:
            return self.any_value
        if value == NA:
            return self.not_applicable
        matching = self.exact.get(value, 0)
        for judge, mask in self.tests:
            if judge.match(value) == MATCH:
                matching |= mask
        return matching, self.care

    def refuses(self, value: str) -> bool:
        """True if CRDS would not look at the rules for such a value."""
        allowed = self.allowed
        return allowed is not None and value not in allowed and refused(value, allowed, self.swaps)


def _judged(groups: tuple[tuple[Pattern, int], ...], value: str) -> tuple[int, int]:
    matching = careless = 0
    for judge, mask in groups:
        judgement = judge.match(value)
        if judgement == MATCH:
            matching |= mask
        elif judgement == DONT_CARE:
            careless |= mask
    return matching, careless


class CompiledMatch:
    """Rules matched against header values."""

    __slots__ = ("choices", "columns", "every", "merge_overlaps")

    def __init__(self, match: Match, build: Callable[[Node], Selector], substitutions: Substitutions) -> None:
        self.columns = tuple(
            Column(match, index, substitutions.get(parameter, {})) for index, parameter in enumerate(match.parameters)
        )
        self.choices = tuple(build(rule.choice) for rule in match.rules)
        self.every = (1 << len(match.rules)) - 1
        self.merge_overlaps = match.merge_overlaps

    def choose(self, header: Header) -> Outcome:
        """The answer of the best rules that lead to one."""
        candidates = self.every
        matching = []
        for column in self.columns:
            value = header.get(column.parameter, UNDEFINED)
            if column.refuses(value):
                return refusal(column.parameter, value)
            matches, careless = column.masks(value)
            candidates &= matches | careless
            matching.append(matches)
        if not candidates:
            return NO_MATCH
        if not candidates & (candidates - 1):
            outcome = self.choices[candidates.bit_length() - 1].choose(header)
            return outcome if outcome.answer is not Answer.NOT_FOUND or outcome.final else NO_MATCH
        for group in _ranked(candidates, matching):
            outcome = self._choose_group(group, header)
            if outcome.answer is not Answer.NOT_FOUND or outcome.final:
                return outcome
        return NO_MATCH

    def _choose_group(self, group: list[int], header: Header) -> Outcome:
        chosen = [self.choices[number] for number in group]
        if len(chosen) == 1:
            return chosen[0].choose(header)
        if not self.merge_overlaps:
            return failed(f"{len(chosen)} rules match with equal weight, and merge_overlaps is off")
        terminals = [choice.terminal for choice in chosen if isinstance(choice, CompiledTerminal)]
        selectors = [choice for choice in chosen if isinstance(choice, CompiledOrdered)]
        if len(terminals) + len(selectors) < len(chosen):
            return failed("rules of equal weight that lead to Match selectors can't be merged")
        return joined(terminals, _merged(selectors, header) if selectors else None)


def _ranked(candidates: int, matching: list[int]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    while candidates:
        bit = candidates & -candidates
        weight = 0
        for mask in matching:
            if mask & bit:
                weight += 1
        groups.setdefault(weight, []).append(bit.bit_length() - 1)
        candidates ^= bit
    return [groups[weight] for weight in sorted(groups, reverse=True)]


def _merged(selectors: list[CompiledOrdered], header: Header) -> Outcome:
    kinds = {selector.node.kind for selector in selectors}
    if len(selectors) > 1 and (len(kinds) > 1 or not kinds <= MERGEABLE):
        return failed(f"rules of equal weight that lead to {' and '.join(sorted(kinds))} can't be merged")
    best = None
    miss = missed("nothing to choose from")
    for selector in selectors:
        picked = selector.pick(header)
        if isinstance(picked, Outcome):
            if picked.final:
                return picked
            miss = picked
            continue
        choice = picked[1][0].choice
        rank = (picked[0], choice.written if isinstance(choice, Terminal) else "")
        if best is None or rank > best[0]:
            best = rank, selector, picked[1]
    return miss if best is None else best[1].follow(best[2], header)


def compile_node(node: Node, substitutions: Substitutions) -> Selector:
    """The fast form of rules."""

    def build(inner: Node) -> Selector:
        return compile_node(inner, substitutions)

    if isinstance(node, Terminal):
        return CompiledTerminal(node)
    if isinstance(node, Ordered):
        return CompiledOrdered(node, build)
    return CompiledMatch(node, build, substitutions)
