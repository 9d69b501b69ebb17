"""Edits made: the mapping that comes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from calmap.diagnostics import TextEdit, apply_edits
from calmap.errors import MappingError
from calmap.model.mapping import Mapping, parse_mapping
from calmap.model.recording import update_checksum
from calmap.syntax.ast import MappingFile


def edited(mapping: Mapping, edits: Iterable[TextEdit], path: Path | None = None) -> Mapping:
    """A mapping with its text changed, as it would be read again; nothing is written.

    Parameters
    ----------
    mapping
        The mapping.
    edits
        Changes that don't overlap.
    path
        Where the new text is to stand, if not in the same file.

    Raises
    ------
    MappingError
        If the new text would be no mapping.
    """
    text = apply_edits(mapping.text, edits)
    new = parse_mapping(path or mapping.path, text.encode("utf-8"))
    parsed(new)
    return new


def checksummed(mapping: Mapping, edits: Sequence[TextEdit] = (), path: Path | None = None) -> Mapping:
    """A mapping that records its right checksum, with its text changed as by `edited`.

    Raises
    ------
    MappingError
        If the new text would be no mapping.
    """
    edit = update_checksum(mapping, edits)
    all_edits = edits if edit is None else (*edits, edit)
    return edited(mapping, all_edits, path) if all_edits or path else mapping


def parsed(mapping: Mapping) -> MappingFile:
    """The AST of a mapping.

    Raises
    ------
    MappingError
        If it can't be understood.
    """
    if mapping.file is None:
        finding = mapping.diagnostics[0]
        line = finding.source.position(finding.span.start).line
        raise MappingError(f"{mapping.path}:{line}: {finding.message}", "calmap check tells more")
    return mapping.file
