"""The values for which rules are asked to have an answer: those a telescope allows, or that rules name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from calmap.compile.samples import OTHER, samples
from calmap.compile.tree import Match, Node, Terminal
from calmap.model.patterns import MATCH, OneOf, Pattern, has_glob
from calmap.model.values import ANY, NA, alternatives, condition_text, is_esoteric

MANY_NUMBERS = 10
_NO_VALUES = frozenset({NA, ANY, "ANY"})


class Origin(StrEnum):
    """Where the values of a parameter are known from."""

    TELESCOPE = "telescope"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Domain:
    """The values of one parameter.

    Parameters
    ----------
    parameter
        A keyword of the rules.
    values
        Values, conditioned, in order.
    labels
        What to call each of them: itself, or the pattern that it is an example of.
    origin
        Where they are known from.
    free
        True for numbers without a list: one value that leads to an answer is enough.
    """

    parameter: str
    values: tuple[str, ...]
    labels: tuple[str, ...]
    origin: Origin
    free: bool = False


def match_nodes(node: Node) -> Iterator[Match]:
    """Every Match selector of some rules."""
    if isinstance(node, Terminal):
        return
    if isinstance(node, Match):
        yield node
    for line in node.rules if isinstance(node, Match) else node.rows:
        yield from match_nodes(line.choice)


def named_values(node: Node) -> dict[str, set[str]]:
    """For each parameter of Match selectors the plain values that its rules name."""
    found: dict[str, set[str]] = {}
    for match in match_nodes(node):
        for rule in match.rules:
            for parameter, element in zip(match.parameters, rule.key, strict=True):
                found.setdefault(parameter, set()).update(_words(element))
        for parameter in match.parameters:
            found.setdefault(parameter, set())
    return found


def domains(
    node: Node, named: Mapping[str, Iterable[str]], allowed: Mapping[str, tuple[str, ...]]
) -> tuple[Domain, ...]:
    """The values of each parameter of some rules; parameters that no rule looks at are left out.

    Parameters
    ----------
    node
        The rules.
    named
        Values that these and other rules of the instrument name.
    allowed
        Values that the telescope allows, by keyword.
    """
    elements: dict[str, dict[str, Pattern]] = {}
    for match in match_nodes(node):
        for index, parameter in enumerate(match.parameters):
            known = elements.setdefault(parameter, {})
            known.update((rule.key[index], rule.patterns[index]) for rule in match.rules)
    found = (
        _domain(parameter, patterns, sorted(named.get(parameter, ())), allowed.get(parameter.upper()))
        for parameter, patterns in elements.items()
    )
    return tuple(domain for domain in found if domain.values)


def example(element: str, pattern: Pattern, values: Iterable[str] = ()) -> str | None:
    """A value that an element of a match key matches, with weight; None if none can be thought of."""
    for value in (*values, *_words(element), *samples((element,)), OTHER):
        if value not in (NA, ANY) and pattern.match(value) == MATCH:
            return value
    return None


def _domain(
    parameter: str, elements: Mapping[str, Pattern], named: list[str], allowed: tuple[str, ...] | None
) -> Domain:
    if allowed is not None:
        listed = dict.fromkeys(condition_text(value) for value in allowed)
        values = tuple(value for value in listed if value not in _NO_VALUES)
        return Domain(parameter, values, values, Origin.TELESCOPE)
    if not any(element not in _NO_VALUES for element in elements):
        return Domain(parameter, (), (), Origin.RULES)
    labels = {value: value for value in named}
    for element, pattern in sorted(elements.items()):
        if element in _NO_VALUES or _is_met(pattern, labels):
            continue
        value = example(element, pattern)
        if value is not None:
            labels[value] = element
    labels = labels or {OTHER: "any value"}
    numbers = [value for value in labels if _is_number(value)]
    free = len(numbers) == len(labels) and (
        len(numbers) > MANY_NUMBERS or any(label not in (value, *named) for value, label in labels.items())
    )
    return Domain(parameter, tuple(labels), tuple(labels.values()), Origin.RULES, free)


def _is_met(pattern: Pattern, values: Iterable[str]) -> bool:
    if isinstance(pattern, OneOf):
        return not pattern.values.isdisjoint(values)
    return any(pattern.match(value) == MATCH for value in values)


def _words(element: str) -> Iterator[str]:
    """The plain values among the members of an element."""
    if element[:1] == "{" and element[-1:] == "}":
        yield element[1:-1]
    elif not is_esoteric(element):
        for member in alternatives(element):
            if member not in _NO_VALUES and not has_glob(member) and member[:1] not in ("<", ">"):
                yield member


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
