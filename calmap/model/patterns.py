"""What one element of a match key accepts.

Every pattern answers with `MATCH`, `DONT_CARE` or `NO_MATCH`. A header value
``*`` matches whatever the pattern, and a header value ``N/A`` is never looked
at, so that it matches everything with no weight: both as in CRDS 14.0.3.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Protocol

from calmap.model.values import ANY, NA, alternatives

MATCH: Final = 1
DONT_CARE: Final = 0
NO_MATCH: Final = -1

MAX_PATTERN = 100_000
MAX_NESTED = 20
MAX_GLOB = 1_000
_MAX_REGEX = 2_000
_MAX_REMEMBERED = 200
_RELATION = re.compile(
    r"(?P<operator>[<>]=?)\s*(?P<number>[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?)(?P<rest>.*)", re.S
)
_GLOB = re.compile(r"[*?\[]")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class PatternError(ValueError):
    """An element of a match key that has no meaning."""


class Pattern(Protocol):
    """Judges one header value."""

    def match(self, value: str) -> int:
        """`MATCH`, `DONT_CARE` or `NO_MATCH`."""


@dataclass(frozen=True, slots=True)
class Anything:
    """``N/A`` in a rule: the value does not matter."""

    def match(self, value: str) -> int:
        """Don't care, whatever the value."""
        return DONT_CARE


@dataclass(frozen=True, slots=True)
class OneOf:
    """One value, or any of several joined by ``|``."""

    values: frozenset[str]

    def match(self, value: str) -> int:
        """Match one of the values."""
        if value in self.values or value == ANY:
            return MATCH
        return DONT_CARE if value == NA else NO_MATCH


@dataclass(frozen=True, slots=True)
class Test:
    """A glob, a regular expression or a relation; its own text is accepted too."""

    text: str
    accepts: Callable[[str], bool]

    def match(self, value: str) -> int:
        """Match what the test accepts."""
        if value in (ANY, self.text):
            return MATCH
        if value == NA:
            return DONT_CARE
        return MATCH if self.accepts(value) else NO_MATCH


@dataclass(frozen=True, slots=True)
class Negation:
    """``NOT`` before another pattern."""

    item: Pattern

    def match(self, value: str) -> int:
        """Match what the other pattern does not."""
        return -self.item.match(value)


def has_glob(text: str) -> bool:
    """True if a text has a sign with a meaning in globs."""
    return _GLOB.search(text) is not None


def pattern(text: str, *, strict: bool = False) -> Pattern:
    """Pattern of a conditioned element of a match key.

    Parameters
    ----------
    text
        The element, as `calmap.model.values.condition_element` gives it.
    strict
        Refuse what CRDS accepts but silently ignores in part: a third term
        between ``#``, or text after the number of a relation.

    Raises
    ------
    PatternError
        If the element has no meaning.
    """
    if len(text) > MAX_PATTERN:
        raise PatternError(f"an element of more than {MAX_PATTERN} characters")
    remembered = len(text) <= _MAX_REMEMBERED
    return _remembered(text, strict) if remembered else _pattern(text, strict, MAX_NESTED)


@lru_cache(maxsize=16384)
def _remembered(text: str, strict: bool) -> Pattern:
    return _pattern(text, strict, MAX_NESTED)


def _pattern(text: str, strict: bool, depth: int) -> Pattern:
    if depth == 0:
        raise PatternError("an element nested too deeply")
    match text[:1], text[-1:]:
        case "(", ")":
            return Test(text[1:-1], _regex(text[1:-1]))
        case "{", "}":
            return OneOf(frozenset({text[1:-1]}))
        case "#", "#":
            return _relations(text.upper(), strict, depth)
    upper = text.upper()
    if upper.startswith("BETWEEN"):
        return _between(text, strict)
    if strict and upper == "NOT":
        raise PatternError("'NOT' lacks what it negates")
    if upper.startswith("NOT "):
        return Negation(_pattern(text[4:].strip(), strict, depth - 1))
    if "|" in text or "*" in text:
        return _globs(text)
    if text == NA:
        return Anything()
    if text[:1] in ("<", ">"):
        return Test(text, _relation(text, strict))
    return OneOf(frozenset({text}))


def _globs(text: str) -> Pattern:
    members = alternatives(text)
    if not any(has_glob(member) for member in members):
        return OneOf(frozenset(members or ("",)) - {NA})
    if any(len(member) > MAX_GLOB for member in members):
        raise PatternError(f"a glob of more than {MAX_GLOB:,} characters")

    @cache
    def matchers() -> tuple[Callable[[str], object], ...]:
        return tuple(re.compile(fnmatch.translate(member)).match for member in members)

    return Test(f"^({text})$", lambda value: any(match(value) for match in matchers()))


def _regex(text: str) -> Callable[[str], bool]:
    import re2  # linear time whatever the expression; imported late because hardly any rule has one

    if len(text) > _MAX_REGEX:
        raise PatternError(f"a regular expression of more than {_MAX_REGEX} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        matcher = re2.compile(text, options).match
    except re2.error as problem:
        reason = problem.args[0] if problem.args else problem
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise PatternError(
            f"'({text})' is not a regular expression that runs in linear time: {reason}"
        ) from None
    return lambda value: matcher(value) is not None


def _relations(text: str, strict: bool, depth: int) -> Pattern:
    for word, join in (("AND", all), ("OR", any)):
        if f" {word} " not in text:
            continue
        terms = [term.strip() for term in text.strip()[1:-1].split(word)]
        if strict and (len(terms) > 2 or any(" AND " in term or " OR " in term for term in terms)):
            raise PatternError(f"'{text}' has more than two terms, of which CRDS looks at two only")
        return Test(text, _both_or_either([_pattern(term, strict, depth - 1) for term in terms[:2]], join))
    if strict and not text[1:-1].strip():
        raise PatternError(f"'{text}' has no relation between its '#'")
    if strict and text[1:-1].strip() != text[1:-1]:
        raise PatternError(f"'{text}' has blanks inside the '#', so that it is taken as a literal value")
    return _pattern(text[1:-1], strict, depth - 1)


def _both_or_either(terms: list[Pattern], join: Callable[[Iterable[bool]], bool]) -> Callable[[str], bool]:
    return lambda value: join(term.match(value.upper()) == MATCH for term in terms)


def _relation(text: str, strict: bool) -> Callable[[str], bool]:
    match = _RELATION.fullmatch(text)
    if match is None:
        raise PatternError(f"'{text}' is not a relation such as '>=3.5'")
    if strict and match["rest"].strip():
        raise PatternError(
            f"'{match['rest'].strip()}' after the relation '{match['operator']}{match['number']}' is ignored"
        )
    compare, bound = _COMPARE[match["operator"]], float(match["number"])
    return lambda value: (x := _number(value)) is not None and compare(x, bound)


def _between(text: str, strict: bool) -> Pattern:
    words = text.split()
    numbers = [_number(word) for word in words[1:]]
    if len(numbers) != 2:
        raise PatternError(f"'{text}' should be 'BETWEEN low high'")
    low, high = numbers
    if low is None or high is None or low != low or high != high:
        raise PatternError(f"'{text}' has a bound that is no number")
    if low > high:
        raise PatternError(f"the bounds of '{text}' are reversed")
    if strict and low == high:
        raise PatternError(f"'{text}' accepts no number: the upper bound does not belong to the range")
    relation = f">={words[1]} AND <{words[2]}"
    return Test(relation, lambda value: (x := _number(value)) is not None and low <= x < high)


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
