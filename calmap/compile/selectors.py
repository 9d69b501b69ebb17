"""Selectors compiled for speed: one bit a rule, dates bisected.

They answer exactly as `calmap.compile.interpreter` does; tests compare the two. Both take rows that
aren't dates with `calmap.compile.ordered`, so that those are tested against CRDS itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from calmap.compile.interpreter import pair
from calmap.compile.matching import Accepting, Match
from calmap.compile.ordered import Header, header_moment
from calmap.compile.outcome import Outcome
from calmap.compile.packed import (
    PackedError,
    PackedMatch,
    PackedRows,
    PackedSelector,
    PackedTerminal,
    numbers,
)
from calmap.compile.rows import Dated, Other, Word
from calmap.compile.tree import Answer
from calmap.model.dates import moment
from calmap.model.values import UNDEFINED
from calmap.syntax.guard import MAX_DEPTH

_FOUND = Answer.FOUND
_EARLIEST, _LATEST = moment("0001-01-01 00:00:00"), moment("9999-12-31 23:59:59") + 999_999


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
            self.dates: Sequence[int] = memoryview(packed.dates).cast("q")
            self._names = packed.names
            self._choices = memoryview(packed.choices).cast("i")
            self._places = memoryview(packed.places).cast("i")
            self.outcomes: list[Outcome | None] = [None] * len(self._choices)
            self._bounds = numbers(packed.groups)
            self._count = len(self._bounds) // 2
            self.others = tuple(_opened(self, node) for node in packed.nodes)
            self.nodes: list[Any] = [*[None] * self._count, *self.others]
            self.root = (packed.root, packed.root_place)
            self.chosen(*self.root)
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
        if isinstance(self.dates, memoryview):
            self.dates = self.dates.tolist()  # which is faster to look through, and not needed before
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


def _getter(keywords: tuple[str, ...]) -> Callable[[Header], tuple[str, ...]]:
    """Takes the values of some keywords from a header."""
    if len(keywords) > 1:
        return itemgetter(*keywords)
    return lambda header: tuple(header[name] for name in keywords)


def _opened(rules: Rules, node: PackedMatch | PackedRows | PackedTerminal) -> Match | Other | Word:
    if isinstance(node, PackedMatch):
        return Match(rules, node)
    return Other(rules, node) if isinstance(node, PackedRows) else Word(node)
