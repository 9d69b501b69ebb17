"""The rules of a Match selector against the values that tell them apart: bit n of a mask is rule n."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import NamedTuple

from calmap.compile.answers import leads_to_files
from calmap.compile.columns import Column, pack_column
from calmap.compile.observations import Observations
from calmap.compile.samples import OTHER, samples
from calmap.compile.tree import Match, MatchRule
from calmap.model.patterns import DONT_CARE, Negation, OneOf, Pattern, has_glob
from calmap.model.values import NA, UNDEFINED, alternatives

MAX_BITS = 200_000_000
MAX_TESTS = 300_000
MAX_COLUMNS = 100
MAX_STEPS = 100_000
_MAX_TRIALS = 3_000


class TooComplexError(ValueError):
    """There are more rules and values than can be compared in reasonable time."""


class Sample(NamedTuple):
    """A value that an observation may have, and the rules that accept it."""

    value: str
    accepting: int


class Met(NamedTuple):
    """The values that an element accepts.

    Parameters
    ----------
    samples
        Those that an observation may well have, likely ones first.
    others
        More that it may have: a missing keyword, and any value that no sample stands for.
    meeting
        Rules that accept one of the samples.
    """

    samples: tuple[Sample, ...]
    others: tuple[Sample, ...]
    meeting: int

    @property
    def all(self) -> tuple[Sample, ...]:
        """Every value that an observation may have."""
        return self.samples + self.others


class GridColumn:
    """What the elements of one parameter accept.

    Raises
    ------
    TooComplexError
        If there are too many of them.
    """

    __slots__ = (
        "_all",
        "_careless",
        "_masks",
        "_met",
        "_numbered",
        "_odd",
        "_rest",
        "ignored",
        "is_idle",
        "parameter",
        "uncertain",
    )

    def __init__(self, match: Match, index: int, known: Observations) -> None:
        self.parameter = match.parameters[index]
        self.ignored = self.parameter in known.ignored
        self.uncertain = self.parameter in known.uncertain
        self._masks: dict[str, int] = {}
        patterns: dict[str, Pattern] = {}
        for number, rule in enumerate(match.rules):
            self._masks[rule.key[index]] = self._masks.get(rule.key[index], 0) | 1 << number
            patterns[rule.key[index]] = rule.patterns[index]
        if self.ignored or self.uncertain:
            _refuse_na(self.parameter, patterns)
        self._careless = {text for text, item in patterns.items() if item.match(OTHER) == DONT_CARE}
        self.is_idle = not self.ignored and len(self._careless) == len(patterns)
        self._met: dict[str, Met] = {}
        self._odd: tuple[Sample, ...] = ()
        self._rest: Sample | None = None
        self._all: tuple[Sample, ...] = (Sample(NA, (1 << len(match.rules)) - 1),)
        if not self.ignored:
            self._fill(match, index, known, patterns)
        self._numbered = {sample.value: sample for sample in self._all}

    def _fill(self, match: Match, index: int, known: Observations, patterns: dict[str, Pattern]) -> None:
        listed = known.listed.get(self.parameter)
        values = list(samples(self._masks) if listed is None else sorted(listed - {NA}))
        if listed is None and match.allowed[index] is None:
            values.append(OTHER if OTHER not in values else f"{OTHER} {len(values)}")
        tests = sum(not isinstance(item, OneOf) for item in patterns.values())
        if len(values) * len(match.rules) > MAX_BITS or len(values) * tests > MAX_TESTS:
            raise TooComplexError(f"{len(values):,} values of {self.parameter} in {len(match.rules):,} rules")
        swaps = known.substitutions.get(self.parameter, {})
        column = Column(pack_column(match, index, swaps), len(match.rules))
        self._all = tuple(
            Sample(value, judged[1]) for value in values if (judged := column.judge(value)) is not None
        )
        missing = column.judge(UNDEFINED)
        if missing is not None and UNDEFINED not in values:
            self._odd = (Sample(UNDEFINED, missing[1]),)
        if listed is None:
            accepting = (mask for text, mask in self._masks.items() if _accepts_rest(text, patterns[text]))
            self._rest = Sample("", reduce(or_, accepting, 0))

    def is_careless(self, element: str) -> bool:
        """True if an element has no weight."""
        return self.ignored or element in self._careless

    def met(self, element: str) -> Met:
        """The values that an element of this column accepts."""
        if element not in self._met:
            self._met[element] = self._meet(element)
        return self._met[element]

    def _meet(self, element: str) -> Met:
        if self.ignored:
            return Met(self._all, (), self._all[0].accepting)
        own = self._masks[element]
        bit = own & -own
        named = _named(element)
        if named is not None:
            found = (self._numbered.get(value) for value in named)
            accepted = tuple(sample for sample in found if sample is not None and sample.accepting & bit)
        else:
            accepted = tuple(sample for sample in self._all if sample.accepting & bit)
        odd = tuple(sample for sample in self._odd if sample.accepting & bit)
        if self._rest is not None and named is None:
            odd += (Sample("", self._rest.accepting | own),)
        return Met(accepted, odd, _joined(accepted))


def _named(element: str) -> tuple[str, ...] | None:
    """The only values that an element accepts, or None for a pattern."""
    first = element[:1]
    if first == "{" and element.endswith("}"):
        return (element[1:-1],)
    words = element.upper().startswith(("NOT ", "BETWEEN"))
    if words or first in ("(", "#", "<", ">") or element == NA or has_glob(element):
        return None
    return alternatives(element)


def _refuse_na(parameter: str, patterns: Mapping[str, Pattern]) -> None:
    """Refuse elements such as ``{N/A}``, which an N/A matches with weight, where values may be N/A."""
    for text, item in patterns.items():
        if item.match(NA) != DONT_CARE:
            raise TooComplexError(f"'{text[:60]}' asks for N/A itself, which {parameter} may be")


def _accepts_rest(text: str, pattern: Pattern) -> bool:
    """True if an element surely accepts every value that it does not name."""
    if pattern.match(OTHER) == DONT_CARE:
        return True
    if isinstance(pattern, Negation):
        return isinstance(pattern.item, OneOf)
    return not isinstance(pattern, OneOf) and any(member.strip("*") == "" for member in alternatives(text))


def _joined(found: Iterable[Sample]) -> int:
    return reduce(or_, (sample.accepting for sample in found), 0)


class Grid:
    """All columns of a Match selector.

    Raises
    ------
    TooComplexError
        If there are too many rules and values.
    """

    __slots__ = ("_by_weight", "_steps", "columns", "every", "leads_to_files", "match", "weights")

    def __init__(self, match: Match, known: Observations) -> None:
        if len(match.parameters) > MAX_COLUMNS:
            raise TooComplexError(f"{len(match.parameters):,} parameters")
        self.match = match
        self.columns = tuple(GridColumn(match, index, known) for index in range(len(match.parameters)))
        self.leads_to_files = leads_to_files(match)
        self.every = (1 << len(match.rules)) - 1
        self.weights = [
            sum(not column.is_careless(e) for column, e in zip(self.columns, rule.key, strict=True))
            for rule in match.rules
        ]
        self._by_weight: dict[int, int] = {}
        for number, weight in enumerate(self.weights):
            self._by_weight[weight] = self._by_weight.get(weight, 0) | 1 << number
        self._steps = MAX_STEPS

    def advantage(self, number: int, other: int) -> tuple[int, int]:
        """By how much one rule outweighs another, at least and at most: uncertain parameters may be N/A."""
        keys = self.match.rules[number].key, self.match.rules[other].key
        least = most = 0
        for column, mine, theirs in zip(self.columns, *keys, strict=True):
            gain = column.is_careless(theirs) - column.is_careless(mine)
            least += min(gain, 0) if column.uncertain else gain
            most += max(gain, 0) if column.uncertain else gain
        return least, most

    def met(self, number: int) -> list[Met]:
        """For each column the values that a rule accepts."""
        key = self.match.rules[number].key
        return [column.met(element) for column, element in zip(self.columns, key, strict=True)]

    def meeting(self, number: int) -> int:
        """Rules that accept an observation that this rule accepts too."""
        return reduce(and_, (met.meeting for met in self.met(number)), self.every)

    def meetings(self, choices: Iterable[Iterable[Sample]]) -> Iterator[int]:
        """For some values of each column the rules that accept one of them."""
        return map(_joined, choices)

    def as_heavy(self, number: int) -> int:
        """The other rules of a rule's weight."""
        return self._by_weight[self.weights[number]] & ~(1 << number)

    def heavier(self, number: int) -> int:
        """Rules of more weight."""
        weight = self.weights[number]
        return reduce(or_, (mask for other, mask in self._by_weight.items() if other > weight), 0)

    def spend(self, steps: int) -> None:
        """Count what is done with the grid, so that it comes to an end.

        Raises
        ------
        TooComplexError
            If it was too much.
        """
        self._steps -= steps
        if self._steps < 0:
            raise TooComplexError(f"too many of {len(self.match.rules):,} rules accept the same values")

    def rules(self, mask: int) -> Iterator[tuple[int, MatchRule]]:
        """The rules of a mask with their numbers.

        Raises
        ------
        TooComplexError
            If very many rules were asked for already.
        """
        while mask:
            self.spend(1)
            number = (mask & -mask).bit_length() - 1
            yield number, self.match.rules[number]
            mask &= mask - 1


class Escape(NamedTuple):
    """One value of each column such that of certain rules none accepts them all.

    Parameters
    ----------
    values
        The values, or None if none were found.
    certain
        False if it was not tried to the end.
    """

    values: tuple[str, ...] | None
    certain: bool = True


def escape(choices: Sequence[Sequence[Sample]], rules: int) -> Escape:
    """Find values that none of the rules accepts; of equally good ones the first of each column."""
    if not all(choices):
        return Escape(None)
    kept = [_distinct(column, rules) for column in choices]
    order = sorted(range(len(kept)), key=lambda index: len(kept[index]))
    inescapable = [rules]
    for index in reversed(order):
        always = reduce(and_, (sample.accepting for sample in kept[index]))
        inescapable.append(inescapable[-1] & always)
    inescapable.reverse()
    chosen = [column[0].value for column in choices]
    seen: set[tuple[int, int]] = set()

    def found(depth: int, left: int) -> bool:
        if not left:
            return True
        if left & inescapable[depth] or len(seen) > _MAX_TRIALS or (depth, left) in seen:
            return False
        seen.add((depth, left))
        index = order[depth]
        for sample in sorted(kept[index], key=lambda sample: (sample.accepting & left).bit_count()):
            chosen[index] = sample.value
            if found(depth + 1, left & sample.accepting):
                return True
        chosen[index] = choices[index][0].value
        return False

    if found(0, rules):
        return Escape(tuple(chosen))
    return Escape(None, len(seen) <= _MAX_TRIALS)


def _distinct(column: Sequence[Sample], rules: int) -> list[Sample]:
    first: dict[int, Sample] = {}
    for sample in column:
        first.setdefault(sample.accepting & rules, sample)
    return list(first.values())
