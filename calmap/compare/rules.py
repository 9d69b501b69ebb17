"""What differs between the rules of two mappings."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from calmap.compare.meaning import file_meaning, is_word, key_meaning
from calmap.compare.rows import RuleRow, Step, rows
from calmap.source import Span
from calmap.syntax.ast import Value

Kind: TypeAlias = Literal["added", "removed", "replaced", "moved"]
Key = TypeVar("Key", bound=Hashable)
Path: TypeAlias = tuple[tuple[str, ...], ...]


class RuleChange(NamedTuple):
    """A rule that changed.

    Parameters
    ----------
    kind
        ``replaced``: the same keys lead to another file; ``moved``: other keys
        lead to the same file, which changed its place nowhere else.
    old, new
        The rule before and after.
    """

    kind: Kind
    old: RuleRow | None
    new: RuleRow | None


class SelectorChange(NamedTuple):
    """Selectors that became others over the same rules.

    Parameters
    ----------
    old, new
        Their names, such as ``UseAfter``.
    level
        How deep they stand, from zero.
    rules
        How many rules are below them.
    old_span, new_span
        The first key in the first of them.
    """

    old: str
    new: str
    level: int
    rules: int
    old_span: Span
    new_span: Span


class RuleTable(NamedTuple):
    """The rules of a mapping that count by the meaning of their keys, and those that do not.

    Parameters
    ----------
    rows
        Of doubled keys the last one, with all that is below it.
    hidden
        The others.
    """

    rows: dict[Hashable, RuleRow]
    hidden: tuple[RuleRow, ...]


def rule_table(selector: Value) -> RuleTable:
    """Rules of a selector."""
    known: dict[Span, tuple[str, ...]] = {}
    found = [(row, _path(row, known)) for row in rows(selector, empty=True)]
    last: dict[Path, Span] = {}
    for row, path in found:
        for depth, step in enumerate(row.steps, 1):
            last[path[:depth]] = step.span
    kept: dict[Hashable, RuleRow] = {}
    hidden = []
    for row, path in found:
        if all(last[path[:depth]] == step.span for depth, step in enumerate(row.steps, 1)):
            kept[path] = row
        else:
            hidden.append(row)
    return RuleTable(kept, tuple(hidden))


def row_path(row: RuleRow) -> Path:
    """The keys of a row by their meaning."""
    return tuple(map(key_meaning, row.steps))


def _path(row: RuleRow, known: dict[Span, tuple[str, ...]]) -> Path:
    """The same, with every key looked at only once for all the rows below it."""
    for step in row.steps:
        if step.span not in known:
            known[step.span] = key_meaning(step)
    return tuple(known[step.span] for step in row.steps)


def rule_changes(old: Mapping[Key, RuleRow], new: Mapping[Key, RuleRow]) -> tuple[RuleChange, ...]:
    """Changes between rules that are the same if their identities are, in the order of keys."""
    replaced = [
        RuleChange("replaced", row, new[key])
        for key, row in old.items()
        if key in new and file_meaning(row.file) != file_meaning(new[key].file)
    ]
    removed = [row for key, row in old.items() if key not in new]
    added = [row for key, row in new.items() if key not in old]
    moved = tuple(_moves(removed, added))
    gone, come = {id(change.old) for change in moved}, {id(change.new) for change in moved}
    found = [
        *replaced,
        *moved,
        *(RuleChange("removed", row, None) for row in removed if id(row) not in gone),
        *(RuleChange("added", None, row) for row in added if id(row) not in come),
    ]
    return tuple(sorted(found, key=_order))


def selector_changes(pairs: Iterable[tuple[RuleRow, RuleRow]]) -> tuple[SelectorChange, ...]:
    """Selectors of another name on the way to rules that are in both mappings."""
    found: dict[tuple[int, str, str], SelectorChange] = {}
    for old, new in pairs:
        for level, before, after in _facing(old.steps, new.steps):
            if before.selector == after.selector:
                continue
            key = (level, before.selector, after.selector)
            first = found.get(key) or SelectorChange(
                before.selector, after.selector, level, 0, before.span, after.span
            )
            found[key] = first._replace(rules=first.rules + 1)
    return tuple(found[key] for key in sorted(found))


def _facing(old: Sequence[Step], new: Sequence[Step]) -> Iterator[tuple[int, Step, Step]]:
    """Steps of two rows that answer each other: all of them, or the innermost if there are more in one."""
    if len(old) == len(new):
        yield from ((level, *pair) for level, pair in enumerate(zip(old, new, strict=True)))
    elif old and new:
        yield len(new) - 1, old[-1], new[-1]


def _moves(removed: Sequence[RuleRow], added: Sequence[RuleRow]) -> Iterator[RuleChange]:
    before, after = _single(removed), _single(added)
    for file, row in before.items():
        other = after.get(file)
        if row is not None and other is not None and not is_word(file):
            yield RuleChange("moved", row, other)


def _single(changed: Iterable[RuleRow]) -> dict[str, RuleRow | None]:
    """Rows by file; None for a file that several have."""
    found: dict[str, RuleRow | None] = {}
    for row in changed:
        file = file_meaning(row.file)
        found[file] = None if file in found else row
    return found


def _order(change: RuleChange) -> tuple[Path, str, int]:
    row = change.new or change.old
    assert row is not None
    return row_path(row), change.kind, row.span.start
