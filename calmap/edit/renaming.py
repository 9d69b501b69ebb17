"""A parameter given another name, wherever an rmap names it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from calmap.compile.hooks import AFTER_FAILURE_KEYWORDS, HOOK_KEYWORDS
from calmap.compile.terms import reference_terms
from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits, quote_of
from calmap.edit.expressions import expressions, named_in, renamed_in_expressions
from calmap.edit.header import set_entry
from calmap.edit.literals import quoted
from calmap.edit.refactoring import applied
from calmap.edit.shape import Shape, elements_of, is_string, items_of, shape, table_of
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import Entry, MappingFile, String, Value, header_entry

_KEYWORD = re.compile(r"[^\s|#'\"(){}\[\],:]+")


def rename_parameter(mapping: Mapping, old: str, new: str, observatory: Observatory | None = None) -> Mapping:
    """A mapping in which a parameter has another name.

    Values and rules stay; a header with the value under the new name gets the answer that one with the
    old name got.

    Parameters
    ----------
    mapping
        The rmap.
    old, new
        The names.
    observatory
        The telescope, whose hooks may read parameters by their names.

    Raises
    ------
    UsageError
        If the new name is none.
    RefusedError
        If there is no such parameter, the new name is taken, or code reads one of the names.
    """
    if not _KEYWORD.fullmatch(new):
        raise UsageError(f"{new!r} is no name of a parameter")
    file = mapping.file
    if file is None or old == new:
        return mapping
    there = shape(file)
    if old not in there.parameters:
        there.find(old)
    _require_free(there, new)
    for name in (old, new):
        require_unread(file, observatory, name)
    edits = [*_in_parkey(there, old, new), *_in_lists(file, old, new), *_in_tables(file, old, new)]
    edits += renamed_in_expressions(file, old, new)
    renamed = applied(mapping, edits)
    return applied(renamed, _substitutions(there, renamed, old, new))


def require_unread(file: MappingFile, observatory: Observatory | None, parameter: str) -> None:
    """Refuse a parameter that the code of a telescope knows by its name, where the change would count.

    Raises
    ------
    RefusedError
        With the name of the code.
    """
    terms = reference_terms(file, observatory)
    for hook in (terms.precondition, terms.fallback):
        if hook is not None and parameter in HOOK_KEYWORDS[hook.__name__]:
            message = f"{file.source.name}: the hook {hook.__name__} reads {parameter} by its name"
            raise RefusedError(message, "rules with hooks keep the parameters that these read")
    read = AFTER_FAILURE_KEYWORDS.get(terms.after_failure or "", frozenset())
    if parameter in read and read <= {*terms.required, parameter}:
        message = f"{file.source.name}: the check {terms.after_failure} reads {parameter} by its name"
        raise RefusedError(message, "it decides what happens where no rule matches")


def _require_free(there: Shape, new: str) -> None:
    taken = new in there.parameters or any(named_in(*item, new) for item in expressions(there.file))
    lists = (items_of(header_entry(there.file.header, key)) for key in ("extra_keys", "comment_parkeys"))
    taken = taken or any(is_string(item, new) for items in lists if items for item in items.items)
    if taken:
        message = f"{there.source.name}: {new!r} is there already"
        raise RefusedError(message, "a name can stand for one parameter only")


def _in_parkey(there: Shape, old: str, new: str) -> Iterator[TextEdit]:
    for place in there.places:
        yield from _renamed(there.file, place.items, old, new)


def _in_lists(file: MappingFile, old: str, new: str) -> Iterator[TextEdit]:
    for key in ("extra_keys", "comment_parkeys"):
        items = items_of(header_entry(file.header, key))
        if items is not None:
            yield from _renamed(file, items.items, old, new)
    switch = header_entry(file.header, "reffile_switch")
    if switch is not None:
        yield from _renamed(file, (switch.value,), old, new)


def _in_tables(file: MappingFile, old: str, new: str) -> Iterator[TextEdit]:
    for key in ("parkey_relevance", "substitutions"):
        yield from _renamed(file, tuple(entry.key for entry in _entries(file, key)), old, new)
    targets = tuple(entry.value for entry in _entries(file, "reference_to_dataset"))
    yield from _renamed(file, targets, old, new)


def _renamed(file: MappingFile, values: tuple[Value, ...], old: str, new: str) -> Iterator[TextEdit]:
    for value in values:
        if is_string(value, old):
            yield TextEdit(value.span, quoted(new, quote_of(file.source, value)))


def _substitutions(before: Shape, renamed: Mapping, old: str, new: str) -> Edits:
    """Edits that write down substitutions which the old or the new name has without being told."""
    file = renamed.file
    if file is None:
        return ()
    wanted = dict(before.substitutions.get(old, {}))
    after = shape(file)
    if after.substitutions.get(new, {}) == wanted or not _matters(before, old, {*wanted, "GENERIC"}):
        return ()
    table = table_of(header_entry(file.header, "substitutions"))
    if table is None:
        return set_entry(file.source, file.header, "substitutions", {new: wanted})
    return set_entry(file.source, table, new, wanted)


def _matters(there: Shape, parameter: str, values: set[object]) -> bool:
    """True if rules have one of the values, or lie inside others, where refusing a value has a meaning."""
    level, index = there.find(parameter)
    if level:
        return True
    keys = (elements_of(entry.key) for call in there.calls(level) for entry in call.table.entries)
    elements = (key[index] for key in keys if index < len(key))
    return any(isinstance(element, String) and element.value in values for element in elements)


def _entries(file: MappingFile, key: str) -> tuple[Entry, ...]:
    table = table_of(header_entry(file.header, key))
    return table.entries if table is not None else ()
