"""Mappings that have no rules yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from calmap.edit.application import checksummed, edited, parsed
from calmap.edit.header import delete_header, set_header
from calmap.edit.literals import literal, quoted
from calmap.model.mapping import Mapping as MappingText
from calmap.model.mapping import parse_mapping
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import MappingFile, Plain, String, header_text

ORIGIN = "NONE"
"""What `derived_from` says of a mapping that is the first of its series."""


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """By what rules select.

    Parameters
    ----------
    selectors
        Selectors of the levels, outermost first.
    parkey
        Keywords of each level.
    """

    selectors: tuple[str, ...]
    parkey: tuple[tuple[str, ...], ...]

    @property
    def keywords(self) -> tuple[str, ...]:
        """All keywords."""
        return tuple(keyword for level in self.parkey for keyword in level)


def empty_context(
    path: Path, observatory: str, keyword: str, links: Mapping[str, str], **header: Plain
) -> MappingText:
    """A pmap.

    Parameters
    ----------
    path
        Where it is to stand.
    observatory
        The telescope.
    keyword
        Keyword that names the instrument.
    links
        Imaps by instrument.
    header
        What else its header says.
    """
    entries = {**header, "mapping": "PIPELINE", "observatory": observatory.upper(), "parkey": (keyword,)}
    return _mapping(path, entries, _table(links))


def empty_instrument(path: Path, observatory: str, instrument: str, links: Mapping[str, str]) -> MappingText:
    """An imap; `links` has its rmaps by type."""
    entries: dict[str, Plain] = {
        "instrument": instrument,
        "mapping": "INSTRUMENT",
        "observatory": observatory.upper(),
        "parkey": ("REFTYPE",),
    }
    return _mapping(path, entries, _table(links))


def empty_rules(path: Path, observatory: str, instrument: str, reftype: str, terms: RuleTerms) -> MappingText:
    """An rmap without rules."""
    entries: dict[str, Plain] = {
        "classes": terms.selectors,
        "filekind": reftype.upper(),
        "instrument": instrument,
        "mapping": "REFERENCE",
        "observatory": observatory.upper(),
        "parkey": terms.parkey,
    }
    return _mapping(path, entries, f"{terms.selectors[0]}({{\n}})")


def rules_like(model: MappingText, path: Path, instrument: str, reftype: str) -> MappingText:
    """An rmap without rules whose header says what that of another one says, but for its names.

    Raises
    ------
    MappingError
        If the other one can't be understood.
    """
    file = parsed(model)
    header = model.text[file.header.start : file.header.end]
    text = f"header = {header}\n\nselector = {selector_of(file)}({{\n}})\n"
    new = parse_mapping(path, text.replace("\r\n", "\n").encode("utf-8"))
    values = {
        "derived_from": ORIGIN,
        "filekind": reftype.upper(),
        "instrument": instrument,
        "name": path.name,
    }
    for key, value in values.items():
        new = edited(new, set_header(parsed(new), key, value))
    if header_text(parsed(new).header, "sha1sum") is None:
        new = edited(new, set_header(parsed(new), "sha1sum", ""))
    for key in _notes(parsed(new)):
        new = edited(new, delete_header(parsed(new), key))
    return checksummed(new)


def selector_of(file: MappingFile) -> str:
    """Name of the outermost selector of an rmap."""
    return getattr(file.selector, "name", "Match")


def instrument_keyword(observatory: Observatory) -> str:
    """The keyword that names the instrument in rules: one of the telescope's definition, if there is one."""
    names = observatory.instrument_keywords
    return next((name for name in names if name in observatory.keywords), names[0])


def first_name(*parts: str, kind: str) -> str:
    """The name that the first mapping of a series would follow, for `next_name`."""
    return f"{'_'.join(part.lower() for part in parts)}_0000.{kind}"


def _notes(file: MappingFile) -> tuple[str, ...]:
    """Keys of a header that tell how its rules came to be; they are not those of another mapping."""
    return tuple(
        entry.key.value
        for entry in file.header.entries
        if isinstance(entry.key, String) and entry.key.value in ("description", "text_descr")
    )


def _mapping(path: Path, entries: Mapping[str, Plain], body: str) -> MappingText:
    """Lay out a mapping, its header in alphabetical order."""
    header: dict[str, Plain] = {**entries, "derived_from": ORIGIN, "name": path.name, "sha1sum": ""}
    lines = "".join(f"    {quoted(key)} : {literal(value)},\n" for key, value in sorted(header.items()))
    text = f"header = {{\n{lines}}}\n\nselector = {body}\n"
    return checksummed(parse_mapping(path, text.encode("utf-8")))


def _table(links: Mapping[str, str]) -> str:
    lines = "".join(f"    {quoted(key)} : {quoted(name)},\n" for key, name in sorted(links.items()))
    return f"{{\n{lines}}}"
