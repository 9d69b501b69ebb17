"""Changes of rules that are made whole or refused, with the reason, and whether rules are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeAlias

from calmap.compile.reference import compile_reference
from calmap.compile.tree import Match, Node, Terminal
from calmap.diagnostics import TextEdit
from calmap.edit.application import checksummed, edited, parsed
from calmap.edit.collisions import Collision, collision_count, new_collisions
from calmap.edit.comments import kept, lost
from calmap.edit.shape import Shape, shape
from calmap.errors import MappingError, RefusedError
from calmap.model.mapping import Mapping
from calmap.syntax.ast import MappingFile, MappingKind, Plain, SelectorCall, Table, Value, plain

Refactoring: TypeAlias = Callable[[Mapping], Mapping]
_SHOWN = 5


def refactored(mapping: Mapping, change: Refactoring) -> Mapping:
    """A mapping after a refactoring, with its right checksum; the same one if nothing changes.

    Raises
    ------
    RefusedError
        If rules or comments would be lost, or the mapping could not be used any more.
    """
    parsed(mapping)
    new = change(mapping)
    if new.text == mapping.text:
        return mapping
    gone = lost(mapping.text, new.text)
    if gone:
        line = mapping.source.position(gone[0].start).line
        raise RefusedError(f"{mapping.path}:{line}: the comment of this line would be lost", "move it first")
    if mapping.kind is MappingKind.REFERENCE:
        _require_use(parsed(mapping), parsed(new))
    return checksummed(new)


def applied(mapping: Mapping, edits: Iterable[TextEdit]) -> Mapping:
    """A mapping with edits applied, and the comments that they would take away kept."""
    edits = kept(mapping.source, edits)
    return edited(mapping, edits) if edits else mapping


def rearranged(mapping: Mapping, edits: Iterable[TextEdit]) -> Mapping:
    """A mapping with edits applied that only exchange parts of its text, with the comments in them."""
    edits = tuple(edits)
    return edited(mapping, edits) if edits else mapping


def require_no_collision(old: Shape, new: Mapping, doing: str) -> None:
    """Refuse a text in which keys of rules became the same.

    Raises
    ------
    RefusedError
        With the lines of the rules.
    """
    found = new_collisions(old, shape(parsed(new)))
    if found:
        raise refusal(old, found, doing)


def refusal(old: Shape, found: Iterable[Collision], doing: str) -> RefusedError:
    """The error that tells which rules would become the same."""
    pairs = [f"{old.line(first)} and {old.line(second)}" for first, second in found]
    shown = ", ".join(pairs[:_SHOWN]) + (f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else "")
    message = f"{old.source.name}: {doing} would make rules the same, so that only one of each could count"
    return RefusedError(message, f"lines {shown}: change or delete one of each first")


def rules_of(file: MappingFile) -> Hashable:
    """Everything that a look-up knows of the rules, without their order and places in the text.

    Raises
    ------
    MappingError
        If it is an rmap that can't be compiled.
    """
    if file.kind is MappingKind.REFERENCE:
        return _node(compile_reference(file, None).tree)
    return _links(file.selector)


def header_of(file: MappingFile) -> Plain:
    """The header as plain data, without its checksum.

    Raises
    ------
    TypeError
        If there is a selector in it.
    """
    data = plain(file.header)
    return {key: value for key, value in data.items() if key != "sha1sum"} if isinstance(data, dict) else data


def _require_use(old: MappingFile, new: MappingFile) -> None:
    """Refuse a text that can't be used where the old one could, or that has more doubled keys."""
    try:
        compile_reference(old, None)
    except MappingError:
        return
    try:
        compile_reference(new, None)
    except MappingError as problem:
        message = f"{old.source.name}: the result could not be used: {_bare(problem.message)}"
        raise RefusedError(message, "nothing was changed") from None
    if isinstance(old.selector, SelectorCall) and collision_count(shape(new)) > collision_count(shape(old)):
        raise RefusedError(f"{old.source.name}: rules would be lost, because their keys mean the same")


def _bare(message: str) -> str:
    """A message without the file before it."""
    return message.rpartition(".rmap:")[2].strip()


def _node(node: Node) -> Hashable:
    if isinstance(node, Terminal):
        return node.answer, node.files, node.written
    if isinstance(node, Match):
        rules = tuple((rule.key, _node(rule.choice)) for rule in node.rules)
        return node.parameters, rules, node.merge_overlaps
    return node.kind, node.parameters, tuple((row.key, row.written, _node(row.choice)) for row in node.rows)


def _links(selector: Table | SelectorCall) -> Hashable:
    table = selector if isinstance(selector, Table) else selector.table
    return frozenset({_text(entry.key).lower(): _text(entry.value) for entry in table.entries}.items())


def _text(value: Value) -> str:
    try:
        return str(plain(value))
    except TypeError:
        return f"a selector at {value.start}"
