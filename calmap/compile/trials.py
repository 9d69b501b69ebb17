"""Rules asked one combination of values after the other, where nothing quicker tells what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product

from calmap.compile.candidates import ALWAYS, LATE
from calmap.compile.domain import Domain
from calmap.compile.interpreter import choose
from calmap.compile.prepare import Substitutions
from calmap.compile.tree import Answer, Match, Node, Ordered, Terminal

_DATED = frozenset({"UseAfter", "ClosestTime"})
_EARLY = "0001-01-01 00:00:00"


@dataclass(slots=True)
class Trials:
    """Asks the interpreter.

    Parameters
    ----------
    node, swaps
        The rules, and the substitutions of their header.
    free
        Parameters of numbers, of which one that leads to an answer is enough.
    settings
        The numbers that are tried with each combination.
    """

    node: Node
    swaps: Substitutions
    free: tuple[Domain, ...]
    settings: tuple[Mapping[str, str], ...] = field(default=(), init=False)
    _dates: tuple[str, ...] = field(default=(), init=False)
    _date_parameters: tuple[tuple[str, ...], ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        selectors = tuple(_ordered(self.node))
        dated = {selector.parameters for selector in selectors if selector.kind in _DATED}
        self._date_parameters = tuple(sorted(dated))
        dates = {str(row.key) for s in selectors if s.kind == "UseAfter" for row in s.rows}
        self._dates = (_EARLY, *sorted(dates))
        choices: dict[str, tuple[str, ...]] = {domain.parameter: domain.values for domain in self.free}
        for selector in selectors:
            if selector.kind not in _DATED and selector.parameters:
                before = choices.get(selector.parameters[0], ())
                choices[selector.parameters[0]] = (*before, *_numbers(selector))
        self.settings = tuple(
            dict(zip(choices, values, strict=True))
            for values in product(*map(dict.fromkeys, choices.values()))
        )

    def answer(self, header: Mapping[str, str]) -> Answer:
        """What the rules say at a late date."""
        for setting in self.settings:
            answer = self._ask(header, setting, LATE)
            if answer is not Answer.NOT_FOUND:
                return answer
        return Answer.NOT_FOUND

    def begins(self, header: Mapping[str, str]) -> str:
        """The first date with an answer, or `ALWAYS`."""
        for date in self._dates:
            for setting in self.settings:
                if self._ask(header, setting, date) is not Answer.NOT_FOUND:
                    return ALWAYS if date == _EARLY else date
        return LATE

    def _ask(self, header: Mapping[str, str], setting: Mapping[str, str], date: str) -> Answer:
        """The answer at a date; a keyword may be the date for some rules and a number for others."""
        dated = self._dated(date)
        answer = choose(self.node, {**setting, **dated, **header}, self.swaps).answer
        if answer is Answer.NOT_FOUND and not dated.keys().isdisjoint(setting):
            return choose(self.node, {**dated, **setting, **header}, self.swaps).answer
        return answer

    def _dated(self, date: str) -> dict[str, str]:
        day, _, time = date.partition(" ")
        found: dict[str, str] = {}
        for parameters in self._date_parameters:
            parts = (date,) if len(parameters) == 1 else (day, time)
            found.update(zip(parameters, parts, strict=False))
        return found


def _ordered(node: Node) -> Iterator[Ordered]:
    if isinstance(node, Terminal):
        return
    if isinstance(node, Ordered):
        yield node
    for line in node.rules if isinstance(node, Match) else node.rows:
        yield from _ordered(line.choice)


def _numbers(selector: Ordered) -> Iterator[str]:
    """Numbers or versions that reach each row of a selector."""
    if selector.kind == "VersionAfter":
        yield "999999"
        return
    keys = [row.key[0] if isinstance(row.key, tuple) else row.key for row in selector.rows]
    numbers = sorted({float(key) for key in keys if isinstance(key, int | float) and abs(key) < 1e300})
    middles = ((low + high) / 2 for low, high in pairwise(numbers))
    ends = (numbers[0] - 1, numbers[-1] + 1) if numbers else (0.0,)
    yield from (repr(number) for number in (*numbers, *middles, *ends))
