"""Elements of match keys and expressions of headers in plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import UnionType

from calmap.model.patterns import has_glob
from calmap.model.values import ANY, NA, alternatives, condition_element, condition_text
from calmap.syntax.expression import Choice, Compare, Constant, Either, Every, Expression, Name, Not
from calmap.syntax.expression import Sequence as Listed

DOES_NOT_MATTER = "doesn't matter"
_RELATION = re.compile(r"([<>]=?)\s*(.+)", re.S)
_RELATIONS = {"<": "less than", "<=": "at most", ">": "greater than", ">=": "at least", "=": ""}
_COMPARED = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is greater than",
    ">=": "is at least",
    "in": "is",
    "not in": "is not",
}
_TERMS = re.compile(r" (AND|OR) ")
_VAGUE = frozenset({"NAME", "ID", "TYPE", "MODE"})
_MAX_NESTED = 20


def spoken(keyword: str) -> str:
    """A keyword as one would say it: ``META.EXPOSURE.EXPOSURE_TIME`` is ``exposure time``."""
    if "." not in keyword and "_" not in keyword:
        return keyword
    parts = keyword.removeprefix("META.").split(".")
    return " ".join(parts[-2 if parts[-1] in _VAGUE else -1 :]).lower().replace("_", " ")


def element_words(element: object) -> str:
    """What an element of a match key wants of a value, to be put after the keyword."""
    return _wanted(condition_element(element), _MAX_NESTED)


def expression_words(expression: Expression) -> str:
    """An expression of a header as a clause."""
    match expression:
        case Constant(value):
            return "always" if value is True else "never" if value is False else str(value)
        case Name(_, name):
            return f"{spoken(name)} is given"
        case Compare(first, rest):
            words, left = [], first
            for sign, right in rest:
                words.append(f"{_operand(left)} {_COMPARED[sign]} {_operand(right)}")
                left = right
            return " and ".join(words)
        case Every(items):
            return " and ".join(_nested(item, Either) for item in items)
        case Either(items):
            return " or ".join(_nested(item, Every) for item in items)
        case Not(item):
            return f"it is not so that {_nested(item, Every | Either)}"
        case Choice(then, condition, otherwise):
            parts = (expression_words(part) for part in (condition, then, otherwise))
            return "if {}, {}, else {}".format(*parts)
    return _operand(expression)


def either(words: Sequence[str], joint: str = "or") -> str:
    """Words as in a sentence: ``A, B or C``."""
    return f" {joint} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _nested(expression: Expression, bracketed: type | UnionType) -> str:
    words = expression_words(expression)
    return f"({words})" if isinstance(expression, bracketed) else words


def _operand(expression: Expression) -> str:
    match expression:
        case Name(_, name):
            return spoken(name)
        case Constant(float() as number):
            return f"{number:g}"
        case Constant(value):
            return str(value)
        case Listed(items):
            return either([_operand(item) for item in items])
    return f"({expression_words(expression)})"


def _wanted(text: str, depth: int) -> str:
    ends = text[:1], text[-1:]
    if depth == 0:
        return f"is as {text} says"
    if text == NA:
        return DOES_NOT_MATTER
    if text == ANY:
        return "may be anything, which counts as a match"
    if ends == ("{", "}"):
        return f"is exactly {text[1:-1]}"
    if ends == ("(", ")"):
        return f"begins with what the regular expression {text[1:-1]} describes"
    if ends == ("#", "#"):
        return _joined(text[1:-1], depth)
    if text.upper().startswith("BETWEEN"):
        words = text.split()[1:]
        return f"is at least {words[0]} and less than {words[-1]}" if len(words) == 2 else f"is {text}"
    if text.upper().startswith("NOT "):
        return _negated(_wanted(condition_text(text[4:]), depth - 1))
    if relation := _RELATION.fullmatch(text):
        return f"is {_RELATIONS[relation[1]]} {relation[2].strip()}"
    return _listed(text)


def _negated(words: str) -> str:
    return f"is not {words.removeprefix('is ')}" if words.startswith("is ") else f"is none that {words}"


def _joined(text: str, depth: int) -> str:
    parts = _TERMS.split(text)
    words = [_wanted(part.strip(), depth - 1) for part in parts[::2]]
    if len(parts) > 1:
        first, *others = words[:2]
        return " ".join((first, parts[1].lower(), *(word.removeprefix("is ") for word in others)))
    return words[0]


def _listed(text: str) -> str:
    members = [member for member in alternatives(text) if member != NA]
    plain = [member or "empty" for member in members if not has_glob(member)]
    if text[:1] in ("<", ">") or len(plain) == len(members):
        return f"is {either(plain)}" if plain else f"is {text}"
    words = [f"is {either(plain)}"] if plain else []
    return either([*words, *(_globbed(member) for member in members if has_glob(member))])


def _globbed(glob: str) -> str:
    if not has_glob(glob.strip("*")):
        inner = glob.strip("*")
        if glob == f"{inner}*":
            return f"begins with {inner}"
        if glob == f"*{inner}":
            return f"ends with {inner}"
        if glob == f"*{inner}*":
            return f"has {inner} in it" if inner else "is anything"
    return f"is like {glob}"
