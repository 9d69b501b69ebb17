"""The refactorings that claim not to change answers, each applied to as much of an rmap as it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from calmap.edit.application import parsed
from calmap.edit.formatting import format_layout
from calmap.edit.merging import merge_rules
from calmap.edit.ordering import sort
from calmap.edit.parameters import add_parameter
from calmap.edit.parkeys import set_parkey
from calmap.edit.refactoring import refactored
from calmap.edit.renaming import rename_parameter
from calmap.edit.shape import MATCH, Shape, elements_of, shape
from calmap.edit.splitting import split_rule
from calmap.errors import CalmapError, RefusedError
from calmap.model.mapping import Mapping as MappingText
from calmap.model.values import alternatives
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import String

_SPLITS = 12
NEW = "NEWPAR"


@dataclass(frozen=True, slots=True)
class Result:
    """An rmap after a refactoring, and the new names of the parameters of a header."""

    mapping: MappingText
    renamed: Mapping[str, str]


Refactoring = Callable[[MappingText, Observatory | None], Result]


def rename_all(mapping: MappingText, observatory: Observatory | None) -> Result:
    renamed = {}
    for name in dict.fromkeys(shape(parsed(mapping)).parameters):
        rename = partial(rename_parameter, old=name, new=f"{name}X", observatory=observatory)
        mapping = refactored(mapping, rename)
        renamed[name] = f"{name}X"
    return Result(mapping, renamed)


def add_everywhere(mapping: MappingText, observatory: Observatory | None) -> Result:
    for level in _match_levels(shape(parsed(mapping))):
        add = partial(add_parameter, name=f"{NEW}{level}", observatory=observatory, level=level + 1)
        mapping = refactored(mapping, add)
    return Result(mapping, {})


def reverse_parkey(mapping: MappingText, observatory: Observatory | None) -> Result:
    there = shape(parsed(mapping))
    levels = _match_levels(there)
    parkey = tuple(names[::-1] if level in levels else names for level, names in enumerate(there.parkey))
    return Result(refactored(mapping, lambda old: set_parkey(old, parkey, observatory)), {})


def split_some(mapping: MappingText, observatory: Observatory | None) -> Result:
    del observatory
    lines = list(islice(_several(shape(parsed(mapping))), _SPLITS))
    refused: RefusedError | None = None
    for line, name in reversed(lines):
        try:
            mapping = refactored(mapping, partial(split_rule, line=line, parameter=name))
        except RefusedError as problem:
            refused = problem
    if refused is not None and len(lines) == 1:
        raise refused
    return Result(mapping, {})


def merge_all(mapping: MappingText, observatory: Observatory | None) -> Result:
    del observatory
    return Result(refactored(mapping, merge_rules), {})


def sort_all(mapping: MappingText, observatory: Observatory | None) -> Result:
    del observatory
    return Result(refactored(mapping, sort), {})


def format_all(mapping: MappingText, observatory: Observatory | None) -> Result:
    del observatory
    return Result(refactored(mapping, format_layout), {})


REFACTORINGS: Mapping[str, Refactoring] = {
    "rename-parameter": rename_all,
    "add-parameter": add_everywhere,
    "set-parkey": reverse_parkey,
    "split-rule": split_some,
    "merge-rules": merge_all,
    "sort": sort_all,
    "format": format_all,
}


def attempt(name: str, mapping: MappingText, observatory: Observatory | None) -> Result | str:
    """The result of a refactoring, or why it is refused."""
    try:
        return REFACTORINGS[name](mapping, observatory)
    except CalmapError as problem:
        return str(problem)


def _match_levels(there: Shape) -> frozenset[int]:
    levels = range(len(there.parkey))
    calls = {level: {call.name for call in there.calls(level)} for level in levels}
    return frozenset(level for level, names in calls.items() if names == {MATCH})


def _several(there: Shape) -> Iterator[tuple[int, str]]:
    """Lines of rules with or-globs, and their first parameter with one."""
    for level in _match_levels(there):
        for entry, _ in there.entries(level):
            for name, element in zip(there.parkey[level], elements_of(entry.key), strict=True):
                if isinstance(element, String) and len(alternatives(element.value)) > 1:
                    yield there.line(entry), name
                    break
