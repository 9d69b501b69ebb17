"""Parameters that rules begin to look at, or no longer look at."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.diagnostics import TextEdit
from calmap.edit.collisions import Collision, new_collisions
from calmap.edit.entries import Edits, quote_of, remove_entries
from calmap.edit.expressions import expressions, named_in
from calmap.edit.literals import literal
from calmap.edit.refactoring import applied, refusal
from calmap.edit.renaming import require_unread
from calmap.edit.sequences import insert_item, remove_item
from calmap.edit.shape import (
    Place,
    Shape,
    is_string,
    items_of,
    meaning,
    shape,
    table_of,
)
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping
from calmap.model.values import NA
from calmap.observatories.definition import Observatory
from calmap.source import Span
from calmap.syntax.ast import Plain, SelectorCall, Table, Tuple, Value, header_entry


def add_parameter(
    mapping: Mapping,
    name: str,
    value: Plain = NA,
    observatory: Observatory | None = None,
    *,
    level: int | None = None,
    after: str | None = None,
) -> Mapping:
    """A mapping whose rules look at one more parameter; with N/A in all rules, no answer changes.

    Parameters
    ----------
    mapping
        The rmap.
    name
        The parameter.
    value
        What every rule has for it.
    observatory
        The telescope, whose hooks and checks may read the parameter.
    level
        Level of the parkey, counted from one; the first, or that of ``after``, if not told.
    after
        The parameter to put it behind; the last of the level if not told.

    Raises
    ------
    UsageError
        If level and ``after`` contradict each other.
    RefusedError
        If it is there already or substituted, other selectors than `Match` are on the level, or code reads
        a header's value for it.
    """
    if not name.strip():
        raise UsageError("a parameter needs a name")
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    source = there.source
    if name in there.parameters:
        raise RefusedError(f"{source.name}: {name!r} is in parkey already", "a parameter can be there once")
    at = _new_place(there, level, after)
    there.require_match(at.level)
    if value in there.substitutions.get(name, {}):
        message = f"{source.name}: {value!r} of {name} would be substituted"
        raise RefusedError(message, "see set-substitution")
    require_unread(mapping.file, observatory, name)
    new_names = insert_item(source, there.places[at.level], at.number, _like(there, at, name))
    return applied(mapping, (new_names, *_new_elements(there, at, value)))


def drop_parameter(mapping: Mapping, name: str, observatory: Observatory | None = None) -> Mapping:
    """A mapping whose rules no longer look at a parameter; rules that then are the same become one.

    Raises
    ------
    RefusedError
        If rules that lead to different things would become the same, an expression names the
        parameter, or code reads it.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    place = there.matched(name)
    _require_unnamed(there, name)
    require_unread(mapping.file, observatory, name)
    edits = [*remove_item(there.source, there.places[place.level], place.number)]
    for entry, _ in there.entries(place.level):
        if isinstance(entry.key, Tuple):
            edits += remove_item(there.source, entry.key, place.number)
        else:
            edits.append(TextEdit(entry.key.span, "()"))
    narrowed = applied(mapping, [*edits, *_forgotten(there, name)])
    return _joined(there, narrowed, f"dropping {name}")


def _new_place(there: Shape, level: int | None, after: str | None) -> Place:
    if after is None:
        chosen = (level or 1) - 1
        if not 0 <= chosen < len(there.parkey):
            raise UsageError(f"{there.source.name}: parkey has {len(there.parkey)} levels, not {level}")
        return Place(chosen, len(there.parkey[chosen]))
    place = there.find(after)
    if level not in (None, place.level + 1):
        raise UsageError(f"{there.source.name}: {after} is on level {place.level + 1}, not {level}")
    return Place(place.level, place.number + 1)


def _like(there: Shape, at: Place, name: str) -> str:
    items = there.places[at.level].items
    return literal(name, quote_of(there.source, items[0]) if items else "'")


def _new_elements(there: Shape, at: Place, value: Plain) -> Iterator[TextEdit]:
    for entry, elements in there.entries(at.level):
        text = literal(value, quote_of(there.source, entry.key))
        if isinstance(entry.key, Tuple):
            yield insert_item(there.source, entry.key, at.number, text)
        else:
            element = elements[0]
            before, after = (f"({text}, ", ")") if at.number == 0 else ("(", f", {text})")
            yield TextEdit(Span(element.start, element.start), before)
            yield TextEdit(Span(element.end, element.end), after)


def _require_unnamed(there: Shape, name: str) -> None:
    extra = items_of(header_entry(there.file.header, "extra_keys"))
    if extra is not None and any(is_string(item, name) for item in extra.items):
        return
    for key, expression in expressions(there.file):
        if key.upper() != name.upper() and named_in(key, expression, name):
            line = there.source.position(expression.start).line
            message = f"{there.source.name}:{line}: the expression of {key} names {name}"
            raise RefusedError(message, "change it first, or put the parameter in extra_keys as well")


def _forgotten(there: Shape, name: str) -> Iterator[TextEdit]:
    """Edits that take a parameter out of the rest of the header."""
    header, source = there.file.header, there.source
    for key in ("parkey_relevance", "substitutions", "reference_to_dataset"):
        table = table_of(header_entry(header, key))
        by_value = key == "reference_to_dataset"
        if table is not None:
            yield from _without(there, table, name, by_value=by_value)
    comments = items_of(header_entry(header, "comment_parkeys"))
    for index, item in enumerate(comments.items if comments is not None else ()):
        if comments is not None and is_string(item, name):
            yield from remove_item(source, comments, index)


def _without(there: Shape, table: Table, name: str, *, by_value: bool) -> Edits:
    entries = enumerate(table.entries)
    gone = frozenset(i for i, entry in entries if is_string(entry.value if by_value else entry.key, name))
    return remove_entries(there.source, table, gone) if gone else ()


def _joined(there: Shape, narrowed: Mapping, doing: str) -> Mapping:
    """A mapping in which rules that became the same, and lead to the same, are one."""
    if narrowed.file is None:
        return narrowed
    now = shape(narrowed.file)
    found = new_collisions(there, now)
    bad = tuple(pair for pair in found if meaning(pair.first.value) != meaning(pair.second.value))
    if bad:
        raise refusal(there, bad, doing)
    return applied(narrowed, _deletions(there, now, found))


def _deletions(there: Shape, now: Shape, found: tuple[Collision, ...]) -> Edits:
    """Edits that take the later rule of each pair away; the rules of both texts are in the same order."""
    gone = {pair.second.start for pair in found}
    return tuple(_removed(there.selector, now, now.selector, gone))


def _removed(before: Value, now: Shape, value: Value, gone: set[int]) -> Iterator[TextEdit]:
    if not isinstance(value, SelectorCall) or not isinstance(before, SelectorCall):
        return
    pairs = list(zip(before.table.entries, value.table.entries, strict=True))
    indices = frozenset(i for i, (old, _) in enumerate(pairs) if old.start in gone)
    yield from remove_entries(now.source, value.table, indices) if indices else ()
    for index, (old, new) in enumerate(pairs):
        if index not in indices:
            yield from _removed(old.value, now, new.value, gone)
