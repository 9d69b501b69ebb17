"""Selectors compiled for speed: one bit a rule, dates bisected.

They answer exactly as `calmap.compile.interpreter` does; tests compare the two. Both take rows of ordered
selectors with `calmap.compile.ordered`, so that those are tested against CRDS itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from calmap.compile.allowed import refused
from calmap.compile.interpreter import pair
from calmap.compile.ordered import MERGEABLE, Header, Pick, header_date, pick, too_early
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


Build: TypeAlias = Callable[[Node], Selector]


class CompiledTerminal:
    """A mapping that is nothing but an answer."""

    __slots__ = ("terminal",)

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def choose(self, header: Header) -> Outcome:
        """The same answer for every header."""
        return reached(self.terminal)


class CompiledOrdered:
    """Rows in order of date, version or number."""

    __slots__ = ("choices", "keys", "node", "parameters")

    def __init__(self, node: Ordered, build: Build) -> None:
        self.node = node
        self.parameters = node.parameters
        self.keys = [row.key for row in node.rows]
        self.choices = {
            row.place.start: build(row.choice) for row in node.rows if not isinstance(row.choice, Terminal)
        }

    def pick(self, header: Header) -> Pick | Outcome:
        """The rows chosen, with their rank."""
        if self.node.kind != "UseAfter":
            return pick(self.node, header)
        date = header_date(self.parameters, header)
        if isinstance(date, Outcome):
            return date
        index = bisect_right(self.keys, date) - 1  # type: ignore[type-var]
        return (self.keys[index], (self.node.rows[index],)) if index >= 0 else too_early(self.node, date)

    def follow(self, rows: tuple[Row, ...], header: Header) -> Outcome:
        """What the chosen rows lead to."""
        if len(rows) == 1:
            return self._follow(rows[0], header)
        return pair([self._follow(row, header) for row in rows])

    def _follow(self, row: Row, header: Header) -> Outcome:
        choice = row.choice
        return (
            reached(choice) if isinstance(choice, Terminal) else self.choices[row.place.start].choose(header)
        )

    def choose(self, header: Header) -> Outcome:
        """The answer of the chosen row."""
        picked = self.pick(header)
        return picked if isinstance(picked, Outcome) else self.follow(picked[1], header)


class Column:
    """What all rules say about one parameter, as bit masks: bit n is rule n."""

    __slots__ = ("_allowed", "_care", "_exact", "_swaps", "_tests", "known", "parameter")

    def __init__(self, match: Match, index: int, swaps: Mapping[Plain, Plain]) -> None:
        self.parameter = match.parameters[index]
        self._allowed = match.allowed[index]
        self._swaps = swaps
        groups = _groups(match, index)
        self._exact: dict[str, int] = {}
        for judge, mask in groups:
            if isinstance(judge, OneOf):
                for value in judge.values:
                    self._exact[value] = self._exact.get(value, 0) | mask
        self._care = sum(mask for judge, mask in groups if isinstance(judge, Anything))
        self._tests = tuple(group for group in groups if not isinstance(group[0], Anything | OneOf))
        self.known = {value: _judged(groups, value) for value in (ANY, NA)}
        if not self._tests:
            for value, mask in self._exact.items():
                self.known.setdefault(value, (mask, mask | self._care))

    def judge(self, value: str) -> tuple[int, int] | None:
        """Rules that match a value, and all rules that accept it; None where CRDS looks at no rule at all.

        ``known`` has the answers that were worked out beforehand.
        """
        allowed = self._allowed
        if allowed is not None and value not in allowed and refused(value, allowed, self._swaps):
            return None
        exact = self._exact.get(value, 0)
        matching, accepting = _judged(self._tests, value)
        return exact | matching, exact | accepting | self._care


def _groups(match: Match, index: int) -> tuple[tuple[Pattern, int], ...]:
    """The patterns of one parameter, each with the rules that have it."""
    found: dict[str, tuple[Pattern, int]] = {}
    for number, rule in enumerate(match.rules):
        element = rule.key[index]
        mask = found[element][1] if element in found else 0
        found[element] = (rule.patterns[index], mask | 1 << number)
    return tuple(found.values())


def _judged(groups: tuple[tuple[Pattern, int], ...], value: str) -> tuple[int, int]:
    matching = careless = 0
    for judge, mask in groups:
        judgement = judge.match(value)
        if judgement == MATCH:
            matching |= mask
        elif judgement == DONT_CARE:
            careless |= mask
    return matching, matching | careless


class CompiledMatch:
    """Rules matched against header values."""

    __slots__ = ("choices", "columns", "every", "merge_overlaps")

    def __init__(self, match: Match, build: Build, substitutions: Substitutions) -> None:
        self.columns = tuple(
            Column(match, index, substitutions.get(parameter, {}))
            for index, parameter in enumerate(match.parameters)
        )
        self.choices = tuple(
            rule.choice if isinstance(rule.choice, Terminal) else build(rule.choice) for rule in match.rules
        )
        self.every = (1 << len(match.rules)) - 1
        self.merge_overlaps = match.merge_overlaps

    def choose(self, header: Header) -> Outcome:
        """The answer of the best rules that lead to one."""
        candidates = self.every
        matching = []
        for column in self.columns:
            value = header.get(column.parameter, UNDEFINED)
            judged = column.known.get(value) or column.judge(value)
            if judged is None:
                return refusal(column.parameter, value)
            candidates &= judged[1]
            matching.append(judged[0])
        if not candidates:
            return NO_MATCH
        if not candidates & (candidates - 1):
            outcome = _followed(self.choices[candidates.bit_length() - 1], header)
            return outcome if outcome.answer is not Answer.NOT_FOUND or outcome.final else NO_MATCH
        for group in _ranked(candidates, matching):
            outcome = self._choose_group(group, header)
            if outcome.answer is not Answer.NOT_FOUND or outcome.final:
                return outcome
        return NO_MATCH

    def _choose_group(self, group: list[int], header: Header) -> Outcome:
        chosen = [self.choices[number] for number in group]
        if len(chosen) == 1:
            return _followed(chosen[0], header)
        if not self.merge_overlaps:
            return failed(f"{len(chosen)} rules match with equal weight, and merge_overlaps is off")
        terminals = [choice for choice in chosen if isinstance(choice, Terminal)]
        selectors = [choice for choice in chosen if isinstance(choice, CompiledOrdered)]
        if len(terminals) + len(selectors) < len(chosen):
            return failed("rules of equal weight that lead to Match selectors can't be merged")
        return joined(terminals, _merged(selectors, header) if selectors else None)


def _followed(choice: Terminal | Selector, header: Header) -> Outcome:
    return reached(choice) if isinstance(choice, Terminal) else choice.choose(header)


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
    for selector in [selector for selector in selectors if selector.keys] or selectors:
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
