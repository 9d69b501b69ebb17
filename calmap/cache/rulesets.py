"""Mappings of a cache, loaded and compiled when they are first needed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from calmap.cache.compiled import NO_STORE, CompiledStore, entry_key
from calmap.cache.layout import Layout
from calmap.cache.remote.trouble import DamagedError, UnreachableError
from calmap.compile.packed import (
    Packed,
    PackedError,
    PackedLink,
    PackedLinks,
    PackedReference,
    decode,
    decode_observatory,
    encode,
    encode_observatory,
)
from calmap.compile.reference import CompiledReference, open_reference, pack_reference
from calmap.compile.terms import check_names, header_data
from calmap.errors import CalmapError, MappingError
from calmap.model.names import is_na, is_omit
from calmap.observatories.definition import Observatory
from calmap.observatories.library import parse_definition
from calmap.source import Source
from calmap.syntax.ast import Entry, MappingFile, MappingKind, String, Table

if TYPE_CHECKING:
    from calmap.model.mapping import Mapping

SomePacked = TypeVar("SomePacked", PackedLinks, PackedReference)


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a pmap or an imap.

    Parameters
    ----------
    key
        Instrument or reference type, in lower case.
    target
        The mapping it leads to, or N/A or OMIT.
    line
        Where it stands.
    """

    key: str
    target: str
    line: int

    @property
    def is_na(self) -> bool:
        """True if the entry says that nothing applies."""
        return is_na(self.target)

    @property
    def is_omit(self) -> bool:
        """True if the entry says to leave the type out."""
        return is_omit(self.target)


@dataclass(frozen=True, slots=True)
class Links:
    """The table of a pmap or an imap.

    Parameters
    ----------
    name
        File name.
    parkey
        The keywords that choose an entry.
    links
        The entries by instrument or type.
    """

    name: str
    parkey: tuple[str, ...]
    links: MappingType[str, Link]
    _path: str
    _instrument: str

    @property
    def instrument(self) -> str:
        """The instrument of an imap, in lower case.

        Raises
        ------
        MappingError
            If its header names none.
        """
        if not self._instrument:
            raise MappingError(f"{self._path}: the header lacks 'instrument'", "calmap check tells more")
        return self._instrument


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """All mappings of a cache for one telescope.

    What was loaded once is kept; the files of a mapping never change their
    meaning, as a new one gets a new serial number.

    Parameters
    ----------
    layout
        Where the files are.
    observatory
        The telescope.
    store
        Where compiled mappings are kept from one run to the next.
    """

    layout: Layout
    observatory: Observatory
    store: CompiledStore = NO_STORE
    _mappings: dict[str, Mapping] = field(default_factory=dict, repr=False, compare=False)
    _references: dict[str, CompiledReference | CalmapError] = field(
        default_factory=dict, repr=False, compare=False
    )
    _links: dict[str, Links] = field(default_factory=dict, repr=False, compare=False)

    def mapping(self, name: str) -> Mapping:
        """A mapping by file name.

        Raises
        ------
        NotInCacheError, CacheError
            If it isn't there or can't be read.
        """
        if name not in self._mappings:
            from calmap.model.mapping import parse_mapping

            self._mappings[name] = parse_mapping(*self.layout.read_mapping(name, self.observatory.name))
        return self._mappings[name]

    def file(self, name: str) -> MappingFile:
        """The parsed form of a mapping.

        Raises
        ------
        MappingError
            If it can't be understood.
        """
        return _understood(self.mapping(name))

    def links(self, name: str) -> Links:
        """The table of a pmap or an imap.

        Raises
        ------
        MappingError
            If it holds anything but names of mappings, N/A and OMIT.
        """
        if name not in self._links:
            path, data = self.layout.read_mapping(name, self.observatory.name)
            packed = self._packed(path, data, PackedLinks)
            links = {link.key: Link(link.key, link.target, link.line) for link in packed.links}
            self._links[name] = Links(
                name, packed.parkey, MappingProxyType(links), str(path), packed.instrument
            )
        return self._links[name]

    def reference(self, name: str) -> CompiledReference:
        """A reference mapping, compiled.

        Raises
        ------
        MappingError, CacheError
            If it isn't there or can't be compiled. What may go better the next time,
            as the trouble of a cache that is elsewhere, is not remembered.
        """
        if name not in self._references:
            try:
                with _growing():
                    self._references[name] = self._reference(name)
            except (DamagedError, UnreachableError):
                raise
            except CalmapError as problem:
                self._references[name] = problem
        found = self._references[name]
        if isinstance(found, CalmapError):
            raise found
        return found

    def _reference(self, name: str) -> CompiledReference:
        path, data = self.layout.read_mapping(name, self.observatory.name)
        packed = self._packed(path, data, PackedReference)
        source = Source(str(path), data.decode("utf-8", "replace"))
        try:
            return open_reference(source, packed)
        except PackedError:
            return open_reference(source, self._of_kind(path, self._fresh(path, data), PackedReference))

    def packed(self, path: Path, data: bytes) -> Packed:
        """The packed form of a mapping's text, from the store if it is there.

        Raises
        ------
        MappingError
            If it can't be compiled.
        """
        key = mapping_key(data, self.observatory)
        body = self.layout.compiled(path, key) or self.store.get(key)
        if body is not None:
            with suppress(PackedError):
                return decode(body)
        return self._fresh(path, data)

    def _packed(self, path: Path, data: bytes, kind: type[SomePacked]) -> SomePacked:
        return self._of_kind(path, self.packed(path, data), kind)

    def _of_kind(self, path: Path, packed: Packed, kind: type[SomePacked]) -> SomePacked:
        if not isinstance(packed, kind):
            what = "a table of mappings" if kind is PackedLinks else "a reference mapping"
            raise MappingError(f"{path.name} is not {what}", "calmap check tells more")
        return packed

    def _fresh(self, path: Path, data: bytes) -> Packed:
        """The packed form of a mapping, made now."""
        packed = pack_mapping(path, data, self.observatory)
        self.store.put(mapping_key(data, self.observatory), encode(packed))
        return packed


def open_rules(layout: Layout, observatory: str, store: CompiledStore = NO_STORE) -> Rules:
    """The mappings of a cache for a telescope, by its definition.

    Raises
    ------
    ObservatoryError, MappingError
        If the definition is missing or wrong.
    """
    definition = telescope(layout, observatory, store)
    check_names(definition)
    return Rules(layout, definition, store)


def telescope(layout: Layout, name: str, store: CompiledStore = NO_STORE) -> Observatory:
    """The definition of a telescope, as the cache has it or as calmap brings it along.

    Raises
    ------
    ObservatoryError, CacheError
        If there is none, or it is wrong.
    """
    path, text = layout.read_definition(name)
    key = entry_key(text.encode(), "observatory", name.lower())
    body = store.get(key)
    if body is not None:
        with suppress(PackedError):
            return replace(decode_observatory(body), origin=str(path))
    found = parse_definition(text, name, path)
    store.put(key, encode_observatory(found))
    return found


def mapping_key(data: bytes, observatory: Observatory) -> str:
    """Name of a mapping's entry in a store: its text, and what its compiled form takes from the telescope."""
    return entry_key(data, *observatory.hooks, "", observatory.after_failure or "", *observatory.extra_keys)


def pack_mapping(path: Path, data: bytes, observatory: Observatory) -> Packed:
    """The packed form of a mapping's text.

    Raises
    ------
    MappingError
        If it can't be understood.
    """
    from calmap.model.mapping import parse_mapping

    file = _understood(parse_mapping(path, data))
    if file.kind is MappingKind.REFERENCE:
        return pack_reference(file, observatory)
    if not isinstance(file.selector, Table):
        raise MappingError(f"{path.name} is not a table of mappings", "calmap check tells more")
    header = header_data(file, ())
    parkey = header.get("parkey", ())
    keys = tuple(key for key in parkey if isinstance(key, str)) if isinstance(parkey, tuple) else ()
    links = tuple(_link(file, entry) for entry in file.selector.entries)
    return PackedLinks(str(header.get("instrument", "")).lower(), keys, links)


def _understood(mapping: Mapping) -> MappingFile:
    from calmap.model.lower import DOUBLED_SECTION

    refused = [finding for finding in mapping.diagnostics if finding.rule is not DOUBLED_SECTION]
    if mapping.file is None or refused:
        first = (refused or mapping.diagnostics)[0]
        line = first.source.position(first.span.start).line
        raise MappingError(f"{mapping.path}:{line}: {first.message}", "calmap check tells more")
    return mapping.file


@contextmanager
def _growing() -> Iterator[None]:
    """Let memory grow without looking for garbage: a mapping is many small objects that all stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _link(file: MappingFile, entry: Entry) -> PackedLink:
    line = file.source.position(entry.span.start).line
    if not isinstance(entry.key, String) or not isinstance(entry.value, String):
        message = "an instrument or type and the name of its mapping were expected"
        raise MappingError(f"{file.source.name}:{line}: {message}", "calmap check tells more")
    return PackedLink(entry.key.value.lower(), entry.value.value, line)
