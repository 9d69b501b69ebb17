"""What differs between two mappings, by what they mean."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from calmap.compare.headers import BORING, HeaderChange, header_changes
from calmap.compare.parkeys import Parkey, ParkeyChange, identity_by_name, parkey, parkey_change
from calmap.compare.rows import RuleRow, rows
from calmap.compare.rules import (
    Kind,
    RuleChange,
    RuleTable,
    SelectorChange,
    rule_changes,
    rule_table,
    selector_changes,
)
from calmap.model.names import NA_VALUES, OMIT_VALUES
from calmap.source import Source, Span
from calmap.syntax.ast import MappingFile, MappingKind, SelectorCall, Table, header_text

_SHOWN_LINES = 5


class LinkChange(NamedTuple):
    """An entry of a pmap or an imap that changed.

    Parameters
    ----------
    key
        Instrument or reference type, in lower case.
    old, new
        What it led to and leads to: a mapping, N/A or OMIT.
    old_span, new_span
        Where the entry stands.
    """

    key: str
    old: str | None
    new: str | None
    old_span: Span | None
    new_span: Span | None

    @property
    def kind(self) -> Kind:
        """``added``, ``removed`` or ``replaced``."""
        return "added" if self.old is None else "removed" if self.new is None else "replaced"


@dataclass(frozen=True, slots=True)
class MappingDifference:
    """What differs between two mappings.

    Parameters
    ----------
    old, new
        The mappings.
    header
        Changed values of the header, but those of `boring`.
    boring
        Changes of ``name``, ``derived_from`` and ``sha1sum``.
    parkey
        How the parameters changed, if they did.
    selectors
        Selectors that became others.
    rules
        Changed rules of an rmap.
    links
        Changed entries of a pmap or an imap.
    notes
        What else is to be known of the comparison, as sentences.
    """

    old: MappingFile
    new: MappingFile
    header: tuple[HeaderChange, ...] = ()
    boring: tuple[HeaderChange, ...] = ()
    parkey: ParkeyChange | None = None
    selectors: tuple[SelectorChange, ...] = ()
    rules: tuple[RuleChange, ...] = ()
    links: tuple[LinkChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name_old(self) -> str:
        """File name of the old mapping."""
        return _name(self.old.source)

    @property
    def name_new(self) -> str:
        """File name of the new mapping."""
        return _name(self.new.source)

    @property
    def is_empty(self) -> bool:
        """True if both mean the same, whatever their texts and names are."""
        return not (self.header or self.selectors or self.rules or self.links)

    @property
    def same_text(self) -> bool:
        """True if their texts are the same too."""
        return self.old.source.text == self.new.source.text

    @property
    def parkeys(self) -> tuple[Parkey, Parkey]:
        """The parameters of the old mapping and of the new one."""
        return parkey(self.old), parkey(self.new)

    def count(self, kind: Kind) -> int:
        """How many rules, or entries of a pmap or imap, changed in a way."""
        changes: tuple[RuleChange | LinkChange, ...] = (*self.rules, *self.links)
        return sum(change.kind == kind for change in changes)


def difference(old: MappingFile, new: MappingFile) -> MappingDifference:
    """What differs between two mappings.

    Rules are compared by their keys: values conditioned, or-globs sorted, dates in
    one form. Where the parkey changed, they are compared parameter by parameter.
    """
    if old.source.text == new.source.text and old.kind is new.kind:
        return MappingDifference(old, new)
    changes = tuple(header_changes(old.header, new.header))
    header = tuple(change for change in changes if change.path[0] not in BORING)
    boring = tuple(change for change in changes if change.path[0] in BORING)
    found = partial(MappingDifference, old, new, header, boring)
    if old.kind is not MappingKind.REFERENCE and isinstance(old.selector, Table):
        return found(links=_link_changes(old.selector, new.selector))
    tables = rule_table(old.selector), rule_table(new.selector)
    kept = tuple(tuple(table.rows.values()) for table in tables)
    change = parkey_change(parkey(old), parkey(new), *kept)
    before, after = _identified(*tables, change)
    pairs = ((row, after[key]) for key, row in before.items() if key in after)
    selectors = selector_changes(pairs) or _root_change(old, new)
    rules = rule_changes(before, after)
    return found(
        parkey=change,
        selectors=selectors,
        rules=rules,
        notes=(*_strangers(old, new), *_hidden(old, new, tables)),
    )


def rule_count(file: MappingFile) -> int:
    """How many rules, or entries, a mapping has."""
    return sum(1 for _ in rows(file.selector))


def _identified(
    old: RuleTable, new: RuleTable, change: ParkeyChange | None
) -> tuple[Mapping[Hashable, RuleRow], Mapping[Hashable, RuleRow]]:
    """Rules by what makes them the same in both mappings."""
    if change is None:
        return old.rows, new.rows
    gone, come = frozenset(change.removed), frozenset(change.added)
    return (
        {identity_by_name(row, change.old, change.renamed, gone): row for row in old.rows.values()},
        {identity_by_name(row, change.new, {}, come): row for row in new.rows.values()},
    )


def _root_change(old: MappingFile, new: MappingFile) -> tuple[SelectorChange, ...]:
    """The outermost selector's change, where no rule is in both mappings."""
    one, other = old.selector, new.selector
    before, after = (part.name if isinstance(part, SelectorCall) else "" for part in (one, other))
    return () if before == after else (SelectorChange(before, after, 0, 0, one.span, other.span),)


def _link_changes(old: Table, new: Table | SelectorCall) -> tuple[LinkChange, ...]:
    before, after = _links(old), _links(new)
    found = []
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if one is None or other is None or _target(one.file) != _target(other.file):
            spans = (row and row.span for row in (one, other))
            found.append(LinkChange(key, one and one.file, other and other.file, *spans))
    return tuple(found)


def _links(selector: Table | SelectorCall) -> dict[str, RuleRow]:
    return {row.steps[0].key[0].lower(): row for row in rows(selector) if row.steps and row.steps[0].key}


def _target(name: str) -> str:
    return name.upper() if name.upper() in NA_VALUES | OMIT_VALUES else name


def _strangers(old: MappingFile, new: MappingFile) -> Iterable[str]:
    """A note if the mappings are of different types."""
    for key in ("observatory", "instrument", "filekind"):
        one, other = (header_text(file.header, key) or "" for file in (old, new))
        if one.lower() != other.lower():
            yield f"the mappings are of different types: {key} '{one}' and '{other}'"


def _hidden(old: MappingFile, new: MappingFile, tables: tuple[RuleTable, RuleTable]) -> Iterable[str]:
    """Notes on rules without effect."""
    for file, table in zip((old, new), tables, strict=True):
        if not table.hidden:
            continue
        lines = [file.source.position(row.span.start).line for row in table.hidden]
        shown = ", ".join(map(str, lines[:_SHOWN_LINES])) + (", …" if len(lines) > _SHOWN_LINES else "")
        count = (
            f"{len(lines)} rules of {_name(file.source)} do"
            if len(lines) > 1
            else f"a rule of {_name(file.source)} does"
        )
        yield f"{count} not count, as a later one has the same key (line {shown})"


def _name(source: Source) -> str:
    return source.name.replace("\\", "/").rpartition("/")[2]
