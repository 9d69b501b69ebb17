"""Parameters that rules begin to look at, no longer look at, or look at in another order."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.diagnostics import TextEdit
from calmap.edit.collisions import Collision, new_collisions
from calmap.edit.entries import Edits, quote_of, remove_entries
from calmap.edit.literals import literal
from calmap.edit.refactoring import applied, rearranged, refusal
from calmap.edit.renaming import expressions, named_in, require_no_hook
from calmap.edit.sequences import arrange, insert_item, remove_item
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
from calmap.syntax.ast import Entry, Plain, SelectorCall, Table, Tuple, Value, header_entry


def add_parameter(
    mapping: Mapping, name: str, value: Plain = NA, *, level: int | None = None, after: str | None = None
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
    level
        Level of the parkey, counted from one; the first, or that of ``after``, if not told.
    after
        The parameter to put it behind; the last of the level if not told.

    Raises
    ------
    UsageError
        If level and ``after`` contradict each other.
    MappingError
        If it is there already, or can't be.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    if not name.strip() or name in there.parameters:
        raise RefusedError(
            f"{there.source.name}: {name!r} is in parkey already" if name.strip() else "no name"
        )
    at = _new_place(there, level, after)
    there.require_match(at.level)
    if value in there.substitutions.get(name, {}):
        message = f"{there.source.name}: {value!r} of {name} would be substituted"
        raise RefusedError(message, "see set-substitution")
    source = there.source
    new_names = insert_item(source, there.places[at.level], at.number, _like(there, at, name))
    return applied(mapping, (new_names, *_new_elements(there, at, value)))


def drop_parameter(mapping: Mapping, name: str, observatory: Observatory | None = None) -> Mapping:
    """A mapping whose rules no longer look at a parameter; rules that then are the same become one.

    Raises
    ------
    RefusedError
        If rules that lead to different things would become the same, an expression names the
        parameter, or a hook reads headers.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    place = there.matched(name)
    _require_unnamed(there, name)
    require_no_hook(mapping.file, observatory, name)
    edits = [*remove_item(there.source, there.places[place.level], place.number)]
    for entry, _ in there.entries(place.level):
        if isinstance(entry.key, Tuple):
            edits += remove_item(there.source, entry.key, place.number)
        else:
            edits.append(TextEdit(entry.key.span, "()"))
    narrowed = applied(mapping, [*edits, *_forgotten(there, name)])
    return _joined(there, narrowed, f"dropping {name}")


def set_parkey(mapping: Mapping, parkey: Plain, observatory: Observatory | None = None) -> Mapping:
    """A mapping with another parkey: known parameters moved, new ones added as N/A, others dropped.

    Raises
    ------
    UsageError
        If the parkey is none.
    MappingError
        As `drop_parameter`, or if a parameter would change its level.
    """
    wanted = _levels(parkey)
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    _require_levels(there, wanted)
    for level, names in enumerate(wanted):
        for name in names:
            if name not in there.parkey[level]:
                mapping = add_parameter(mapping, name, level=level + 1)
    for level, names in enumerate(there.parkey):
        for name in names:
            if name not in wanted[level]:
                mapping = drop_parameter(mapping, name, observatory)
    return _arranged(mapping, wanted)


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


def _levels(parkey: Plain) -> tuple[tuple[str, ...], ...]:
    good = isinstance(parkey, tuple) and all(isinstance(level, tuple) for level in parkey)
    if not good or not isinstance(parkey, tuple) or not parkey:
        message = f"{parkey!r} is no parkey, which is a tuple with a tuple of keywords for each selector"
        raise UsageError(message, "such as (('DETECTOR', 'FILTER'), ('DATE-OBS', 'TIME-OBS'))")
    levels = tuple(tuple(str(name) for name in level) for level in parkey if isinstance(level, tuple))
    names = [name for level in levels for name in level]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise UsageError(f"{doubled} is twice in the parkey")
    return levels


def _require_levels(there: Shape, wanted: tuple[tuple[str, ...], ...]) -> None:
    name = there.source.name
    if len(wanted) != len(there.parkey):
        message = f"{name}: the rules have {len(there.parkey)} levels of selectors, the parkey {len(wanted)}"
        raise RefusedError(message, "levels can't be added or taken away")
    for level, names in enumerate(there.parkey):
        moved = next((p for p in names if p not in wanted[level] and any(p in new for new in wanted)), None)
        if moved is not None:
            raise RefusedError(
                f"{name}: {moved} would go from level {level + 1} to another", "keep its level"
            )
        if names != wanted[level]:
            there.require_match(level)


def _arranged(mapping: Mapping, wanted: tuple[tuple[str, ...], ...]) -> Mapping:
    """A mapping with the parameters of each level in another order."""
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    edits: list[TextEdit] = []
    for level, names in enumerate(wanted):
        order = [there.parkey[level].index(name) for name in names]
        if order == sorted(order):
            continue
        edits += arrange(there.source, there.places[level], order)
        for entry, _ in there.entries(level):
            edits += _arranged_key(there, entry, order)
    return rearranged(mapping, edits)


def _arranged_key(there: Shape, entry: Entry, order: list[int]) -> Edits:
    return arrange(there.source, entry.key, order) if isinstance(entry.key, Tuple) else ()
