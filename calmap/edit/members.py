"""Rules of `Match` selectors, their elements as members of or-globs, and what comes of splitting them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from calmap.compile.ordered import MERGEABLE
from calmap.edit.shape import MATCH, Shape, elements_of
from calmap.errors import RefusedError
from calmap.model.names import is_na, is_omit
from calmap.model.patterns import OneOf, PatternError, Test, has_glob, pattern
from calmap.model.values import ANY, NA, alternatives, condition_element
from calmap.syntax.ast import Entry, SelectorCall, String, Table, Value, header_entry, plain


class Rule(NamedTuple):
    """A rule of a `Match` selector and where it is."""

    table: Table
    number: int
    level: int

    @property
    def entry(self) -> Entry:
        """The rule itself."""
        return self.table.entries[self.number]


def rule_at(there: Shape, line: int) -> Rule:
    """The innermost rule of a `Match` selector at a line; one whose key is there before others.

    Raises
    ------
    RefusedError
        If there is none, or several begin there.
    """
    found = list(_rules(there, there.selector, 0))
    position = there.source.position
    by_key = [
        rule
        for rule in found
        if position(rule.entry.key.start).line <= line <= position(rule.entry.key.end).line
    ]
    around = [
        rule for rule in found if position(rule.entry.start).line <= line <= position(rule.entry.end).line
    ]
    if not by_key and not around:
        lines = sorted({there.line(rule.entry) for rule in found})
        near = min(lines, key=lambda other: abs(other - line)) if lines else None
        hint = f"the nearest is in line {near}" if near else "the file has no Match selector"
        raise RefusedError(f"{there.source.name}:{line}: no rule of a Match selector is there", hint)
    if len(by_key) > 1:
        raise RefusedError(
            f"{there.source.name}:{line}: {len(by_key)} rules begin there",
            "calmap refactor format puts each on a line",
        )
    return (by_key or around)[-1]


def _rules(there: Shape, value: Value, level: int) -> Iterator[Rule]:
    if not isinstance(value, SelectorCall):
        return
    for index, entry in enumerate(value.table.entries):
        if value.name == MATCH and level < len(there.parkey):
            yield Rule(value.table, index, level)
        yield from _rules(there, entry.value, level + 1)


def consequence(there: Shape, value: Value) -> str:
    """Why two rules that lead to a value don't answer as one does when both match; empty if they do."""
    if not there.merges:
        return "merge_overlaps is off"
    if not isinstance(value, SelectorCall):
        return "its files would come twice" if not is_word(value) else ""
    if value.name not in MERGEABLE:
        return f"rules that lead to {value.name} can't be merged"
    if any(isinstance(entry.value, SelectorCall) for entry in value.table.entries):
        return f"its {value.name} leads to other selectors"
    return ""


def is_word(value: Value) -> bool:
    """True if a rule leads to N/A or OMIT, which stands for no file."""
    return isinstance(value, String) and (is_na(value.value) or is_omit(value.value))


def is_mergeable(there: Shape, name: str, element: Value) -> bool:
    """True if an element can be joined with others to an or-glob that accepts what they accept."""
    text = member_text(element)
    if not text or is_swapped(there, name, element):
        return False
    return all(is_plain(there, name, member) for member in alternatives(text))


def is_plain(there: Shape, name: str, member: str) -> bool:
    """True if a member of an or-glob means just its own text, alone as well as among others."""
    text = condition_element(member)
    if text in (NA, ANY, "") or has_glob(text) or "|" in text:
        return False
    try:
        accepted = pattern(text)
    except PatternError:
        return False
    return accepted == OneOf(frozenset({text})) and member not in there.substitutions.get(name, {})


def is_glob(member: str) -> bool:
    """True if a member is a glob alone as well as among others."""
    text = condition_element(member)
    try:
        return "*" in text and text[:1] not in "({#" and isinstance(pattern(text), Test)
    except PatternError:
        return False


def is_swapped(there: Shape, name: str, element: Value) -> bool:
    """True if a substitution takes the place of an element."""
    try:
        return plain(element) in there.substitutions.get(name, {})
    except TypeError:
        return True


def member_text(element: Value) -> str:
    """An element as a member of an or-glob; empty if it can't be one."""
    if isinstance(element, String):
        return element.value
    try:
        data = plain(element)
    except TypeError:
        return ""
    return condition_element(data) if isinstance(data, int | float) else ""


def conditioned(entry: Entry) -> tuple[str, ...]:
    """The elements of a rule's key, conditioned."""
    try:
        return tuple(condition_element(plain(element)) for element in elements_of(entry.key))
    except TypeError:
        return (str(entry.start),)


def comment_parameters(there: Shape) -> frozenset[str]:
    """Parameters that rules have as comments only, in upper case."""
    entry = header_entry(there.file.header, "comment_parkeys")
    try:
        words = plain(entry.value) if entry is not None else ()
    except TypeError:
        words = ()
    return frozenset(str(word).upper() for word in words) if isinstance(words, tuple) else frozenset()
