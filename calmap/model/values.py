"""Conditioning: how header values and rule values are brought to one form before they are compared.

The rules are those of CRDS 14.0.3, kept to the letter because the meaning of
existing rule files depends on them.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBER = re.compile(r"[-+]?(?:[0-9]++(?:\.[0-9]++)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?|[-+]?[0-9]++\.")
_DONT_CARE = re.compile(r"-2147483648.0|\(\)|N/A|NOT APPLICABLE|NOT_APPLICABLE$")
_MAX_NUMBER = 4000
_MAX_REMEMBERED = 200
NA = "N/A"
ANY = "*"
UNDEFINED = "UNDEFINED"


def condition_text(text: str) -> str:
    """Conditioned form of a string.

    Upper case without surrounding blanks; numbers as Python writes a float;
    ``ANY`` is ``*``; truth values are ``T`` and ``F``; whatever begins with
    ``N/A`` or ``()`` or means the same is ``N/A``.
    """
    return _remembered(text) if len(text) <= _MAX_REMEMBERED else _condition(text)


@lru_cache(maxsize=8192)
def _remembered(text: str) -> str:
    return _condition(text)


def _condition(text: str) -> str:
    value = text.strip().upper()
    if len(value) < _MAX_NUMBER and _NUMBER.fullmatch(value):
        value = str(float(value))
    if _DONT_CARE.match(value):
        return NA
    return {"ANY": ANY, "4294967295.0": "-1.0", "TRUE": "T", "FALSE": "F"}.get(value, value)


def condition_value(value: object) -> str:
    """Conditioned form of any header value."""
    return condition_text(value if isinstance(value, str) else str(value))


def is_esoteric(value: str) -> bool:
    """True for rule values that aren't lists of plain values, such as a relation or a regular expression."""
    upper = value.upper()
    bracketed = upper.startswith(("{", "(", "#")) and upper.endswith(("}", ")", "#"))
    return bracketed or upper.startswith(("BETWEEN", "NOT"))


def alternatives(value: str) -> tuple[str, ...]:
    """Members of an or-glob such as ``A|B``, sorted and without blanks; else the value itself."""
    if "|" in value and not is_esoteric(value):
        return tuple(sorted(part.strip() for part in value.split("|") if part.strip()))
    return (value,)


def condition_element(element: object) -> str:
    """Conditioned form of one element of a match key.

    Raw literals ``{...}`` and regular expressions ``(...)`` stay as they are; a
    tuple means any of its members.
    """
    if isinstance(element, tuple):
        return "|".join(condition_value(member) for member in element)
    if not isinstance(element, str):
        return condition_value(element)
    if (element[:1], element[-1:]) in {("{", "}"), ("(", ")")}:
        return element
    if "|" in element:
        return "|".join(condition_text(part) for part in alternatives(element))
    return condition_text(element)
