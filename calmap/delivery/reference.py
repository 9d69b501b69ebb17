"""A reference file on its way into a cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.cache.store import file_digest, writing
from calmap.errors import FileChangedError, HeaderError, RefusedError
from calmap.headers.reading import read_header, require_whole
from calmap.model.names import is_na, is_omit, is_safe, mapping_kind
from calmap.observatories.definition import Observatory
from calmap.observatories.keywords import instrument_of
from calmap.observatories.reftypes import named_type, reftype_of
from calmap.syntax.ast import MappingKind, header_text


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference file and the rules that it belongs to.

    Parameters
    ----------
    path
        The file.
    header
        Its header.
    instrument, reftype
        In lower case.
    mapping
        Name of the rmap.
    sha256
        Hash of the file when its header was read.
    """

    path: Path
    header: Mapping[str, str]
    instrument: str
    reftype: str
    mapping: str
    sha256: str

    @property
    def name(self) -> str:
        """File name."""
        return self.path.name


def read_reference(path: Path, rules: Rules, context: str, reftype: str | None = None) -> Reference:
    """A reference file with the rmap of a context that it belongs to.

    Parameters
    ----------
    path
        The file.
    rules, context
        Where to look for the rmap.
    reftype
        The type, if the header's word for it is not to count.

    Raises
    ------
    HeaderError
        If the file can't be read, or does not say what it is.
    RefusedError
        If the context has no rules for it.
    """
    is_word = is_na(path.name) or is_omit(path.name) or mapping_kind(path.name) is not None
    if is_word or not is_safe(path.name):
        raise HeaderError(
            f"'{path.name}' can't be the name of a reference", "use letters, digits, '_' and '.'"
        )
    header, sha256 = _read(path)
    observatory = rules.observatory
    if mapping_kind(context) is MappingKind.REFERENCE:
        terms = rules.reference(context).terms
        _refuse_other_instrument(context, terms.instrument, observatory, header)
        named = reftype.lower() if reftype else named_type(observatory, terms.instrument, header)
        if named not in (None, terms.filekind):
            raise RefusedError(f"{context} is for the type {terms.filekind}, and the reference is a {named}")
        return Reference(path, header, terms.instrument, terms.filekind, context, sha256)
    imap, instrument = _imap(rules, context, header)
    links = rules.links(imap).links
    kind = reftype.lower() if reftype else reftype_of(observatory, instrument, header, links)
    if kind not in links or mapping_kind(links[kind].target) is not MappingKind.REFERENCE:
        state = f"says {links[kind].target}" if kind in links else "has no rules"
        advice = f"calmap new-mapping {instrument} {kind} makes them"
        raise RefusedError(f"{imap} {state} for the type {kind} of {path.name}", advice)
    return Reference(path, header, instrument, kind, links[kind].target, sha256)


def place_of(reference: Reference, rules: Rules) -> Path:
    """Where a reference is to stand in the cache.

    Raises
    ------
    RefusedError
        If another file of that name stands there.
    """
    folder = rules.layout.reference_folder(rules.observatory.name)
    place = folder.place(reference.name, reference.instrument)
    if place.exists() and file_digest(place) != reference.sha256:
        raise RefusedError(
            f"{place} is there already, with other content",
            "a reference never changes: give the new one another name",
        )
    return place


def _read(path: Path) -> tuple[dict[str, str], str]:
    """The header of a file and the hash of all of it.

    Raises
    ------
    HeaderError
        If it can't be read.
    FileChangedError
        If somebody writes to it meanwhile.
    """
    header = read_header(path)
    require_whole(path)
    with writing(path, "read"):
        before = path.stat()
        sha256 = file_digest(path) or ""
        again = path.stat()
    if (before.st_size, before.st_mtime_ns) != (again.st_size, again.st_mtime_ns) or read_header(
        path
    ) != header:
        raise FileChangedError(f"{path} changes while it is read", "wait until it is complete, and try again")
    return header, sha256


def _imap(rules: Rules, context: str, header: Mapping[str, str]) -> tuple[str, str]:
    """Name of the instrument mapping that a header belongs to, and the instrument."""
    if mapping_kind(context) is MappingKind.INSTRUMENT:
        wanted = (header_text(rules.file(context).header, "instrument") or "").lower()
        _refuse_other_instrument(context, wanted, rules.observatory, header)
        return context, wanted
    links = rules.links(context).links
    instrument = instrument_of(rules.observatory, header, links)
    target = links[instrument].target
    if mapping_kind(target) is not MappingKind.INSTRUMENT:
        raise RefusedError(f"{context} says {target} for {instrument}", "it has no rules for this instrument")
    return target, instrument


def _refuse_other_instrument(
    context: str, wanted: str, observatory: Observatory, header: Mapping[str, str]
) -> None:
    found = instrument_of(observatory, header, (*observatory.instruments, wanted))
    if found != wanted:
        raise RefusedError(f"{context} is for {wanted}, and the reference is of {found}")
