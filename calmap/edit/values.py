"""Values of rules replaced by others, in keys or by substitutions."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.compile.terms import DEFAULT_SUBSTITUTIONS
from calmap.diagnostics import TextEdit
from calmap.edit.entries import quote_of, remove_entry
from calmap.edit.header import delete_header, set_entry
from calmap.edit.literals import literal
from calmap.edit.refactoring import applied, require_no_collision
from calmap.edit.shape import has_parameter, shape, table_of
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping
from calmap.model.values import NA, condition_element, condition_value, is_esoteric
from calmap.source import Source
from calmap.syntax.ast import Plain, Table, Tuple, Value, header_entry, plain, plain_key

_KEY = "substitutions"


def replace_value(mapping: Mapping, parameter: str, old: Plain, new: Plain) -> Mapping:
    """A mapping whose rules have another value for a parameter, alone or as a member of an or-glob.

    Raises
    ------
    RefusedError
        If no rule has the value, two rules would become the same, or the new value is empty.
    """
    if isinstance(new, str) and not new.strip(" |"):
        raise RefusedError("an empty value is that of no observation", "N/A stands for any, and '*' too")
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    place = there.matched(parameter)
    edits = [
        edit
        for _, elements in there.entries(place.level)
        for edit in _replaced(there.source, elements[place.number], old, new)
    ]
    if not edits:
        message = f"{there.source.name}: no rule has {literal(old)} for {parameter}"
        raise RefusedError(message, "values of regular expressions and relations are not looked into")
    replaced = applied(mapping, edits)
    require_no_collision(there, replaced, f"replacing {literal(old)} by {literal(new)}")
    return replaced


def has_value(mapping: Mapping, parameter: str, old: Plain) -> bool:
    """True if rules of a mapping have a value that `replace_value` would replace."""
    if mapping.file is None or not has_parameter(mapping, parameter):
        return False
    there = shape(mapping.file)
    place = there.matched(parameter)
    found = (elements[place.number] for _, elements in there.entries(place.level))
    return any(True for element in found for _ in _replaced(there.source, element, old, old))


def has_substitution(mapping: Mapping, parameter: str, old: Plain) -> bool:
    """True if a mapping writes down that a value of a parameter is substituted."""
    swaps = _tables(mapping, parameter)[1]
    return swaps is not None and _index(swaps, old) is not None


def set_substitution(mapping: Mapping, parameter: str, old: Plain, new: Plain) -> Mapping:
    """A mapping that reads a value of its rules as another one; other substitutions stay.

    Raises
    ------
    RefusedError
        If there is no such parameter, or two rules would become the same.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    there.find(parameter)
    swaps = dict(there.substitutions.get(parameter, {}))
    if old in swaps and repr(swaps[old]) == repr(new):
        return mapping
    swaps[old] = new
    changed = _with_swaps(mapping, parameter, swaps, old, new)
    require_no_collision(there, changed, f"reading {literal(old)} as {literal(new)}")
    return changed


def remove_substitution(mapping: Mapping, parameter: str, old: Plain) -> Mapping:
    """A mapping that no longer reads a value of its rules as another one.

    Raises
    ------
    RefusedError
        If it does not write down that it does, or two rules would become the same.
    """
    if mapping.file is None:
        return mapping
    there = shape(mapping.file)
    table, swaps = _tables(mapping, parameter)
    index = None if swaps is None else _index(swaps, old)
    if table is None or swaps is None or index is None:
        message = f"{there.source.name}: there is no substitution of {literal(old)} for {parameter}"
        raise RefusedError(message, "the header key substitutions has all of them")
    if len(swaps.entries) > 1 or parameter in DEFAULT_SUBSTITUTIONS:
        edits = remove_entry(there.source, swaps, index)
    elif len(table.entries) > 1:
        numbers = range(len(table.entries))
        edits = remove_entry(there.source, table, next(i for i in numbers if table.entries[i].value is swaps))
    else:
        edits = delete_header(there.file, _KEY)
    changed = applied(mapping, edits)
    require_no_collision(there, changed, f"no longer substituting {literal(old)}")
    return changed


def _replaced(source: Source, element: Value, old: Plain, new: Plain) -> Iterator[TextEdit]:
    """Edits that replace a value in an element of a key."""
    if isinstance(element, Tuple):
        for item in element.items:
            yield from _replaced(source, item, old, new)
        return
    try:
        written = plain(element)
    except TypeError:
        return
    quote = quote_of(source, element)
    if condition_element(written) == condition_element(old):
        yield TextEdit(element.span, literal(new, quote))
    elif isinstance(written, str) and "|" in written and not is_esoteric(written):
        members = written.split("|")
        wanted = condition_value(old)
        if any(condition_value(member) == wanted for member in members):
            _require_member(source, element, new)
            yield TextEdit(element.span, literal(_union(members, wanted, str(new)), quote))


def _require_member(source: Source, element: Value, new: Plain) -> None:
    """Refuse a value that means something else as a member of an or-glob."""
    text = condition_value(new)
    if not isinstance(new, str) or text == NA or is_esoteric(text):
        line = source.position(element.start).line
        several = literal(plain(element))
        message = f"{source.name}:{line}: {literal(new)} can't be one of several values, as in {several}"
        raise RefusedError(message, "take the rule apart with split-rule first")


def _union(members: list[str], old: str, new: str) -> str:
    """An or-glob with a member replaced; it stays sorted if it was, and has no member twice."""
    replaced = [new if condition_value(member) == old else member for member in members]
    kept = list(dict.fromkeys(part for member in replaced for part in member.split("|")))
    return "|".join(sorted(kept) if members == sorted(members) else kept)


def _with_swaps(
    mapping: Mapping, parameter: str, swaps: dict[Plain, Plain], old: Plain, new: Plain
) -> Mapping:
    file = mapping.file
    if file is None:
        return mapping
    table, given = _tables(mapping, parameter)
    if table is None:
        return applied(mapping, set_entry(file.source, file.header, _KEY, {parameter: swaps}))
    if given is None or not given.entries or not isinstance(old, str):
        return applied(mapping, set_entry(file.source, table, parameter, swaps))
    return applied(mapping, set_entry(file.source, given, old, new))


def _tables(mapping: Mapping, parameter: str) -> tuple[Table | None, Table | None]:
    """The substitutions of a header, and those of a parameter."""
    header = mapping.header
    table = table_of(header_entry(header, _KEY)) if header is not None else None
    given = header_entry(table, parameter) if table is not None else None
    return table, table_of(given)


def _index(table: Table, key: Plain) -> int | None:
    found = [index for index, entry in enumerate(table.entries) if plain_key(entry.key) == key]
    return found[-1] if found else None
