"""References taken out of the rules of a context: what comes of it, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.compare.rows import RuleRow, by_keyword, rows
from calmap.compile.terms import reference_terms
from calmap.delivery.outlook import Outlook, interval
from calmap.delivery.revision import Revision, revise
from calmap.edit.application import edited, parsed
from calmap.edit.deletion import delete
from calmap.errors import MappingError, NotInCacheError, RefusedError
from calmap.model.mapping import Mapping
from calmap.model.names import mapping_kind
from calmap.syntax.ast import MappingKind


@dataclass(frozen=True, slots=True)
class Deleted:
    """A rule that a reference was taken out of.

    Parameters
    ----------
    name
        The reference.
    mapping, line
        Where it stood.
    new_mapping
        The rmap without it.
    rule
        Keywords and values of the rule.
    outlook
        When it was chosen, and what its rule chooses before and after that.
    """

    name: str
    mapping: str
    line: int
    new_mapping: str
    rule: tuple[tuple[str, str], ...]
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """References that leave the rules of a context.

    Parameters
    ----------
    context
        The context they were in.
    revision
        The mappings that change.
    deleted
        Every rule that had one of them.
    """

    context: str
    revision: Revision
    deleted: tuple[Deleted, ...]


def plan_deletion(rules: Rules, context: str, names: Iterable[str], *, in_place: bool = False) -> Withdrawal:
    """What taking references out of all rules of a context comes to; nothing is written.

    Parameters
    ----------
    rules, context
        The mappings of the cache and the one to start from.
    names
        File names of the references.
    in_place
        Change the rmaps themselves in place of making new ones.

    Raises
    ------
    RefusedError
        If the context does not name one of them, or a rule has it among others.
    MappingError, CacheError
        If the context can't be used.
    """
    wanted = frozenset(Path(name).name for name in names)
    changed: dict[str, Mapping] = {}
    found: list[tuple[str, RuleRow]] = []
    for mapping in _holding(rules, context, wanted):
        here = frozenset(name for name in wanted if _names(mapping, name))
        try:
            deletion = delete(rules.file(mapping.name), here)
        except MappingError as problem:
            raise RefusedError(problem.message, problem.hint) from problem
        changed[mapping.name] = edited(mapping, deletion.edits)
        found += ((mapping.name, row) for row in deletion.removed)
    absent = sorted(wanted - {row.file for _, row in found})
    if absent:
        raise RefusedError(
            f"no rule of {context} leads to {absent[0]}", "calmap uses tells which mappings name a file"
        )
    revision = revise(rules, context, changed, in_place=in_place)
    return Withdrawal(context, revision, tuple(_told(found, revision, rules)))


def reference_mappings(rules: Rules, context: str) -> Iterator[str]:
    """Names of the rmaps that a context leads to, each once; mappings that are missing are passed over."""
    if mapping_kind(context) is MappingKind.REFERENCE:
        yield context
        return
    seen: set[str] = set()
    for link in rules.links(context).links.values():
        if mapping_kind(link.target) is None or link.target in seen:
            continue
        seen.add(link.target)
        try:
            yield from reference_mappings(rules, link.target)
        except NotInCacheError:
            continue


def _holding(rules: Rules, context: str, names: frozenset[str]) -> Iterator[Mapping]:
    for name in dict.fromkeys(reference_mappings(rules, context)):
        path = rules.layout.find_mapping(name, rules.observatory.name)
        if path is None:
            continue
        text = path.read_text("utf-8", errors="replace")
        if any(wanted in text for wanted in names):
            mapping = rules.mapping(name)
            if any(_names(mapping, wanted) for wanted in names):
                yield mapping


def _names(mapping: Mapping, name: str) -> bool:
    """True if a rule of a mapping leads to a file, alone or among others."""
    return any(row.file == name or repr(name) in row.file for row in rows(parsed(mapping).selector))


def _told(found: Iterable[tuple[str, RuleRow]], revision: Revision, rules: Rules) -> Iterator[Deleted]:
    parkeys: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name, row in found:
        file = rules.file(name)
        if name not in parkeys:
            parkeys[name] = reference_terms(file, rules.observatory).selector.parkey
        yield Deleted(
            row.file,
            name,
            file.source.position(row.span.start).line,
            revision.of(name).new.name,
            by_keyword(row, parkeys[name]),
            interval(file, rules.observatory, row),
        )
