"""Rules matched against header values, one bit a rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from calmap.compile.columns import Column, Known
from calmap.compile.ordered import MERGEABLE, Header
from calmap.compile.outcome import NO_MATCH, Outcome, failed, joined, missed, refusal
from calmap.compile.packed import PackedError, PackedMatch, numbers
from calmap.compile.rows import Dated, Other, Word
from calmap.compile.tree import Answer
from calmap.model.patterns import PatternError
from calmap.model.values import UNDEFINED

if TYPE_CHECKING:
    from calmap.compile.selectors import Rules

_NOT_FOUND = Answer.NOT_FOUND
_NOTHING = missed("nothing to choose from")


class Accepting(NamedTuple):
    """Rules that accept a header, one bit a rule, and for each parameter those that match its value."""

    rules: int
    matching: tuple[int, ...]

    def ranked(self) -> list[list[int]]:
        """The rules by number: those of most weight first, those of equal weight together."""
        left = self.rules
        groups: dict[int, list[int]] = {}
        while left:
            bit = left & -left
            weight = 0
            for mask in self.matching:
                if mask & bit:
                    weight += 1
            groups.setdefault(weight, []).append(bit.bit_length() - 1)
            left ^= bit
        return [groups[weight] for weight in sorted(groups, reverse=True)]


class Match:
    """Rules matched against header values."""

    def __init__(self, rules: Rules, packed: PackedMatch) -> None:
        self.rules = rules
        self.choices, self.places = numbers(packed.choices), numbers(packed.places)
        self.parameters = tuple(column.parameter for column in packed.columns)
        self._every = (1 << len(self.choices)) - 1
        self.merge_overlaps = packed.merge_overlaps
        self._packed = packed.columns
        self._asked: tuple[tuple[str, Known], ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What the rules say about each parameter; they are opened when this is first asked for."""
        return tuple(Column(column, len(self.choices)) for column in self._packed)

    def check(self) -> None:
        """See that there is all that rules need.

        Raises
        ------
        PackedError
            If there is not.
        """
        if len(self.places) != len(self.choices):
            raise PackedError("rules without a place")
        try:
            columns = self.columns
        except (PatternError, IndexError) as problem:
            raise PackedError(f"a column is damaged: {problem}") from None
        for column in columns:
            column.check(len(self.choices))

    def _open(self) -> tuple[tuple[str, Known], ...]:
        self._asked = tuple((column.parameter, column.known) for column in self.columns)
        return self._asked

    def _whole(self, header: Header) -> dict[str, str]:
        """A header that has a value for every parameter."""
        return {**dict.fromkeys(self.parameters, UNDEFINED), **header}

    def leads_to(self) -> Sequence[int]:
        """The choices of the rules."""
        return self.choices

    def choose(self, header: Header) -> Outcome:
        """The answer of the best rules that lead to one."""
        candidates = self._every
        try:
            for parameter, known in self._asked or self._open():
                judged = known[header[parameter]]
                if judged is None:
                    return refusal(parameter, header[parameter])
                candidates &= judged[1]
        except KeyError:
            return self.choose(self._whole(header))
        if not candidates:
            return NO_MATCH
        if not candidates & (candidates - 1):
            number = candidates.bit_length() - 1
            choice = self.choices[number]
            node = (self.rules.nodes[-1 - choice] or self.rules.opened(choice)) if choice < 0 else None
            if node is None or node.__class__ is Word:
                return self._answer(choice, self.places[number])
            outcome: Outcome = node.look_up(header) if node.__class__ is Dated else node.choose(header)
            return outcome if outcome.answer is not _NOT_FOUND or outcome.final else NO_MATCH
        accepting = self.accepting(header)
        for group in accepting.ranked() if isinstance(accepting, Accepting) else ():
            outcome = self.choose_group(group, header)
            if outcome.answer is not _NOT_FOUND or outcome.final:
                return outcome
        return NO_MATCH

    def accepting(self, header: Header) -> Accepting | Outcome:
        """The rules that accept a header."""
        candidates = self._every
        matching = []
        for parameter, known in self._asked or self._open():
            value = header.get(parameter, UNDEFINED)
            judged = known[value]
            if judged is None:
                return refusal(parameter, value)
            candidates &= judged[1]
            matching.append(judged[0])
        return Accepting(candidates, tuple([mask & candidates for mask in matching]))

    def choose_group(self, group: list[int], header: Header) -> Outcome:
        """The answer of rules of equal weight."""
        chosen = [self.rules.chosen(self.choices[number], self.places[number]) for number in group]
        if len(chosen) == 1:
            return chosen[0] if isinstance(chosen[0], Outcome) else chosen[0].choose(header)
        if not self.merge_overlaps:
            return failed(f"{len(chosen)} rules match with equal weight, and merge_overlaps is off")
        answers = [choice for choice in chosen if isinstance(choice, Outcome)]
        selectors = [choice for choice in chosen if isinstance(choice, Dated | Other)]
        if len(answers) + len(selectors) < len(chosen):
            return failed("rules of equal weight that lead to Match selectors can't be merged")
        return joined(answers, _merged(self.rules, selectors, header) if selectors else None)

    def _answer(self, choice: int, place: int) -> Outcome:
        found: Outcome = self.rules.chosen(choice, place)
        return found


def _merged(rules: Rules, selectors: Sequence[Dated | Other], header: Header) -> Outcome:
    kinds = {selector.kind for selector in selectors}
    if len(selectors) > 1 and (len(kinds) > 1 or not kinds <= MERGEABLE):
        return failed(f"rules of equal weight that lead to {' and '.join(sorted(kinds))} can't be merged")
    best = None
    miss = _NOTHING
    for selector in [selector for selector in selectors if not selector.is_empty] or selectors:
        picked = selector.pick(header)
        if isinstance(picked, Outcome):
            if picked.final:
                return picked
            miss = picked
            continue
        rank = (picked.rank, rules.written(picked.rows[0]))
        if best is None or rank > best[0]:
            best = rank, picked.rows
    return miss if best is None else rules.rows(best[1], header)
