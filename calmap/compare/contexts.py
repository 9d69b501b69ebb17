"""What differs between two mappings and all that is below them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from calmap.compare.difference import MappingDifference, difference, rule_count
from calmap.errors import CacheError, CalmapError, MappingError, NotInCacheError, UsageError
from calmap.model.lower import DOUBLED_SECTION
from calmap.model.mapping import parse_mapping
from calmap.model.names import is_na, is_omit, mapping_kind
from calmap.syntax.ast import MappingFile, MappingKind, String, Table

_DEPTHS = {MappingKind.PIPELINE: 0, MappingKind.INSTRUMENT: 1, MappingKind.REFERENCE: 2}


class Snapshot(Protocol):
    """The mappings of a cache at one moment."""

    def identity(self, name: str) -> Hashable | None:
        """What is the same only for files with the same content; None if there is no such mapping."""

    def read(self, name: str) -> bytes:
        """Bytes of a mapping."""

    def shown(self, name: str) -> str:
        """How the mapping is called in messages."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two mappings that were compared, or one that has no counterpart.

    Parameters
    ----------
    keys
        Instrument and reference type that lead to them; empty for the first two.
    old, new
        File names; None where there is no counterpart.
    difference
        What differs, if they could be compared.
    rules
        How many rules a mapping without counterpart has.
    note
        Why there is nothing to compare.
    problem
        What keeps them from being compared.
    """

    keys: tuple[str, ...]
    old: str | None
    new: str | None
    difference: MappingDifference | None = None
    rules: int = 0
    note: str = ""
    problem: CalmapError | None = None

    @property
    def is_different(self) -> bool:
        """True if they are known not to mean the same."""
        if self.difference is not None:
            return not self.difference.is_empty
        return self.problem is None


@dataclass(slots=True)
class Comparison:
    """One walk through two mappings and those below them.

    Parameters
    ----------
    old, new
        Where the mappings are.
    seen
        Names of the pairs that were looked at, the unchanged ones too.
    """

    old: Snapshot
    new: Snapshot
    seen: set[tuple[str | None, str | None]] = field(default_factory=set)

    def compare(self, old: str, new: str) -> Iterator[Compared]:
        """Differences between two mappings, then between those that they lead to.

        A mapping below that can't be read is told of, and does not stop the others.

        Raises
        ------
        UsageError
            If one is a .pmap, say, and the other an .rmap.
        NotInCacheError, CacheError, MappingError
            If one of the two can't be read.
        """
        kinds = mapping_kind(old), mapping_kind(new)
        if kinds[0] is not kinds[1]:
            hint = "compare mappings of one level"
            raise UsageError(f"{old} and {new} can't be compared: .{kinds[0]} and .{kinds[1]}", hint)
        for found in self._pair((), old, new):
            if not found.keys and found.problem:
                raise found.problem
            yield found

    def compare_alone(self, old: str, new: str) -> Iterator[Compared]:
        """Differences between two mappings themselves."""
        return self._pair((), old, new, deep=False)

    def _pair(self, keys: tuple[str, ...], old: str, new: str, *, deep: bool = True) -> Iterator[Compared]:
        if (old, new) in self.seen or (old == new and self.old == self.new):
            return
        self.seen.add((old, new))
        try:
            if self._are_one(old, new) and mapping_kind(old) is MappingKind.REFERENCE:
                return
            before = load(self.old, old)
            after = before if self._are_one(old, new) else load(self.new, new)
            found = difference(before, after)
        except NotInCacheError as missing:
            if not keys or old != new or self.old.identity(old) or self.new.identity(new):
                yield Compared(keys, old, new, note=missing.message, problem=None if keys else missing)
        except CalmapError as problem:
            yield Compared(keys, old, new, problem=problem)
        else:
            if not (found.is_empty and found.same_text):
                yield Compared(keys, old, new, found)
            if deep:
                yield from self._below(keys, before, after)

    def _are_one(self, old: str, new: str) -> bool:
        if old != new:
            return False
        identity = self.old.identity(old)
        return identity is not None and identity == self.new.identity(new)

    def _below(self, keys: tuple[str, ...], old: MappingFile, new: MappingFile) -> Iterator[Compared]:
        before, after = _targets(old), _targets(new)
        for key in sorted({*before, *after}):
            one, other = before.get(key), after.get(key)
            if one and other:
                yield from self._pair((*keys, key), one, other)
            elif one:
                self.seen.add((one, None))
                yield from _alone((*keys, key), one, None, self.old)
            elif other:
                self.seen.add((None, other))
                yield from _alone((*keys, key), None, other, self.new)


def load(snapshot: Snapshot, name: str) -> MappingFile:
    """A mapping of a snapshot, parsed.

    Raises
    ------
    NotInCacheError, CacheError
        If it can't be read.
    MappingError
        If it can't be understood.
    """
    mapping = parse_mapping(Path(snapshot.shown(name)), snapshot.read(name))
    refused = [finding for finding in mapping.diagnostics if finding.rule is not DOUBLED_SECTION]
    if mapping.file is None or refused:
        first = (refused or mapping.diagnostics)[0]
        line = first.source.position(first.span.start).line
        raise MappingError(f"{snapshot.shown(name)}:{line}: {first.message}", "calmap check tells more")
    return mapping.file


def _alone(keys: tuple[str, ...], old: str | None, new: str | None, snapshot: Snapshot) -> Iterator[Compared]:
    """A mapping that only one of the two leads to, with the number of its rules."""
    name = old or new or ""
    try:
        count = rule_count(load(snapshot, name))
    except CacheError as problem:
        yield Compared(keys, old, new, note=problem.message)
    else:
        yield Compared(keys, old, new, rules=count)


def _targets(file: MappingFile) -> dict[str, str]:
    """The mappings of a lower level that a pmap or an imap leads to."""
    found: dict[str, str] = {}
    depth = _DEPTHS[file.kind]
    if file.kind is MappingKind.REFERENCE or not isinstance(file.selector, Table):
        return found
    for entry in file.selector.entries:
        if not isinstance(entry.key, String) or not isinstance(entry.value, String):
            continue
        name = entry.value.value
        kind = mapping_kind(name)
        found.pop(entry.key.value.lower(), None)
        if kind and _DEPTHS[kind] > depth and not (is_na(name) or is_omit(name)):
            found[entry.key.value.lower()] = name
    return found


def closure(snapshot: Snapshot, name: str) -> Iterator[str]:
    """A mapping and all below it that are there, each once; one that can't be understood leads nowhere."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in seen or snapshot.identity(current) is None:
            continue
        seen.add(current)
        yield current
        if mapping_kind(current) is MappingKind.REFERENCE:
            continue
        try:
            waiting += _targets(load(snapshot, current)).values()
        except CalmapError:
            continue
