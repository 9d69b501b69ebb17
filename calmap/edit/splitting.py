"""Rules for several values of a parameter taken apart into one for each."""

from __future__ import annotations

from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits, newline_of, own_indent, quote_of
from calmap.edit.literals import literal
from calmap.edit.members import Rule, conditioned, consequence, is_glob, is_plain, is_swapped, rule_at
from calmap.edit.refactoring import applied
from calmap.edit.shape import Shape, elements_of, shape
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping
from calmap.model.values import alternatives, condition_element
from calmap.syntax.ast import Entry, String, Value, plain


def split_rule(
    mapping: Mapping, line: int, parameter: str | None = None, *, strictly: bool = True
) -> Mapping:
    """A mapping with one rule for each value of an or-glob, each with a copy of what it leads to.

    Parameters
    ----------
    mapping
        The rmap.
    line
        Where the rule is.
    parameter
        Whose values are split; the only one with several if not told.
    strictly
        Refuse where headers with N/A or * for the parameter would get another answer.

    Raises
    ------
    RefusedError
        If there is no such rule, or the values can't be told apart.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    rule = rule_at(there, line)
    number = _several(there, rule, parameter)
    members = _members(there, rule, number)
    _require_new(there, rule, number, members)
    change = _consequence(there, rule, number)
    if strictly and change:
        raise RefusedError(f"{there.at(rule.entry)}: {change}", "--force splits the rule all the same")
    return applied(mapping, _copies(there, rule.entry, elements_of(rule.entry.key)[number], members))


def split_consequence(mapping: Mapping, line: int, parameter: str | None = None) -> str:
    """Which answers change if a rule is split, and why; empty if none do."""
    if mapping.file is None:
        return ""
    there = shape(mapping.file)
    rule = rule_at(there, line)
    return _consequence(there, rule, _several(there, rule, parameter))


def _consequence(there: Shape, rule: Rule, number: int) -> str:
    reason = consequence(there, rule.entry.value)
    name = there.parkey[rule.level][number]
    return f"where a header has N/A or * for {name} the answer would change: {reason}" if reason else ""


def _members(there: Shape, rule: Rule, number: int) -> tuple[str, ...]:
    """The values of an element, each of which can stand alone."""
    element = elements_of(rule.entry.key)[number]
    name = there.parkey[rule.level][number]
    members = alternatives(element.value) if isinstance(element, String) else ()
    odd = next((m for m in members if not is_plain(there, name, m) and not is_glob(m)), None)
    if odd is not None or is_swapped(there, name, element):
        shown = repr(odd) if odd is not None else literal(plain(element))
        message = f"{there.at(rule.entry)}: {shown} would mean something else in a rule of its own"
        raise RefusedError(message, "such a rule has to be changed by hand")
    distinct = {condition_element(member): member for member in reversed(members)}
    if len(distinct) < 2:
        message = f"{there.at(rule.entry)}: the values of {literal(plain(element))} mean the same"
        raise RefusedError(message, "one of them is enough: there is nothing to split")
    return tuple(reversed(distinct.values()))


def _several(there: Shape, rule: Rule, parameter: str | None) -> int:
    """Which element of a rule is to be split."""
    names = there.parkey[rule.level]
    elements = elements_of(rule.entry.key)
    where = there.at(rule.entry)
    found = [
        number
        for number, element in enumerate(elements)
        if isinstance(element, String) and len(alternatives(element.value)) > 1
    ]
    if parameter is not None:
        if parameter not in names:
            raise RefusedError(f"{where}: the rule has no {parameter}", f"it has {', '.join(names)}")
        if names.index(parameter) not in found:
            raise RefusedError(f"{where}: the rule has not several values for {parameter}")
        return names.index(parameter)
    if not found:
        raise RefusedError(f"{where}: the rule has no or-glob such as 'A|B'", "there is nothing to split")
    if len(found) > 1:
        several = ", ".join(names[number] for number in found)
        raise RefusedError(f"{where}: {several} have several values each", "choose one with --parameter")
    return found[0]


def _require_new(there: Shape, rule: Rule, number: int, members: tuple[str, ...]) -> None:
    """Refuse values for which another rule has the same key already."""
    key = conditioned(rule.entry)
    others = {conditioned(other): other for other in rule.table.entries if other is not rule.entry}
    for member in members:
        other = others.get((*key[:number], condition_element(member), *key[number + 1 :]))
        if other is not None:
            message = f"{there.at(rule.entry)}: line {there.line(other)} has a rule for {member!r} already"
            raise RefusedError(message, "only one of two equal rules can count: decide which first")


def _copies(there: Shape, entry: Entry, element: String | Value, members: tuple[str, ...]) -> Edits:
    """Edits that make a rule one for its first value, with one behind it for each other value."""
    source = there.source
    quote = quote_of(source, element)
    indent = own_indent(source, entry.start)
    between = ", " if indent is None else f",{newline_of(source)}{indent}"
    head, tail = source.text[entry.start : element.start], source.text[element.end : entry.end]
    copies = "".join(f"{between}{head}{literal(member, quote)}{tail}" for member in members[1:])
    return (
        TextEdit(element.span, literal(members[0], quote)),
        TextEdit(entry.span._replace(start=entry.end), copies),
    )
