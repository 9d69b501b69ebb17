"""Which rules choose a reference file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calmap.bestref.context import Context
from calmap.compile.reference import CompiledReference
from calmap.compile.tree import Match, MatchRule, Node, Row, Terminal
from calmap.errors import CalmapError
from calmap.syntax.ast import Tuple


@dataclass(frozen=True, slots=True)
class RulePath:
    """One way through the rules that ends in a file.

    Parameters
    ----------
    reference
        The file.
    mapping, line
        Where the rule names it.
    instrument, reftype
        In lower case.
    conditions
        Parameter and what the rule says of it, from the outermost level inwards.
    """

    reference: str
    mapping: str
    line: int
    instrument: str
    reftype: str
    conditions: tuple[tuple[str, str], ...]


def rule_paths(context: Context, names: frozenset[str], instrument: str | None = None) -> Iterator[RulePath]:
    """Every way through the rules of a context that ends in one of some files.

    Reference mappings that can't be used are passed over; `calmap check` tells of them.
    """
    for who in context.instruments() if instrument is None else (instrument.lower(),):
        for reftype in context.reftypes(who):
            try:
                rules = context.type_rules(who, reftype)
            except CalmapError:
                continue
            reference = rules.reference
            if reference is not None and any(name in reference.file.source.text for name in names):
                yield from _paths(reference, rules.mapping, who, reftype, names)


def _paths(
    reference: CompiledReference, mapping: str, instrument: str, reftype: str, names: frozenset[str]
) -> Iterator[RulePath]:
    position = reference.file.source.position
    for conditions, terminal in _walk(reference, reference.tree, ()):
        for name in terminal.files:
            if name in names:
                line = position(terminal.span.start).line
                yield RulePath(name, mapping, line, instrument, reftype, conditions)


def _walk(
    reference: CompiledReference, node: Node, so_far: tuple[tuple[str, str], ...]
) -> Iterator[tuple[tuple[tuple[str, str], ...], Terminal]]:
    if isinstance(node, Terminal):
        yield so_far, node
    elif isinstance(node, Match):
        for rule in node.rules:
            yield from _walk(reference, rule.choice, (*so_far, *_key(reference, node.parameters, rule)))
    else:
        for row in node.rows:
            yield from _walk(reference, row.choice, (*so_far, _row(node.kind, node.parameters, row)))


def _key(
    reference: CompiledReference, parameters: tuple[str, ...], rule: MatchRule
) -> tuple[tuple[str, str], ...]:
    items = rule.written.items if isinstance(rule.written, Tuple) else (rule.written,)
    texts = (reference.file.source.slice(item.span).strip("'\"") for item in items)
    return tuple(zip(parameters, texts, strict=False))


def _row(kind: str, parameters: tuple[str, ...], row: Row) -> tuple[str, str]:
    return " ".join(parameters), f"{kind} {row.written}"
