"""Runs every check on a mapping, or on a context with everything below it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from calmap.checks import (
    between,
    checksums,
    duplicates,
    elements,
    expressions,
    header_keys,
    identity,
    nesting,
    ordered,
    overlaps,
    size,
    substitutions,
    suppressions,
    telescope,
    terminals,
    unreachable,
)
from calmap.checks.capping import capped
from calmap.checks.subject import subject
from calmap.checks.surroundings import NoSurroundings, Surroundings
from calmap.diagnostics import Diagnostic, registry
from calmap.errors import CacheError, NotInCacheError
from calmap.model import lower
from calmap.model.mapping import Mapping
from calmap.syntax import rules as syntax_rules

_MODULES = (
    *(header_keys, identity, expressions, substitutions, duplicates, nesting, size),
    *(terminals, ordered, elements, telescope, overlaps, unreachable, between, checksums),
)
RULES = registry(rule for module in (syntax_rules, lower, suppressions, *_MODULES) for rule in module.RULES)
"""Every rule by its code."""

MAX_MAPPINGS = 20_000
_ALONE = NoSurroundings()


def check_mapping(mapping: Mapping, surroundings: Surroundings = _ALONE) -> tuple[Diagnostic, ...]:
    """What is to be said of one mapping, in the order of its text.

    Of one rule there are no more than `MAX_FINDINGS`; the last of them says how many more there would be.

    Parameters
    ----------
    mapping
        The mapping; one that could not be parsed has only the findings that say why.
    surroundings
        Other mappings, reference files and the telescope, as far as they are known.
    """
    return capped(every_finding(mapping, surroundings))


def every_finding(mapping: Mapping, surroundings: Surroundings = _ALONE) -> Iterator[Diagnostic]:
    """As `check_mapping`, but without a limit and in no order."""
    return suppressions.unsuppressed(mapping.source, _found(mapping, surroundings), tuple(RULES.values()))


def _found(mapping: Mapping, surroundings: Surroundings) -> Iterator[Diagnostic]:
    yield from mapping.diagnostics
    if mapping.file is not None:
        examined = subject(mapping, mapping.file, surroundings)
        for module in _MODULES:
            for check in module.CHECKS:
                yield from check(examined)


def closure(names: Iterable[str], surroundings: Surroundings) -> Iterator[Mapping]:
    """The mappings named, and all mappings below them that exist; each once, whoever names it.

    Raises
    ------
    NotInCacheError
        If one of the mappings named does not exist.
    CacheError
        If there are too many of them.
    """
    waiting = deque((name, True) for name in names)
    seen: set[str] = set()
    while waiting:
        name, asked_for = waiting.popleft()
        if name in seen:
            continue
        if len(seen) >= MAX_MAPPINGS:
            raise CacheError(f"more than {MAX_MAPPINGS:,} mappings below one context")
        seen.add(name)
        mapping = surroundings.mapping(name)
        if mapping is None:
            if asked_for:
                raise NotInCacheError(f"the mapping '{name}' does not exist")
            continue
        yield mapping
        if mapping.file is not None:
            below = terminals.mappings_below(subject(mapping, mapping.file, surroundings))
            waiting.extend((item.value, False) for item in below)
