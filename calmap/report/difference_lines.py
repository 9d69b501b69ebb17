"""Changed rules in the order and words in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, TypeAlias

from calmap.compare.difference import MappingDifference
from calmap.compare.parkeys import Parkey, ParkeyChange, named_keys
from calmap.compare.rows import RuleRow
from calmap.compare.rules import Kind, RuleChange

Keys: TypeAlias = tuple[tuple[str, str], ...]
KINDS: tuple[Kind, ...] = ("added", "removed", "replaced", "moved")


class ChangeLine(NamedTuple):
    """One changed rule.

    Parameters
    ----------
    kind
        How it changed.
    line
        Where it stands: in the new mapping, or in the old one if it was removed.
    keys
        Parameters and elements on the way to it.
    row
        The key of the innermost selector where that is a date or the like.
    old, new
        The file before and after.
    was, was_line
        Of a moved rule: the parameters that differ as they were, and where it stood.
    """

    kind: Kind
    line: int
    keys: Keys
    row: str
    old: str | None
    new: str | None
    was: Keys = ()
    was_line: int = 0


def change_groups(difference: MappingDifference) -> Iterator[tuple[Keys, tuple[ChangeLine, ...]]]:
    """Changed rules by the keys that they share."""
    lines = (_line(difference, change) for change in difference.rules)
    for keys, group in groupby(lines, key=lambda line: line.keys):
        yield keys, tuple(group)


def counts(difference: MappingDifference) -> str:
    """How many rules or entries changed in each way, such as ``2 added, 1 replaced``; and what else did."""
    found = [(difference.count(kind), kind) for kind in KINDS]
    words = [f"{count} {kind}" for count, kind in found if count]
    if difference.parkey:
        words.append("parkey changed")
    if difference.selectors:
        words.append("selectors changed")
    others = sum(change.path[0] != "parkey" for change in difference.header)
    if others:
        words.append(f"{others} header {'value' if others == 1 else 'values'}")
    if not words:
        words.append("same" if difference.same_text else "the text differs, the rules are the same")
    return ", ".join(words)


def parkey_sentences(change: ParkeyChange) -> Iterator[str]:
    """What became of the parameters, one thing a sentence."""
    for name in change.added:
        yield f"{name} added"
    for name in change.removed:
        yield f"{name} removed"
    for old, new in change.renamed.items():
        yield f"{old} renamed to {new}"
    if change.reordered:
        yield f"order changed from {_levels(change.old)} to {_levels(change.new)}"


def key_words(keys: Keys) -> str:
    """Keys as ``DETECTOR = WFC, CCDAMP = A``."""
    return ", ".join(f"{name} = {value}" if name else value for name, value in keys)


def _line(difference: MappingDifference, change: RuleChange) -> ChangeLine:
    old, new = change.old, change.new
    before, after = difference.parkeys
    if new is None:
        assert old is not None
        keys, row = _split(old, before)
        return ChangeLine(change.kind, _number(difference, old=old), keys, row, old.file, None)
    keys, row = _split(new, after)
    number = _number(difference, new=new)
    if change.kind != "moved" or old is None:
        return ChangeLine(change.kind, number, keys, row, old.file if old else None, new.file)
    was = tuple(pair for pair in named_keys(old, before) if pair not in named_keys(new, after))
    return ChangeLine("moved", number, keys, row, old.file, new.file, was, _number(difference, old=old))


def _number(difference: MappingDifference, *, old: RuleRow | None = None, new: RuleRow | None = None) -> int:
    file, row = (difference.old, old) if old else (difference.new, new)
    assert row is not None
    return file.source.position(row.span.start).line


def _split(row: RuleRow, levels: Parkey) -> tuple[Keys, str]:
    """The keys that rules are grouped by, and the last one if it is no match."""
    if row.steps and row.steps[-1].selector not in ("Match", ""):
        return named_keys(row._replace(steps=row.steps[:-1]), levels), ", ".join(row.steps[-1].key)
    return named_keys(row, levels), ""


def _levels(parkey: Sequence[Sequence[str]]) -> str:
    return "; ".join(", ".join(level) for level in parkey)
