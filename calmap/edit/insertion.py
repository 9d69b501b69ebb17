"""A reference put into the rules of an rmap, changing no more of the text than the rule it needs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import chain, pairwise
from typing import NamedTuple

from calmap.compare.rows import RuleRow, Step, key_elements, rows
from calmap.diagnostics import TextEdit
from calmap.edit.entries import Manner, insert_entry, manner_of, newline_of, quote_of
from calmap.edit.keys import Level, levels_of, same_key
from calmap.edit.literals import literal, quoted
from calmap.errors import MappingError
from calmap.source import Source, Span
from calmap.syntax.ast import Entry, MappingFile, Plain, SelectorCall, Table, Tuple

_STEP = "    "


class Insertion(NamedTuple):
    """What putting a reference into an rmap comes to.

    Parameters
    ----------
    edits
        Changes of the text.
    added
        The row of the new reference; the spans of its keys are those of the old text, empty where
        a key is new.
    removed
        Rows that give way to it.
    new_levels
        How many of the keys are new; 0 if the file of an existing row is replaced.
    """

    edits: tuple[TextEdit, ...]
    added: RuleRow
    removed: tuple[RuleRow, ...]
    new_levels: int


def insert(file: MappingFile, header: Mapping[str, str], name: str) -> Insertion:
    """Edits that make an rmap choose a reference for the datasets it is meant for.

    Parameters
    ----------
    file
        The rmap.
    header
        Values of the rmap's keywords in the vocabulary of datasets, each as a rule would have it
        (``A|B``, ``*``, ``N/A``); the date among them.
    name
        File name of the reference.

    Raises
    ------
    MappingError
        If the rules have no place for it.
    """
    selector = file.selector
    if not isinstance(selector, SelectorCall):
        raise MappingError(f"{file.source.name}: the selector is a table, not rules such as Match")
    return _descend(file, selector, levels_of(file, header), (), name)


def _descend(
    file: MappingFile, call: SelectorCall, levels: tuple[Level, ...], steps: tuple[Step, ...], name: str
) -> Insertion:
    source, level = file.source, levels[0]
    key = level.key(call.name)
    entry = next((e for e in reversed(call.table.entries) if same_key(e.key, key, call.name, level)), None)
    if entry is None:
        return new_entry(source, call, levels, steps, name)
    steps = (*steps, Step(call.name, key_elements(entry.key), entry.key.span))
    if len(levels) == 1:
        if isinstance(entry.value, SelectorCall):
            line = source.position(entry.start).line
            message = (
                f"{source.name}:{line}: the rule leads to {entry.value.name}, for which parkey has no level"
            )
            raise MappingError(message, "give parkey and classes a level for every selector")
        return _new_file(source, entry, steps, level, key, name)
    if isinstance(entry.value, SelectorCall):
        return _descend(file, entry.value, levels[1:], steps, name)
    manner = manner_of(source, call.table, entry)
    text = _nested(source, levels[1:], manner, _sibling(call.table, entry, levels[1].selector), name)
    return _replacement(source, entry, (*steps, *_steps(levels[1:])), text, name, len(levels) - 1)


def _new_file(
    source: Source, entry: Entry, steps: tuple[Step, ...], level: Level, key: Plain, name: str
) -> Insertion:
    """A file in place of another one; the comments in its key follow."""
    insertion = _replacement(source, entry, steps, quoted(name, quote_of(source, entry.value)), name)
    if not any(level.comments) or steps[-1].selector != "Match":
        return insertion
    elements = tuple(map(str, level.elements("Match")))
    if elements == steps[-1].key:
        return insertion
    as_tuple = isinstance(entry.key, Tuple)
    text = literal(elements if as_tuple else key, quote_of(source, entry.key))
    new_steps = (*steps[:-1], steps[-1]._replace(key=elements))
    edits = (TextEdit(entry.key.span, text), *insertion.edits)
    return insertion._replace(edits=edits, added=insertion.added._replace(steps=new_steps))


def _replacement(
    source: Source, entry: Entry, steps: tuple[Step, ...], text: str, name: str, new: int = 0
) -> Insertion:
    span = entry.value.span
    written = steps[: len(steps) - new]
    removed = tuple(row._replace(steps=(*written, *row.steps)) for row in rows(entry.value))
    return Insertion(
        (TextEdit(span, text),), RuleRow(steps, name, Span(span.start, span.start)), removed, new
    )


def new_entry(
    source: Source, call: SelectorCall, levels: tuple[Level, ...], steps: tuple[Step, ...], name: str
) -> Insertion:
    """A file in a new entry of a selector, which has none of that key.

    Parameters
    ----------
    source, call
        The selector and the text it stands in.
    levels
        The selector's level, with the key, and those of selectors below it that the file needs.
    steps
        The keys that lead to the selector.
    name
        File name of the reference.
    """
    entries = call.table.entries
    index = _place(entries, tuple(map(str, levels[0].elements(call.name))))
    neighbour = entries[max(index - 1, 0)] if entries else None
    manner = manner_of(source, call.table, neighbour)
    key = _key_text(levels[0], call.name, manner, neighbour)
    if len(levels) > 1:
        value = _nested(source, levels[1:], manner, _sibling(call.table, neighbour, levels[1].selector), name)
    else:
        value = quoted(name, quote_of(source, neighbour.value) if neighbour else manner.quote)
    edits = insert_entry(source, call.table, index, f"{key}{manner.colon}{value}")
    added = RuleRow(
        (*steps, *_steps(levels, call.name)), name, Span(edits[-1].span.start, edits[-1].span.start)
    )
    return Insertion(edits, added, (), len(levels))


def _nested(
    source: Source, levels: tuple[Level, ...], outer: Manner, sibling: Entry | None, name: str
) -> str:
    """Text of the selectors below a new rule, laid out like those of another rule."""
    level, selector = levels[0], levels[0].selector
    like = sibling.value if sibling is not None and isinstance(sibling.value, SelectorCall) else None
    neighbour = like.table.entries[0] if like is not None else None
    opening, between, closing = _brackets(source, like, outer, newline_of(source))
    manner = manner_of(source, like.table, neighbour) if like is not None else outer._replace(colon=" : ")
    key = _key_text(level, selector, manner, neighbour)
    if len(levels) > 1:
        inner = outer._replace(indent=None if outer.indent is None else outer.indent + _STEP)
        below = neighbour if neighbour is not None and _is_like(neighbour, levels[1].selector) else None
        value = _nested(source, levels[1:], inner, below, name)
    else:
        value = quoted(name, manner.quote)
    return f"{selector}{opening}{key}{manner.colon}{value}{between}{closing}"


def _brackets(source: Source, like: SelectorCall | None, outer: Manner, newline: str) -> tuple[str, str, str]:
    """What stands before, after and behind the only entry of a new selector."""
    if like is not None:
        first, last = like.table.entries[0], like.table.entries[-1]
        opening = source.text[like.name_span.end : first.start]
        rest = source.text[last.end : like.end]
        comma = "," if rest.lstrip().startswith(",") else ""
        closing = rest.lstrip()[1:] if comma else rest
        if "#" not in opening + closing:
            return opening, comma, closing
    base = outer.indent or ""
    return f"({{{newline}{base}{_STEP}", ",", f"{newline}{base}}})"


def _key_text(level: Level, selector: str, manner: Manner, neighbour: Entry | None) -> str:
    elements = level.elements(selector)
    as_tuple = len(elements) != 1 or (neighbour is not None and isinstance(neighbour.key, Tuple))
    return literal(tuple(elements) if as_tuple else elements[0], manner.quote)


def _sibling(table: Table, near: Entry | None, selector: str) -> Entry | None:
    """The rule nearest to a place that shows how a selector is written."""
    entries = table.entries
    index = next((i for i, entry in enumerate(entries) if entry is near), 0)
    distances = chain.from_iterable(zip(range(index, -1, -1), range(index, len(entries)), strict=False))
    rest = chain(distances, range(len(entries)))
    return next((entries[i] for i in rest if _is_like(entries[i], selector)), None)


def _is_like(entry: Entry, selector: str) -> bool:
    value = entry.value
    return isinstance(value, SelectorCall) and value.name == selector and bool(value.table.entries)


def _steps(levels: tuple[Level, ...], first: str | None = None) -> tuple[Step, ...]:
    nowhere = Span(0, 0)
    names = [first or levels[0].selector, *(level.selector for level in levels[1:])]
    return tuple(
        Step(selector, tuple(map(str, level.elements(selector))), nowhere)
        for selector, level in zip(names, levels, strict=True)
    )


def _place(entries: tuple[Entry, ...], key: tuple[str, ...]) -> int:
    """Where a new key goes: in the order there is, else behind the keys that begin like it."""
    keys = [key_elements(entry.key) for entry in entries]
    pairs = list(pairwise(keys))
    if all(a <= b for a, b in pairs):
        return bisect_left(keys, key)
    if all(a >= b for a, b in pairs):
        return len(keys) - bisect_left(keys[::-1], key)
    common = [_common(key, other) for other in keys]
    best = max(common)
    return max(i for i, count in enumerate(common) if count == best) + 1 if best else len(keys)


def _common(key: tuple[str, ...], other: tuple[str, ...]) -> int:
    pairs = zip(key, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(key), len(other)))
