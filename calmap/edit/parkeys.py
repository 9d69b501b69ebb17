"""Rules given another parkey: parameters added, dropped, and put in another order."""

from __future__ import annotations

from calmap.compile.reference import compile_reference
from calmap.compile.tree import Answer, Match, Node, Ordered, Terminal
from calmap.diagnostics import TextEdit
from calmap.edit.entries import Edits
from calmap.edit.parameters import add_parameter, drop_parameter
from calmap.edit.refactoring import rearranged
from calmap.edit.sequences import arrange
from calmap.edit.shape import Shape, shape
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping
from calmap.model.values import NA
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import Entry, MappingFile, Plain, Tuple


def set_parkey(
    mapping: Mapping, parkey: Plain, observatory: Observatory | None = None, *, strictly: bool = True
) -> Mapping:
    """A mapping with another parkey: known parameters moved, new ones added as N/A, others dropped.

    Parameters
    ----------
    mapping
        The rmap.
    parkey
        A tuple with a tuple of parameters for each level.
    observatory
        The telescope, whose hooks and checks may read parameters.
    strictly
        Refuse where several files that are chosen together would come in another order.

    Raises
    ------
    UsageError
        If the parkey is none.
    RefusedError
        As `add_parameter` and `drop_parameter`, or if a parameter would change its level.
    """
    wanted = _levels(parkey)
    mapping, arranged = _with_parkey(mapping, wanted, observatory)
    if strictly and _is_reordered(mapping, arranged):
        message = f"{mapping.path}: files of rules that match together would come in another order"
        hint = "they do where a header has N/A or *; --force changes it all the same"
        raise RefusedError(message, hint)
    return arranged


def changes_order(mapping: Mapping, parkey: Plain) -> bool:
    """True if another parkey changes the order of files that are chosen together."""
    return _is_reordered(*_with_parkey(mapping, _levels(parkey), None))


def _with_parkey(
    mapping: Mapping, wanted: tuple[tuple[str, ...], ...], observatory: Observatory | None
) -> tuple[Mapping, Mapping]:
    """A mapping with the parameters wanted, and the same with these in order."""
    if mapping.file is None:
        return mapping, mapping
    there = shape(mapping.file)
    _require_levels(there, wanted)
    for level, names in enumerate(wanted):
        for name in names:
            if name not in there.parkey[level]:
                mapping = add_parameter(mapping, name, NA, observatory, level=level + 1)
    for level, names in enumerate(there.parkey):
        for name in names:
            if name not in wanted[level]:
                mapping = drop_parameter(mapping, name, observatory)
    return mapping, _arranged(mapping, wanted)


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


def _is_reordered(old: Mapping, new: Mapping) -> bool:
    """True if files of rules that match together, which come in the order of keys, change places."""
    if old is new or old.file is None or new.file is None:
        return False
    return _file_order(old.file) != _file_order(new.file)


def _file_order(file: MappingFile) -> tuple[tuple[int, ...], ...]:
    """For each `Match` selector the order in which its files come, each counted by its place in the text."""
    orders = []
    nodes: list[Node] = [compile_reference(file, None).tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Match):
            rules = [rule for rule in node.rules if node.merge_overlaps and _is_file(rule.choice)]
            starts = sorted(rule.span.start for rule in rules)
            places = {start: number for number, start in enumerate(starts)}
            orders.append((starts[:1], tuple(places[rule.span.start] for rule in rules)))
            nodes += [rule.choice for rule in node.rules]
        elif isinstance(node, Ordered):
            nodes += [row.choice for row in node.rows]
    return tuple(order for _, order in sorted(orders))


def _is_file(choice: Node) -> bool:
    return isinstance(choice, Terminal) and choice.answer is Answer.FOUND


def _arranged_key(there: Shape, entry: Entry, order: list[int]) -> Edits:
    return arrange(there.source, entry.key, order) if isinstance(entry.key, Tuple) else ()
