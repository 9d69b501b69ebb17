"""Headers drawn at random from what the rules of an rmap name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from random import Random

from calmap.compile.reference import CompiledReference
from calmap.compile.tree import Match, Node, Ordered, Terminal
from calmap.model.values import ANY, NA, UNDEFINED, alternatives, condition_text
from calmap.syntax.expression import Choice, Compare, Constant, Either, Every, Expression, Not, Sequence

ODD = (NA, UNDEFINED, ANY, "NO_SUCH_VALUE", "GENERIC", "1.0", "T", "")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)")
_SHARE_OF_RULES, _SHARE_OF_ODD, _SHARE_OF_MISSING = 0.85, 0.06, 0.02


class Headers:
    """A source of headers for an rmap: the values of a rule, some of them replaced, and some left out."""

    def __init__(self, reference: CompiledReference) -> None:
        self.leaves = tuple(_leaves(reference.tree, {}))
        terms = reference.terms
        self.values: dict[str, list[str]] = {
            name: [] for name in (*terms.required, *sorted(terms.outside_names))
        }
        for leaf in self.leaves:
            for name, values in leaf.items():
                self.values.setdefault(name, []).extend(values)
        named = [condition_text(text) for item in _expressions(reference) for text in _texts(item)]
        for name in self.values:
            self.values[name] = (
                sorted({*self.values[name], *named}) if named else sorted(set(self.values[name]))
            )

    def draw(self, rng: Random) -> dict[str, str]:
        """One header of conditioned values."""
        leaf: Mapping[str, tuple[str, ...]] = rng.choice(self.leaves) if self.leaves else {}
        header = {}
        for name, known in self.values.items():
            chance = rng.random()
            if chance < _SHARE_OF_MISSING:
                continue
            if chance < _SHARE_OF_MISSING + _SHARE_OF_ODD or not known:
                header[name] = rng.choice(ODD)
            elif name in leaf and rng.random() < _SHARE_OF_RULES:
                header[name] = rng.choice(leaf[name])
            else:
                header[name] = rng.choice(known)
        return header


def _leaves(node: Node, values: dict[str, tuple[str, ...]]) -> Iterator[dict[str, tuple[str, ...]]]:
    """For each file of the rules, the values of parameters that lead to it."""
    if isinstance(node, Terminal):
        yield values
    elif isinstance(node, Match):
        for rule in node.rules:
            found = dict(zip(node.parameters, map(_accepted, rule.key), strict=True))
            yield from _leaves(rule.choice, {**values, **found})
    else:
        for row in node.rows:
            yield from _leaves(row.choice, {**values, **_row_values(node, row.written)})


def _accepted(element: str) -> tuple[str, ...]:
    """Values that an element of a key may accept."""
    if element == NA:
        return (NA, "NO_SUCH_VALUE")
    parts = alternatives(element)
    plain = tuple(part.replace("*", "X") for part in parts)
    numbers = tuple(condition_text(number) for number in _NUMBER.findall(element)) if len(parts) == 1 else ()
    stripped = (element[4:].strip(),) if element.upper().startswith("NOT ") else ()
    bare = (element[1:-1],) if element[:1] in ("{", "(") else ()
    return (*parts, *plain, *numbers, *stripped, *bare)


def _row_values(node: Ordered, written: str) -> dict[str, tuple[str, ...]]:
    match = _DATE.fullmatch(written)
    if match is None or len(node.parameters) != 2:
        return dict.fromkeys(node.parameters, (written, "2020-01-01 00:00:00", "2.5"))
    date, time = match.groups()
    return dict(
        zip(node.parameters, ((date, date, "2050-01-01"), (time, time, "00:00:00", "23:59:59")), strict=True)
    )


def _expressions(reference: CompiledReference) -> Iterator[Expression]:
    terms = reference.terms
    found = (terms.omit, terms.relevance, *terms.parkey_relevance.values())
    return (item for item in found if item is not None)


def _texts(expression: Expression) -> Iterator[str]:
    """Strings that an expression compares with."""
    match expression:
        case Constant(value) if isinstance(value, str):
            yield value
        case Sequence(items) | Every(items) | Either(items):
            for item in items:
                yield from _texts(item)
        case Compare(first, rest):
            for item in (first, *(other for _, other in rest)):
                yield from _texts(item)
        case Not(item):
            yield from _texts(item)
        case Choice(then, condition, otherwise):
            for item in (then, condition, otherwise):
                yield from _texts(item)
