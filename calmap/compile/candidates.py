"""Which rules are left when the values of more and more parameters are known, as sets of bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from calmap.compile.allowed import refused
from calmap.compile.domain import Domain
from calmap.compile.prepare import Substitutions
from calmap.compile.tree import Answer, Match, MatchRule, Node, Ordered, Terminal
from calmap.model.patterns import DONT_CARE, MATCH, OneOf, Pattern
from calmap.model.patterns import NO_MATCH as FAILS
from calmap.model.values import ANY, NA

LATE = "9999-12-31 23:59:59"
ALWAYS = ""
Levels: TypeAlias = tuple[int, ...]
"""The rules left, one set for each weight; all in one set where weights don't count."""
_STEADY = frozenset({"UseAfter", "ClosestTime", "VersionAfter"})


@dataclass(frozen=True, slots=True)
class Sieve:
    """What one value of a parameter leaves of the rules: those it matches, those it does not matter to."""

    match: int
    any: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """The rules of a Match selector of which each has an answer if only the date is late enough.

    Parameters
    ----------
    rules
        In the order of their bits.
    sieves
        For each parameter with values, and for N/A in place of its value, what is left.
    start
        The rules before any value is known, by weight.
    free
        For each parameter of numbers, the rules that no number reaches.
    weighted
        Whether weights are told apart.
    """

    rules: tuple[MatchRule, ...]
    sieves: Mapping[str, Mapping[str, Sieve]]
    start: Levels
    free: Mapping[str, int]
    weighted: bool

    def begin(self, ignored: frozenset[str]) -> Levels:
        """The rules that some value of the parameters of numbers reaches."""
        dead = 0
        for parameter, unreachable in self.free.items():
            dead |= 0 if parameter in ignored else unreachable
        return tuple(level & ~dead for level in self.start)

    def keep(self, levels: Levels, parameter: str, value: str) -> Levels:
        """The rules that are left with one more value."""
        sieve = self.sieves[parameter][value]
        if not self.weighted:
            return (levels[0] & (sieve.match | sieve.any),)
        stay = [level & sieve.any for level in levels] + [0]
        for weight, level in enumerate(levels):
            stay[weight + 1] |= level & sieve.match
        while stay and not stay[-1]:
            stay.pop()
        return tuple(stay)

    def answer(self, levels: Levels) -> Answer:
        """What the rules of most weight say in the end."""
        top = next((level for level in reversed(levels) if level), 0)
        if not top:
            return Answer.NOT_FOUND
        if not self.weighted:
            return Answer.FOUND
        choices = [rule.choice for rule in self._of(top)]
        answers = {choice.answer for choice in choices if isinstance(choice, Terminal)}
        lasts = [_last(choice) for choice in choices if isinstance(choice, Ordered)]
        if lasts:
            answers.add(max(lasts, key=lambda last: last[:2])[2])
        ranked = (Answer.FOUND, Answer.NOT_APPLICABLE, Answer.OMITTED)
        return next(answer for answer in ranked if answer in answers)

    def begins(self, levels: Levels) -> str:
        """The first date with an answer, or `ALWAYS`."""
        return min((first(rule.choice) for level in levels for rule in self._of(level)), default=LATE)

    def _of(self, level: int) -> list[MatchRule]:
        found = []
        while level:
            bit = level & -level
            found.append(self.rules[bit.bit_length() - 1])
            level ^= bit
        return found


def candidates(
    node: Node,
    fixed: tuple[Domain, ...],
    free: tuple[Domain, ...],
    swaps: Substitutions,
    never: frozenset[str] = frozenset(),
) -> Candidates | None:
    """The rules as sets, or None if not every rule that matches has an answer of its own."""
    if not isinstance(node, Match) or not is_steady(node):
        return None
    rules = tuple(rule for rule in node.rules if isinstance(rule.choice, Terminal) or rule.choice.rows)  # type: ignore[union-attr]
    weighted = any(_words(rule.choice) for rule in rules)
    columns = {name: [rule.patterns[i] for rule in rules] for i, name in enumerate(node.parameters)}
    allowed = dict(zip(node.parameters, node.allowed, strict=True))
    sifted = never | {domain.parameter for domain in fixed}
    levels = [0] * (len(node.parameters) + 1)
    for index, rule in enumerate(rules):
        others = (p for name, p in zip(node.parameters, rule.patterns, strict=True) if name not in sifted)
        weight = sum(pattern.match(ANY) == MATCH for pattern in others) if weighted else 0
        levels[weight] |= 1 << index

    def passing(domain: Domain) -> tuple[str, ...]:
        name = domain.parameter
        return tuple(v for v in domain.values if not refused(v, allowed[name], swaps.get(name, {})))

    sieves = {
        domain.parameter: dict.fromkeys(domain.values, Sieve(0, 0))
        | _sieves(columns[domain.parameter], (*passing(domain), NA))
        for domain in fixed
    }
    unreachable = {
        domain.parameter: _unreachable(columns[domain.parameter], passing(domain)) for domain in free
    }
    return Candidates(rules, sieves, tuple(levels), unreachable, weighted)


def is_steady(match: Match) -> bool:
    """True if rules of a selector that match have an answer, alone and merged, at some late date."""
    choices = [rule.choice for rule in match.rules]
    ordered = [choice for choice in choices if isinstance(choice, Ordered)]
    kinds = {choice.kind for choice in ordered}
    plain = len(ordered) + sum(isinstance(choice, Terminal) for choice in choices) == len(choices)
    return (
        plain
        and match.merge_overlaps
        and len(kinds) <= 1
        and kinds <= _STEADY
        and all(_has_late_answer(choice) for choice in ordered)
    )


def first(choice: Node) -> str:
    """The first date of a UseAfter selector; `ALWAYS` for what does not begin at a date."""
    if isinstance(choice, Ordered) and choice.kind == "UseAfter":
        return str(choice.rows[0].key) if choice.rows else LATE
    return ALWAYS


def _has_late_answer(choice: Ordered) -> bool:
    if not all(isinstance(row.choice, Terminal) for row in choice.rows):
        return False
    if choice.kind == "ClosestTime":
        return bool(choice.rows) and all(isinstance(row.key, datetime) for row in choice.rows)
    return choice.kind != "UseAfter" or all(str(row.key) <= LATE for row in choice.rows)


def _words(choice: Node) -> bool:
    if isinstance(choice, Terminal):
        return choice.answer is not Answer.FOUND
    lines = choice.rules if isinstance(choice, Match) else choice.rows
    return any(_words(line.choice) for line in lines)


def _last(choice: Ordered) -> tuple[str, str, Answer]:
    """Key, name and answer of the row that counts at a late date."""
    dated = [(row.key, row) for row in choice.rows if isinstance(row.key, datetime)]
    row = max(dated, key=lambda pair: pair[0])[1] if dated else choice.rows[-1]
    assert isinstance(row.choice, Terminal)
    key = f"{row.key[0]:09d}{row.key[1:]}" if isinstance(row.key, tuple) else str(row.key)
    return key, row.choice.written, row.choice.answer


def _sieves(column: list[Pattern], values: tuple[str, ...]) -> dict[str, Sieve]:
    """For each value the rules it matches and those it does not matter to; lists of values are looked up."""
    matched, indifferent = dict.fromkeys(values, 0), dict.fromkeys(values, 0)
    for index, pattern in enumerate(column):
        bit = 1 << index
        listed = pattern.values & matched.keys() if isinstance(pattern, OneOf) else values
        for value in {*listed, NA}:
            verdict = pattern.match(value)
            if verdict == MATCH:
                matched[value] |= bit
            elif verdict == DONT_CARE:
                indifferent[value] |= bit
    return {value: Sieve(matched[value], indifferent[value]) for value in values}


def _unreachable(column: list[Pattern], values: tuple[str, ...]) -> int:
    bits = 0
    for index, pattern in enumerate(column):
        if all(pattern.match(value) == FAILS for value in values):
            bits |= 1 << index
    return bits
