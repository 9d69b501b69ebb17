"""Changed mappings as new files of a cache: next serial numbers, up to the context."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.diagnostics import TextEdit
from calmap.edit.application import checksummed, edited, parsed
from calmap.edit.entries import Edits, insert_entry, manner_of, quote_of
from calmap.edit.header import set_header
from calmap.edit.literals import quoted
from calmap.errors import CacheError, MappingError
from calmap.model.mapping import Mapping as MappingText
from calmap.model.names import mapping_kind
from calmap.syntax.ast import Entry, MappingFile, MappingKind, String, Table

_SERIES = re.compile(r"(?P<stem>.+?)(?:_(?P<serial>\d{4}))?(?P<extension>\.[pir]map)")
LAST_SERIAL = 9999


@dataclass(frozen=True, slots=True)
class MappingChange:
    """A mapping as it was and as it is to be.

    Parameters
    ----------
    old
        What it derives from, or None.
    new
        The new text, with the path where it is to stand.
    """

    old: MappingText | None
    new: MappingText

    @property
    def in_place(self) -> bool:
        """True if an existing file gets a new text."""
        return self.old is not None and self.old.path == self.new.path


@dataclass(frozen=True, slots=True)
class Revision:
    """The mappings that make a change of rules known to a context.

    Parameters
    ----------
    context
        Name of the context that has the change.
    changes
        Reference mappings first, the context last.
    """

    context: str
    changes: tuple[MappingChange, ...]

    def of(self, name: str) -> MappingChange:
        """The change of the mapping that had a name.

        Raises
        ------
        KeyError
            If it is not changed.
        """
        found = [change for change in self.changes if change.old is not None and change.old.name == name]
        if not found:
            raise KeyError(name)
        return found[0]


@dataclass(frozen=True, slots=True)
class NewType:
    """A reference mapping for a type that an instrument has no rules for yet."""

    instrument: str
    reftype: str
    mapping: MappingText


def revise(
    rules: Rules,
    context: str,
    changed: Mapping[str, MappingText],
    *,
    added: Iterable[NewType] = (),
    in_place: bool = False,
) -> Revision:
    """Name and record changed mappings, and change those above them, so that a context has the change.

    Parameters
    ----------
    rules
        The mappings of the cache.
    context
        A pmap, imap or rmap that leads to the mappings changed.
    changed
        New texts by the names of the mappings they derive from.
    added
        Mappings of new types, for imaps to name.
    in_place
        Keep the names, so that only the mappings themselves change; with `added` the imaps too.

    Raises
    ------
    MappingError
        If the context does not lead to one of the mappings, or the text of one can't be changed.
    CacheError
        If a series has no serial number left.
    """
    work = _Work(rules, dict(changed), tuple(added), in_place)
    name = work.visit(context)
    lost = sorted(changed.keys() - work.done.keys())
    if lost:
        raise MappingError(f"{context} does not lead to {lost[0]}", "choose another context with --context")
    return Revision(name, tuple(work.changes))


def next_name(name: str, taken: Iterable[str]) -> str:
    """The name after the highest serial number of a series.

    Examples
    --------
    >>> next_name("ligeriri_iris_flat_0001.rmap", ["ligeriri_iris_flat_0004.rmap"])
    'ligeriri_iris_flat_0005.rmap'

    Raises
    ------
    CacheError
        If there is none left.
    """
    series = _series(name)
    serials = [
        serial
        for other in {name, *taken}
        for stem, serial, end in [_series(other)]
        if (stem, end) == series[::2]
    ]
    number = max(serials) + 1
    if number > LAST_SERIAL:
        message = f"the series of {name} has reached {LAST_SERIAL}, the last serial number there is"
        raise CacheError(message, "start another series by giving the mapping another name")
    return f"{series[0]}_{number:04d}{series[2]}"


def _series(name: str) -> tuple[str, int, str]:
    match = _SERIES.fullmatch(name)
    if match is None:
        return name, 0, ""
    return match["stem"], int(match["serial"] or 0), match["extension"]


class _Work:
    """One walk through a context."""

    def __init__(
        self, rules: Rules, changed: dict[str, MappingText], added: tuple[NewType, ...], in_place: bool
    ) -> None:
        self.rules = rules
        self.changed = changed
        self.added = added
        self.in_place = in_place
        self.instruments = {item.instrument.lower() for item in added}
        self.done: dict[str, str] = {}
        self.changes: list[MappingChange] = []
        self.taken = {path.name for path in rules.layout.mapping_files(rules.observatory.name)}

    def visit(self, name: str) -> str:
        """The name of a mapping after the change, which is made with all below it."""
        if name not in self.done:
            self.done[name] = name
            if mapping_kind(name) is not MappingKind.REFERENCE:
                self.done[name] = self._linked(name)
            elif name in self.changed:
                self.done[name] = self._recorded(self.rules.mapping(name), self.changed[name])
        return self.done[name]

    def _linked(self, name: str) -> str:
        """Change the names in a pmap or an imap, if any below it changed."""
        file, old = self.rules.file(name), self.rules.mapping(name)
        edits: list[TextEdit] = []
        table = file.selector
        if not isinstance(table, Table):
            raise MappingError(f"{name} is not a table of mappings", "calmap check tells more")
        for entry in table.entries:
            if isinstance(entry.value, String) and mapping_kind(entry.value.value) is not None:
                target = self.visit(entry.value.value) if self._concerns(entry) else entry.value.value
                if target != entry.value.value:
                    edits.append(
                        TextEdit(entry.value.span, quoted(target, quote_of(file.source, entry.value)))
                    )
        edits += self._new_links(file, table)
        new = self.changed.get(name, old)
        if not edits and new is old:
            return name
        return self._recorded(old, edited(new, edits))

    def _concerns(self, entry: Entry) -> bool:
        """Whether what an entry leads to may change: no, if it is an imap without a word of what does."""
        name = getattr(entry.value, "value", "")
        if mapping_kind(name) is not MappingKind.INSTRUMENT or name in self.changed:
            return True
        if isinstance(entry.key, String) and entry.key.value.lower() in self.instruments:
            return True
        path = self.rules.layout.find_mapping(name, self.rules.observatory.name)
        if path is None:
            return False
        text = path.read_text("utf-8", errors="replace")
        return any(changed in text for changed in self.changed)

    def _new_links(self, file: MappingFile, table: Table) -> Iterable[TextEdit]:
        if file.kind is not MappingKind.INSTRUMENT:
            return
        for item in self.added:
            if item.instrument.lower() == _header_word(file, "instrument"):
                yield from link(file, table, item.reftype, item.mapping.name)
                self.changes.append(MappingChange(None, checksummed(item.mapping)))

    def _recorded(self, old: MappingText, new: MappingText) -> str:
        """Give a changed mapping its name and checksum; the name."""
        if self.in_place:
            self.changes.append(MappingChange(old, checksummed(replace(new, path=old.path))))
            return old.name
        name = next_name(old.name, self.taken)
        self.taken.add(name)
        self.changes.append(MappingChange(old, renamed(new, old.path.with_name(name), old.name)))
        return name


def renamed(mapping: MappingText, path: Path, derived_from: str) -> MappingText:
    """A mapping under another name, which its header records with the name it derives from and the checksum.

    Raises
    ------
    MappingError
        If its text can't be understood.
    """
    file = parsed(mapping)
    edits = (*set_header(file, "name", path.name), *set_header(file, "derived_from", derived_from))
    return checksummed(mapping, edits, path)


def link(file: MappingFile, table: Table, key: str, target: str) -> Edits:
    """Edits that make a pmap or an imap name a mapping under a key, in capitals where others are."""
    found = [entry for entry in table.entries if _is_named(entry, key)]
    if found:
        value = found[-1].value
        return (TextEdit(value.span, quoted(target, quote_of(file.source, value))),)
    keys = [entry.key.value for entry in table.entries if isinstance(entry.key, String)]
    word = key.lower() if any(name.islower() for name in keys) else key.upper()
    index = next((i for i, name in enumerate(keys) if name > word), len(table.entries))
    index = index if keys == sorted(keys) and len(keys) == len(table.entries) else len(table.entries)
    neighbour = table.entries[max(index - 1, 0)] if table.entries else None
    manner = manner_of(file.source, table, neighbour)
    text = f"{quoted(word, manner.quote)}{manner.colon}{quoted(target, manner.quote)}"
    return insert_entry(file.source, table, index, text)


def _is_named(entry: Entry, key: str) -> bool:
    return isinstance(entry.key, String) and entry.key.value.lower() == key.lower()


def _header_word(file: MappingFile, key: str) -> str:
    for entry in reversed(file.header.entries):
        if isinstance(entry.key, String) and entry.key.value == key and isinstance(entry.value, String):
            return entry.value.value.lower()
    return ""
