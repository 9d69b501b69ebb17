"""Values that tell the elements of a column apart: those that it names, and some that its patterns accept."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import combinations, pairwise

from calmap.model.patterns import has_glob
from calmap.model.values import ANY, NA, alternatives, condition_text

OTHER = "OTHER"
MAX_NESTED = 20
_MAX_BOUNDS = 500
_MAX_STATES = 20_000
_MAX_GLOB = 60
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_TOKEN = re.compile(r"\[!?\]?[^\]]*\]|.", re.S)
_ANY_TEXT = "\0"
_SIMPLER = (
    (re.compile(r"^\^|\$$|\(\?:"), ""),
    (re.compile(r"\\d"), "1"),
    (re.compile(r"\\w|\\S"), "X"),
    (re.compile(r"\\s"), " "),
    (re.compile(r"\[\^[^\]]*\]"), "X"),
    (re.compile(r"\[(.)[^\]]*\]"), r"\1"),
    (re.compile(r"\\(.)"), r"\1"),
    (re.compile(r"\.[*?]"), _ANY_TEXT),
    (re.compile(r"\."), "X"),
    (re.compile(r"[+*?()]"), ""),
)


def samples(elements: Iterable[str]) -> tuple[str, ...]:
    """Conditioned values for the elements of a column; those that are named first, each once.

    Every value that stands in an element as it is, is among them; of what patterns accept there is
    only a selection, and not all of it is accepted.
    """
    texts = tuple(elements)
    literal: list[str] = []
    relations: list[str] = []
    globs: list[str] = []
    regexes: list[str] = []
    for text in texts:
        _sort(text, literal, relations, globs, regexes)
    named = [value for value in literal if is_value(value)]
    made = [*_globbed(globs), *(value for text in regexes for value in _expanded(text)), *_numbers(relations)]
    conditioned = map(condition_text, made)
    return tuple(dict.fromkeys([*named, *(value for value in conditioned if is_value(value))]))


def is_value(value: str) -> bool:
    """True if a header's value can be so after conditioning, and is not one that stands for many."""
    return value not in (NA, ANY) and condition_text(value) == value


def _sort(text: str, literal: list[str], relations: list[str], globs: list[str], regexes: list[str]) -> None:
    for _ in range(MAX_NESTED):
        if not text.upper().startswith("NOT "):
            break
        text = text[4:].strip()
    ends = (text[:1], text[-1:])
    if ends == ("(", ")"):
        regexes.append(text[1:-1])
    elif ends == ("{", "}"):
        literal.append(text[1:-1])
    elif ends == ("#", "#") or text.upper().startswith("BETWEEN"):
        relations.append(text)
        literal += (term.strip() for term in re.split(r" AND | OR ", text.strip("#")))
    elif "|" in text or "*" in text:
        for member in alternatives(text):
            (globs if has_glob(member) else literal).append(member)
    elif text[:1] in ("<", ">"):
        relations.append(text)
    else:
        literal.append(text)


def _numbers(relations: list[str]) -> Iterator[str]:
    """The bounds of relations, and numbers between and beyond them."""
    found = {float(number) for text in relations for number in _NUMBER.findall(text)}
    bounds = sorted(bound for bound in found if abs(bound) < 1e300)[:_MAX_BOUNDS]
    if bounds:
        yield from map(str, bounds)
        yield from (str((low + high) / 2) for low, high in pairwise(bounds))
        yield from (str(bounds[0] - 1), str(bounds[-1] + 1))


def _globbed(globs: list[str]) -> Iterator[str]:
    """What globs accept, and what two of them accept together."""
    distinct = list(dict.fromkeys(globs))
    for glob in distinct:
        tokens = _TOKEN.findall(glob[:_MAX_GLOB])
        for star, at in (("", 0), ("X", 1), ("Q", 2)):
            characters = (_characters(token, star) for token in tokens)
            yield "".join(some[min(at, len(some) - 1)] if some else "" for some in characters)
    room = _MAX_STATES
    for first, second in combinations(distinct, 2):
        room -= len(first) * len(second)
        if room < 0:
            return
        if (text := common(first, second)) is not None:
            yield text


def common(first: str, second: str) -> str | None:
    """A shortest text that two globs accept, or None if there is none."""
    one, two = _TOKEN.findall(first), _TOKEN.findall(second)
    waiting = deque([(0, 0, "")])
    seen = {(0, 0)}
    while waiting:
        i, j, text = waiting.popleft()
        if i == len(one) and j == len(two):
            return text
        steps = []
        if i < len(one) and one[i] == "*":
            steps.append((i + 1, j, text))
        if j < len(two) and two[j] == "*":
            steps.append((i, j + 1, text))
        if i < len(one) and j < len(two):
            for character in {*_characters(one[i]), *_characters(two[j])}:
                if fnmatchcase(character, one[i]) and fnmatchcase(character, two[j]):
                    steps.append((i + (one[i] != "*"), j + (two[j] != "*"), text + character))
        for step in sorted(steps):
            if step[:2] not in seen:
                seen.add(step[:2])
                waiting.append(step)
    return None


def _characters(token: str, star: str = "X") -> str:
    """Some characters that a token of a glob accepts."""
    if token in ("*", "?"):
        return star if token == "*" else star or "X"
    if len(token) == 1:
        return token
    inner = token[1:-1]
    return "X0Z" if inner.startswith("!") else inner.replace("-", "") or "-"


def _expanded(regex: str) -> Iterator[str]:
    """Texts that a simple regular expression may accept."""
    for text in (*regex.split("|"), regex):
        for simpler, by in _SIMPLER:
            text = simpler.sub(by, text)
        yield from (
            text.replace(_ANY_TEXT, ""),
            text.replace(_ANY_TEXT, "X"),
            text.replace(_ANY_TEXT, "") + "Q",
        )
