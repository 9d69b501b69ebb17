"""Whether two texts are the same rules, so that no header can tell them apart."""

from __future__ import annotations

from collections.abc import Hashable

from calmap.compile.reference import compile_reference
from calmap.compile.tree import Match, Node, Terminal
from calmap.syntax.ast import MappingFile, MappingKind, Plain, SelectorCall, Table, Value, plain


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
