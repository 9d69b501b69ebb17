"""What all rules of a Match selector say about one parameter, as bit masks: bit n is rule n."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from calmap.compile.allowed import refused
from calmap.compile.packed import PackedColumn
from calmap.compile.tree import Match
from calmap.model.patterns import DONT_CARE, MATCH, Anything, OneOf, Pattern, pattern
from calmap.model.values import ANY, NA
from calmap.syntax.ast import Plain

Judged: TypeAlias = tuple[int, int]
"""Rules that match a value, and all rules that accept it."""
_MAX_KNOWN = 4096


class Column:
    """What all rules say about one parameter.

    Parameters
    ----------
    packed
        The column.
    count
        Number of rules.
    """

    __slots__ = ("_allowed", "_care", "_exact", "_swaps", "_tests", "known", "parameter")

    def __init__(self, packed: PackedColumn, count: int) -> None:
        self.parameter = packed.parameter
        self._swaps = packed.swaps
        allowed = packed.values if packed.allowed is True else packed.allowed
        self._allowed = frozenset(allowed) if isinstance(allowed, tuple) else None
        width = mask_bytes(count)
        masks = packed.masks
        care, *sets = [int.from_bytes(masks[at : at + width], "little") for at in range(0, len(masks), width)]
        self._care = care
        named = dict(zip(packed.values, sets[4:], strict=False))
        self._exact = named
        self._tests = tuple(
            (pattern(text), mask)
            for text, mask in zip(packed.tests, sets[4 + len(packed.values) :], strict=True)
        )
        known = {} if packed.tests else {value: (mask, mask | care) for value, mask in named.items()}
        known[ANY], known[NA] = (sets[0], sets[1]), (sets[2], sets[3])
        self.known: dict[str, Judged] = known

    @property
    def allowed(self) -> tuple[str, ...]:
        """Values that are let through to the rules, in alphabetical order; none if any is."""
        return tuple(sorted(self._allowed or ()))

    def judge(self, value: str) -> Judged | None:
        """Rules that match a value, and all rules that accept it; None where CRDS looks at no rule at all.

        ``known`` has the answers that were worked out beforehand.
        """
        allowed = self._allowed
        if allowed is not None and value not in allowed and refused(value, allowed, self._swaps):
            return None
        exact = self._exact.get(value, 0)
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
