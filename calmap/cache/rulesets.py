"""Mappings of a cache, loaded and compiled when they are first needed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from calmap.cache.layout import Layout
from calmap.compile.reference import CompiledReference, compile_reference
from calmap.compile.terms import check_names
from calmap.errors import CalmapError, MappingError
from calmap.model.lower import DOUBLED_SECTION
from calmap.model.mapping import Mapping, load_mapping
from calmap.model.names import is_na, is_omit
from calmap.observatories.definition import Observatory
from calmap.observatories.library import load_observatory
from calmap.syntax.ast import Entry, MappingFile, MappingKind, String, Table


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
    """The table of a pmap or an imap."""

    name: str
    file: MappingFile
    links: MappingType[str, Link]


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
    """

    layout: Layout
    observatory: Observatory
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
            self._mappings[name] = load_mapping(self.layout.mapping_path(name, self.observatory.name))
        return self._mappings[name]

    def file(self, name: str) -> MappingFile:
        """The parsed form of a mapping.

        Raises
        ------
        MappingError
            If it can't be understood.
        """
        mapping = self.mapping(name)
        refused = [finding for finding in mapping.diagnostics if finding.rule is not DOUBLED_SECTION]
        if mapping.file is None or refused:
            first = (refused or mapping.diagnostics)[0]
            line = first.source.position(first.span.start).line
            raise MappingError(f"{mapping.path}:{line}: {first.message}", "calmap check tells more")
        return mapping.file

    def links(self, name: str) -> Links:
        """The table of a pmap or an imap.

        Raises
        ------
        MappingError
            If it holds anything but names of mappings, N/A and OMIT.
        """
        if name not in self._links:
            file = self.file(name)
            if file.kind is MappingKind.REFERENCE or not isinstance(file.selector, Table):
                raise MappingError(f"{name} is not a table of mappings", "calmap check tells more")
            links = [_link(file, entry) for entry in file.selector.entries]
            self._links[name] = Links(name, file, MappingProxyType({link.key: link for link in links}))
        return self._links[name]

    def reference(self, name: str) -> CompiledReference:
        """A reference mapping, compiled.

        Raises
        ------
        MappingError, CacheError
            If it isn't there or can't be compiled.
        """
        if name not in self._references:
            try:
                with _growing():
                    self._references[name] = compile_reference(self.file(name), self.observatory)
            except CalmapError as problem:
                self._references[name] = problem
        found = self._references[name]
        if isinstance(found, CalmapError):
            raise found
        return found


def open_rules(layout: Layout, observatory: str) -> Rules:
    """The mappings of a cache for a telescope, by its definition.

    Raises
    ------
    ObservatoryError, MappingError
        If the definition is missing or wrong.
    """
    definition = load_observatory(observatory, layout.config)
    check_names(definition)
    return Rules(layout, definition)


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


def _link(file: MappingFile, entry: Entry) -> Link:
    line = file.source.position(entry.span.start).line
    if not isinstance(entry.key, String) or not isinstance(entry.value, String):
        message = "an instrument or type and the name of its mapping were expected"
        raise MappingError(f"{file.source.name}:{line}: {message}", "calmap check tells more")
    return Link(entry.key.value.lower(), entry.value.value, line)
