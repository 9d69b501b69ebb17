"""Single values against their type and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from calmap.certify.dates import DATE_CHECKS
from calmap.certify.finding import Fault, quoted
from calmap.model.values import alternatives, condition_text, is_esoteric
from calmap.observatories.constraints import Constraint, ValueType
from calmap.observatories.definition import Observatory

_SHOWN: Final = 12
_ACCURACY: Final = {ValueType.REAL: 1e-7, ValueType.DOUBLE: 1e-14}
_TRUTH: Final = frozenset({"T", "F", "TRUE", "FALSE"})
_ANYTHING: Final = frozenset({"N/A", "*", "UNDEFINED", ""})


def value_faults(constraint: Constraint, text: str) -> Iterator[Fault]:
    """What is wrong with a value; of values joined by ``|``, each is looked at."""
    if constraint.check is not None and constraint.check in DATE_CHECKS:
        fault = DATE_CHECKS[constraint.check](text)
        if fault is not None:
            yield fault
        return
    kind = ValueType(constraint.type) if constraint.type else ValueType.TEXT
    for part in alternatives(text):
        fault = _fault(constraint, kind, part)
        if fault is not None:
            yield fault


def _fault(constraint: Constraint, kind: ValueType, text: str) -> Fault | None:
    if kind.is_numeric:
        return _number_fault(constraint, kind, text)
    if kind is ValueType.LOGICAL:
        return None if text.strip().upper() in _TRUTH else Fault(f"is {quoted(text)}, expected T or F")
    if not constraint.values:
        return None
    exact = kind is ValueType.EXACT_TEXT
    found = text.strip() if exact else condition_text(text)
    allowed = {value.strip() if exact else condition_text(value) for value in constraint.values}
    return None if found in allowed else unexpected(text, constraint.values)


def _number_fault(constraint: Constraint, kind: ValueType, text: str) -> Fault | None:
    number = to_number(text)
    if number is None or (kind is ValueType.INTEGER and not number.is_integer()):
        return Fault(
            f"is {quoted(text)}, expected a{'n integer' if kind is ValueType.INTEGER else ' number'}"
        )
    if constraint.range is not None:
        low, high = map(float, constraint.range)
        return (
            None
            if low <= number <= high
            else Fault(f"is {text.strip()}, expected {_between(constraint.range)}")
        )
    accuracy = _ACCURACY.get(kind, 0.0)
    allowed = [value for value in map(to_number, constraint.values) if value is not None]
    if not constraint.values or any(_same(number, value, accuracy) for value in allowed):
        return None
    return unexpected(text, constraint.values)


def to_number(text: str) -> float | None:
    """A number, infinite ones included, or None for what is none."""
    try:
        number = float(text.strip().replace("D", "E").replace("d", "e"))
    except ValueError:
        return None
    return None if math.isnan(number) or "_" in text else number


def unexpected(text: str, allowed: Sequence[str]) -> Fault:
    """The fault that a value is none of those allowed."""
    shown = ", ".join(allowed[:_SHOWN]) + (
        f" and {len(allowed) - _SHOWN} more" if len(allowed) > _SHOWN else ""
    )
    spelt = {value.upper(): value for value in allowed}
    near = get_close_matches(text.strip().upper(), spelt, n=1)
    expected = f"expected {shown}" if len(allowed) == 1 else f"expected one of {shown}"
    return Fault(
        f"is {quoted(text.strip())}, {expected}", f"did you mean '{spelt[near[0]]}'?" if near else None
    )


def telescope_faults(observatory: Observatory, instrument: str, keyword: str, text: str) -> Iterator[Fault]:
    """What is wrong with the value of a keyword that rules match, by what the telescope allows."""
    allowed = observatory.values(instrument, keyword)
    if allowed is None or is_esoteric(text):
        return
    known = {condition_text(value) for value in allowed}
    for part in alternatives(text):
        if condition_text(part) not in known | _ANYTHING:
            yield unexpected(part, (*allowed, "N/A", "ANY"))


def _same(a: float, b: float, accuracy: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=accuracy, abs_tol=accuracy / 10)


def _between(ends: tuple[str, str]) -> str:
    return f"a number from {ends[0]} to {ends[1]}"
