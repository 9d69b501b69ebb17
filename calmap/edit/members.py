"""Elements of match keys as members of or-globs, and what comes of rules that differ in one."""

from __future__ import annotations

from calmap.compile.ordered import MERGEABLE
from calmap.edit.shape import Shape, elements_of
from calmap.model.names import is_na, is_omit
from calmap.model.patterns import OneOf, PatternError, Test, pattern
from calmap.model.values import ANY, NA, alternatives, condition_element
from calmap.syntax.ast import Entry, SelectorCall, String, Value, header_entry, plain

_GLOB = frozenset("*?[")


def consequence(there: Shape, value: Value) -> str:
    """Why two rules that lead to a value don't answer as one does when both match; empty if they do."""
    if not there.merges:
        return "merge_overlaps is off"
    if not isinstance(value, SelectorCall):
        return "its files would come twice" if not _is_word(value) else ""
    if value.name not in MERGEABLE:
        return f"rules that lead to {value.name} can't be merged"
    if any(isinstance(entry.value, SelectorCall) for entry in value.table.entries):
        return f"its {value.name} leads to other selectors"
    return ""


def _is_word(value: Value) -> bool:
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
    if text in (NA, ANY, "") or _GLOB & set(text) or "|" in text:
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
