"""Selectors compiled for speed: one bit a rule, dates bisected.

They answer exactly as `calmap.compile.interpreter` does; tests compare the two. Both take rows that
aren't dates with `calmap.compile.ordered`, so that those are tested against CRDS itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, TypeAlias

from calmap.compile.columns import Column, Judged
from calmap.compile.interpreter import pair
from calmap.compile.ordered import MERGEABLE, Header, header_date, header_moment, pick, too_early
from calmap.compile.outcome import NO_MATCH, Outcome, failed, joined, missed, refusal
from calmap.compile.packed import PackedError, PackedMatch, PackedRows, PackedSelector, PackedTerminal
from calmap.compile.prepare import row_key
from calmap.compile.tree import Answer, RowKey
from calmap.model.dates import moment, moment_text
from calmap.model.patterns import PatternError
from calmap.model.values import UNDEFINED
from calmap.syntax.guard import MAX_DEPTH

Judge: TypeAlias = Callable[[str], "Judged | None"]
_NOT_FOUND, _FOUND = Answer.NOT_FOUND, Answer.FOUND
_EARLIEST, _LATEST = moment("0001-01-01 00:00:00"), moment("9999-12-31 23:59:59") + 999_999
_EARLY = missed("no date at or before that of the header")
_NOTHING = missed("nothing to choose from")


class Row(NamedTuple):
    """A row that is not a date, and its number among all rows."""

    key: RowKey
    written: str
    number: int


class Picked(NamedTuple):
    """Rows that a selector chose, by number, with their rank."""

    rank: Any
    rows: tuple[int, ...]


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


class Rows(Protocol):
    """A selector whose rows are in order."""

    kind: str
    is_empty: bool

    def choose(self, header: Header) -> Outcome:
        """The answer of the chosen row."""

    def pick(self, header: Header) -> Picked | Outcome:
        """The row that a header's value chooses, with a rank to compare with other selectors' rows."""


class Rules:
    """The rules of a mapping, ready for look-ups.

    Parameters
    ----------
    packed
        The rules.

    Raises
    ------
    PackedError
        If they contradict themselves.
    """

    __slots__ = (
        "_bounds",
        "_choices",
        "_count",
        "_names",
        "_places",
        "date",
        "date_of",
        "dates",
        "nodes",
        "others",
        "outcomes",
        "root",
    )

    def __init__(self, packed: PackedSelector) -> None:
        try:
            self.date = packed.date
            self.date_of = _getter(packed.date)
            self.dates: list[int] = memoryview(packed.dates).cast("q").tolist()
            self._names = packed.names
            self._choices = numbers(packed.choices)
            self._places = numbers(packed.places)
            self.outcomes: list[Outcome | None] = [None] * len(self._choices)
            self._bounds = numbers(packed.groups)
            self._count = len(self._bounds) // 2
            self.others = tuple(_opened(self, node) for node in packed.nodes)
            self.nodes: list[Any] = [*[None] * self._count, *self.others]
            self.root = (packed.root, packed.root_place)
        except (TypeError, ValueError, LookupError, OverflowError) as problem:
            raise PackedError(f"compiled rules are damaged: {problem}") from None

    @property
    def choose(self) -> Callable[[Header], Outcome]:
        """What the rules say about a header of conditioned values."""
        root = self.chosen(*self.root)
        return root.choose if not isinstance(root, Outcome) else lambda header: root

    def chosen(self, choice: int, place: int) -> Any:
        """What a choice leads to: a selector, or an answer."""
        if choice >= 0:
            return Outcome(_FOUND, (self._names[choice],), "", False, place)
        node = self.nodes[-1 - choice] or self.opened(choice)
        return node.outcome(place) if isinstance(node, Word) else node

    def opened(self, choice: int) -> Dated:
        """A group of dated rows that is needed for the first time."""
        number = -1 - choice
        found = self.nodes[number] = Dated(self, *self._bounds[2 * number : 2 * number + 2])
        return found

    def row(self, number: int, header: Header) -> Outcome:
        """The answer that a row leads to."""
        known = self.outcomes[number]
        if known is not None:
            return known
        found = self.chosen(self._choices[number], self._places[number])
        if isinstance(found, Outcome):
            self.outcomes[number] = found
            return found
        return found.choose(header)  # type: ignore[no-any-return]

    def rows(self, chosen: tuple[int, ...], header: Header) -> Outcome:
        """The answer that chosen rows lead to."""
        if len(chosen) == 1:
            return self.row(chosen[0], header)
        return pair([self.row(number, header) for number in chosen])

    def moment(self, header: Header) -> int | Outcome:
        """Microseconds from 1970 to the date of a header, or why there is none."""
        try:
            return header_moment(self.date, self.date_of(header))
        except KeyError:
            return header_moment(self.date, tuple(header.get(name, UNDEFINED) for name in self.date))

    def allowed(self, parameter: str) -> tuple[str, ...]:
        """Values of a parameter that the rules of the first level name, if they are all there is."""
        root = self.chosen(*self.root)
        columns = root.columns if isinstance(root, Match) else ()
        return next((column.allowed for column in columns if column.parameter == parameter), ())

    def accept(self, header: Header) -> bool:
        """True if a rule of the first level accepts a header, whatever it leads to."""
        root = self.chosen(*self.root)
        if not isinstance(root, Match):
            return True
        accepting = root.accepting(header)
        return isinstance(accepting, Accepting) and accepting.rules != 0

    def written(self, number: int) -> str:
        """What stands in a row, empty where that is a selector."""
        choice = self._choices[number]
        if choice >= 0:
            return self._names[choice]
        node = self.nodes[-1 - choice]
        return node.written if isinstance(node, Word) else ""

    @property
    def is_flat(self) -> bool:
        """True if every row leads to an answer and not to a selector."""
        below = {choice for choice in self._choices if choice < 0}
        return all(isinstance(self.nodes[-1 - choice], Word) for choice in below)

    def check(self) -> None:
        """See that every choice leads somewhere, and none in a circle.

        Raises
        ------
        PackedError
            If that is not so.
        """
        rows, matches = len(self._choices), [node for node in self.others if isinstance(node, Match)]
        if rows != len(self._places) or len(self.dates) > rows or len(self._bounds) % 2:
            raise PackedError("rows without an answer")
        if self.dates and not _EARLIEST <= min(self.dates) <= max(self.dates) <= _LATEST:
            raise PackedError("dates that no calendar has")
        for first, end in zip(self._bounds[::2], self._bounds[1::2], strict=True):
            if not 0 <= first <= end <= len(self.dates):
                raise PackedError("dates that don't exist")
        if any(
            node.first < 0 or node.first + len(node.rows) > rows
            for node in self.others
            if isinstance(node, Other)
        ):
            raise PackedError("rows that don't exist")
        for choices in (self._choices, (self.root[0],), *(match.choices for match in matches)):
            if choices and not -len(self.nodes) <= min(choices) <= max(choices) < len(self._names):
                raise PackedError("a choice leads nowhere")
        for match in matches:
            match.check()
        if not self.is_flat or len(matches) > 1:
            self._check_depth(self.root[0], 0)

    def _check_depth(self, choice: int, depth: int) -> None:
        node = (self.nodes[-1 - choice] or self.opened(choice)) if choice < 0 else None
        if depth > MAX_DEPTH:
            raise PackedError("rules lead in a circle")
        if node is not None and not isinstance(node, Word):
            for below in set(node.leads_to()):
                self._check_depth(below, depth + 1)

    def choices_of(self, first: int, end: int) -> Sequence[int]:
        """What some rows lead to."""
        return self._choices[first:end]


class Word:
    """An answer that is not one file."""

    __slots__ = ("_answer", "_files", "written")

    def __init__(self, packed: PackedTerminal) -> None:
        self._answer = Answer(packed.answer)
        self._files = packed.files
        self.written = packed.written

    def outcome(self, place: int) -> Outcome:
        """The answer where it stands."""
        return Outcome(self._answer, self._files, "", False, place)


class Dated:
    """Rows in order of date."""

    __slots__ = ("end", "first", "rules")
    kind = "UseAfter"

    def __init__(self, rules: Rules, first: int, end: int) -> None:
        self.rules, self.first, self.end = rules, first, end

    @property
    def is_empty(self) -> bool:
        """True without rows."""
        return self.first == self.end

    @property
    def dates(self) -> Sequence[int]:
        """The dates of the rows."""
        return self.rules.dates[self.first : self.end]

    def leads_to(self) -> Sequence[int]:
        """The choices of the rows."""
        return self.rules.choices_of(self.first, self.end)

    def look_up(self, header: Header) -> Outcome:
        """As `choose`, but the same words for every date that is too early."""
        rules = self.rules
        try:
            moment = header_moment(rules.date, rules.date_of(header))
        except KeyError:
            moment = rules.moment(header)
        if isinstance(moment, Outcome):
            return moment
        number = bisect_right(rules.dates, moment, self.first, self.end) - 1
        if number < self.first:
            return _EARLY
        return rules.outcomes[number] or rules.row(number, header)

    def choose(self, header: Header) -> Outcome:
        """The answer of the chosen row."""
        outcome = self.look_up(header)
        if outcome is not _EARLY:
            return outcome
        first = None if self.is_empty else moment_text(self.rules.dates[self.first])
        return too_early(first, str(header_date(self.rules.date, header)))

    def pick(self, header: Header) -> Picked | Outcome:
        """The row that a header's date chooses, with its rank."""
        rules = self.rules
        moment = rules.moment(header)
        if isinstance(moment, Outcome):
            return moment
        number = bisect_right(rules.dates, moment, self.first, self.end) - 1
        return Picked(rules.dates[number], (number,)) if number >= self.first else _EARLY


class Other:
    """Rows in order of version or number, or of dates of several kinds."""

    __slots__ = ("first", "kind", "parameters", "rows", "rules")

    def __init__(self, rules: Rules, packed: PackedRows) -> None:
        self.rules, self.kind, self.parameters = rules, packed.kind, packed.parameters
        self.first = packed.first
        self.rows = tuple(
            Row(row_key(self.kind, key), key if isinstance(key, str) else repr(key), packed.first + number)
            for number, key in enumerate(packed.keys)
        )

    @property
    def is_empty(self) -> bool:
        """True without rows."""
        return not self.rows

    def leads_to(self) -> Sequence[int]:
        """The choices of the rows."""
        return self.rules.choices_of(self.first, self.first + len(self.rows))

    def choose(self, header: Header) -> Outcome:
        """The answer of the chosen row."""
        picked = self.pick(header)
        return picked if isinstance(picked, Outcome) else self.rules.rows(picked.rows, header)

    def pick(self, header: Header) -> Picked | Outcome:
        """The rows that a header's value chooses, with their rank."""
        picked = pick(self, header)
        if isinstance(picked, Outcome):
            return picked
        return Picked(picked[0], tuple(row.number for row in picked[1]))


class Match:
    """Rules matched against header values."""

    def __init__(self, rules: Rules, packed: PackedMatch) -> None:
        self.rules = rules
        self.choices, self.places = numbers(packed.choices), numbers(packed.places)
        self.parameters = tuple(column.parameter for column in packed.columns)
        self._every = (1 << len(self.choices)) - 1
        self.merge_overlaps = packed.merge_overlaps
        self._packed = packed.columns
        self._asked: tuple[tuple[str, dict[str, Judged], Judge], ...] = ()

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

    def _open(self) -> tuple[tuple[str, dict[str, Judged], Judge], ...]:
        self._asked = tuple((column.parameter, column.known, column.judge) for column in self.columns)
        return self._asked

    def leads_to(self) -> Sequence[int]:
        """The choices of the rules."""
        return self.choices

    def choose(self, header: Header) -> Outcome:
        """The answer of the best rules that lead to one."""
        candidates = self._every
        for parameter, known, judge in self._asked or self._open():
            value = header.get(parameter, UNDEFINED)
            judged = known.get(value) or judge(value)
            if judged is None:
                return refusal(parameter, value)
            candidates &= judged[1]
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
        for parameter, known, judge in self._asked or self._open():
            value = header.get(parameter, UNDEFINED)
            judged = known.get(value) or judge(value)
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


def _getter(keywords: tuple[str, ...]) -> Callable[[Header], tuple[str, ...]]:
    """Takes the values of some keywords from a header."""
    if len(keywords) > 1:
        return itemgetter(*keywords)
    return lambda header: tuple(header[name] for name in keywords)


def numbers(data: bytes) -> list[int]:
    """Numbers of 32 bits."""
    found: list[int] = memoryview(data).cast("i").tolist()
    return found


def _opened(rules: Rules, node: PackedMatch | PackedRows | PackedTerminal) -> Match | Other | Word:
    if isinstance(node, PackedMatch):
        return Match(rules, node)
    return Other(rules, node) if isinstance(node, PackedRows) else Word(node)


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
