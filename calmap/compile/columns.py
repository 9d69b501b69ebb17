"""What all rules of a Match selector say about one parameter, as bit masks: bit n is rule n."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from calmap.compile.allowed import refused
from calmap.compile.packed import PackedColumn, PackedError
from calmap.compile.tree import Match
from calmap.model.patterns import DONT_CARE, MATCH, Anything, OneOf, Pattern, pattern
from calmap.model.values import ANY, NA
from calmap.syntax.ast import Plain

Judged: TypeAlias = tuple[int, int]
"""Rules that match a value, and all rules that accept it."""
Judge: TypeAlias = "Callable[[str], Judged | None]"
_MAX_KNOWN = 4096
_FIRST_VALUE = 5
"""Masks before those of values: who does not care, and who matches and accepts ``*`` and ``N/A``."""


class Known(dict[str, "Judged | None"]):
    """What rules say about values, worked out when a value is asked for that is not there."""

    __slots__ = ("judge",)

    def __init__(self, judge: Judge, known: Mapping[str, Judged]) -> None:
        super().__init__(known)
        self.judge = judge

    def __missing__(self, value: str) -> Judged | None:
        return self.judge(value)


class Column:
    """What all rules say about one parameter.

    Parameters
    ----------
    packed
        The column.
    count
        Number of rules.
    """

    __slots__ = (
        "_allowed",
        "_care",
        "_masks",
        "_numbers",
        "_swaps",
        "_tests",
        "_width",
        "known",
        "parameter",
    )

    def __init__(self, packed: PackedColumn, count: int) -> None:
        self.parameter = packed.parameter
        self._swaps = packed.swaps
        self._masks = packed.masks
        self._width = mask_bytes(count)
        self._numbers = {value: number for number, value in enumerate(packed.values, _FIRST_VALUE)}
        allowed = self._numbers if packed.allowed is True else packed.allowed
        self._allowed = None if allowed is None else frozenset(allowed or ())
        first_test = _FIRST_VALUE + len(packed.values)
        self._tests = tuple(
            (pattern(text), self._mask(number)) for number, text in enumerate(packed.tests, first_test)
        )
        self._care, *special = map(self._mask, range(_FIRST_VALUE))
        special_values = {ANY: (special[0], special[1]), NA: (special[2], special[3])}
        self.known = Known(self.judge, special_values)

    def _mask(self, number: int) -> int:
        start = number * self._width
        return int.from_bytes(self._masks[start : start + self._width], "little")

    def check(self, count: int) -> None:
        """See that the masks are of rules that there are.

        Raises
        ------
        PackedError
            If they are not.
        """
        number = _FIRST_VALUE + len(self._numbers) + len(self._tests)
        every = (1 << count) - 1
        if len(self._masks) != number * self._width or any(self._mask(n) > every for n in range(number)):
            raise PackedError(f"the masks of {self.parameter} are of other rules")

    @property
    def allowed(self) -> tuple[str, ...]:
        """Values that are let through to the rules, in alphabetical order; none if any is."""
        return tuple(sorted(self._allowed or ()))

    def judge(self, value: str) -> Judged | None:
        """Rules that match a value, and all rules that accept it; None where CRDS looks at no rule at all.

        ``known`` has the answers that were worked out before, and asks for the others.
        """
        allowed = self._allowed
        if allowed is not None and value not in allowed and refused(value, allowed, self._swaps):
            return None
        number = self._numbers.get(value)
        exact = 0 if number is None else self._mask(number)
        matching, accepting = _judged(self._tests, value)
        judged = exact | matching, exact | accepting | self._care
        if len(self.known) < _MAX_KNOWN:
            self.known[value] = judged
        return judged


def pack_column(match: Match, index: int, swaps: Mapping[Plain, Plain]) -> PackedColumn:
    """One column of a Match selector."""
    groups = _groups(match, index)
    exact: dict[str, int] = {}
    for _, judge, mask in groups:
        if isinstance(judge, OneOf):
            for value in judge.values:
                exact[value] = exact.get(value, 0) | mask
    values = tuple(sorted(exact))
    tests = tuple(group for group in groups if not isinstance(group[1], Anything | OneOf))
    judged = tuple((judge, mask) for _, judge, mask in groups)
    care = sum(mask for judge, mask in judged if isinstance(judge, Anything))
    sets = [care, *_judged(judged, ANY), *_judged(judged, NA)]
    sets += [exact[value] for value in values] + [mask for _, _, mask in tests]
    width = mask_bytes(len(match.rules))
    allowed = match.allowed[index]
    named = None if allowed is None else True if allowed == exact.keys() else tuple(sorted(allowed))
    texts = {old: new for old, new in swaps.items() if isinstance(old, str) and isinstance(new, str)}
    masks = b"".join(mask.to_bytes(width, "little") for mask in sets)
    return PackedColumn(
        match.parameters[index], values, tuple(text for text, _, _ in tests), masks, named, texts
    )


def mask_bytes(count: int) -> int:
    """Bytes of a set of rules."""
    return max(1, (count + 7) // 8)


def _groups(match: Match, index: int) -> tuple[tuple[str, Pattern, int], ...]:
    """The patterns of one parameter, each with the rules that have it."""
    found: dict[str, tuple[str, Pattern, int]] = {}
    for number, rule in enumerate(match.rules):
        element = rule.key[index]
        mask = found[element][2] if element in found else 0
        found[element] = (element, rule.patterns[index], mask | 1 << number)
    return tuple(found.values())


def _judged(groups: Iterable[tuple[Pattern, int]], value: str) -> Judged:
    matching = careless = 0
    for judge, mask in groups:
        judgement = judge.match(value)
        if judgement == MATCH:
            matching |= mask
        elif judgement == DONT_CARE:
            careless |= mask
    return matching, matching | careless
