"""What contexts need: their mappings, and the reference files that these name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from calmap.archive.sync.items import Fate, Item, Kind, Outcome
from calmap.archive.sync.session import Session
from calmap.cache.occurrences import named
from calmap.cache.references import ReferenceFolder
from calmap.errors import UsageError
from calmap.model.mapping import Mapping as RuleFile
from calmap.model.mapping import load_mapping
from calmap.model.names import is_na, is_omit, is_safe, mapping_kind, mapping_name
from calmap.syntax.ast import MappingKind, header_text


class Need(NamedTuple):
    """A reference file that rules name."""

    observatory: str
    instrument: str
    name: str


@dataclass(frozen=True, slots=True)
class Closure:
    """Contexts with all mappings below them.

    Parameters
    ----------
    contexts
        Their names.
    outcomes
        What became of each mapping.
    needs
        Reference files that the rules name.
    problems
        Why something that is needed may be unknown though all mappings came.
    """

    contexts: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    needs: frozenset[Need]
    problems: tuple[str, ...]


def closure(session: Session, contexts: Sequence[str]) -> Closure:
    """Contexts with all mappings below them, fetched level by level.

    Parameters
    ----------
    contexts
        Names of mappings.

    Raises
    ------
    UsageError
        If one is no name of a mapping.
    """
    level = tuple(dict.fromkeys((name, telescope_of(name)) for name in contexts))
    known = set(level)
    outcomes: list[Outcome] = []
    needs: set[Need] = set()
    problems: list[str] = []
    while level:
        found: dict[tuple[str, str], None] = {}
        telescopes = dict(level)
        items = [session.mapping_item(name, telescope) for name, telescope in level]
        for outcome in session.each(items, session.attend):
            outcomes.append(outcome)
            telescope = telescopes[outcome.item.name]
            rules = _rules(session, outcome, telescope, problems)
            if rules is None:
                continue
            if rules.kind is MappingKind.REFERENCE:
                needs.update(_needs(rules, telescope))
            else:
                found.update(((name, telescope), None) for name in _below(rules))
        level = tuple(sorted(set(found) - known))
        known.update(level)
    ordered = sorted(outcomes, key=lambda outcome: outcome.item.name)
    return Closure(
        tuple(dict.fromkeys(contexts)),
        tuple(ordered),
        frozenset(needs),
        tuple(problems),
    )


def reference_items(session: Session, needs: Iterable[Need]) -> Iterator[Item]:
    """The reference files that are needed, each with where it is and where it is to be."""
    folders: dict[str, ReferenceFolder] = {}
    for need in needs:
        if need.observatory not in folders:
            folders[need.observatory] = session.reference_folder(need.observatory)
        target = folders[need.observatory].place(need.name, need.instrument)
        places = session.catalogue.reference_places(need.name, need.observatory, need.instrument)
        yield Item(Kind.REFERENCE, target, places)


def _rules(session: Session, outcome: Outcome, telescope: str, problems: list[str]) -> RuleFile | None:
    """A mapping to go on from, or None with the reason why that can't be done."""
    path = outcome.item.target
    if outcome.fate is Fate.MISSING:
        path = session.mirror.mapping_path(outcome.item.name, telescope)
    elif outcome.fate in (Fate.ABSENT, Fate.FAILED) or not path.is_file():
        return None
    rules = load_mapping(path)
    if rules.file is None:
        if outcome.fate is not Fate.DAMAGED:
            problems.append(f"{outcome.item.name} can't be understood: {rules.diagnostics[0].message}")
        return None
    return rules


def _below(rules: RuleFile) -> Iterator[str]:
    """Names of the mappings that a mapping leads to."""
    if rules.selector is not None:
        for name, _ in named(rules.selector):
            if is_safe(name) and mapping_kind(name):
                yield name


def _needs(rules: RuleFile, telescope: str) -> Iterator[Need]:
    """Names of the reference files that an rmap leads to."""
    if rules.selector is None or rules.file is None:
        return
    instrument = (header_text(rules.file.header, "instrument") or "").lower()
    if not is_safe(instrument):
        return
    for name, _ in named(rules.selector):
        if is_safe(name) and not is_na(name) and not is_omit(name):
            yield Need(telescope, instrument, name)


def telescope_of(name: str) -> str:
    """The telescope that a context is of.

    Raises
    ------
    UsageError
        If it is no name of a mapping.
    """
    parts = mapping_name(name)
    if parts is None or not is_safe(name):
        raise UsageError(f"'{name}' is not the name of a mapping", "such as hst_0729.pmap")
    return parts.observatory
