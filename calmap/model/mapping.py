"""A mapping file with all that can be known about it by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calmap.diagnostics import Diagnostic
from calmap.errors import MappingError
from calmap.model.checksum import checksum
from calmap.model.lower import STRAY_KIND, lower
from calmap.model.names import mapping_kind
from calmap.model.text import MAX_BYTES, read_bytes
from calmap.source import Source, Span
from calmap.syntax.ast import MappingFile, MappingKind, SelectorCall, Table, header_text
from calmap.syntax.parser import parse
from calmap.syntax.rules import TOO_LARGE, UNREADABLE_TEXT


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping file as it was read.

    Parameters
    ----------
    path
        Where it was read from.
    source
        Its text, unchanged.
    file
        Its AST, or None if the text can't be understood.
    diagnostics
        What kept it from being understood, and slips in its sections.
        `calmap.checks` finds the rest.
    """

    path: Path
    source: Source
    file: MappingFile | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def name(self) -> str:
        """File name."""
        return self.path.name

    @property
    def text(self) -> str:
        """The text, byte for byte as in the file."""
        return self.source.text

    @property
    def kind(self) -> MappingKind | None:
        """Level of the mapping, by its extension."""
        return mapping_kind(self.name)

    @property
    def header(self) -> Table | None:
        """The header section."""
        return self.file.header if self.file else None

    @property
    def selector(self) -> Table | SelectorCall | None:
        """The selector section."""
        return self.file.selector if self.file else None

    @property
    def checksum(self) -> str:
        """SHA-1 that the header ought to record."""
        return checksum(self.text)

    @property
    def recorded_checksum(self) -> str | None:
        """SHA-1 that the header does record."""
        return header_text(self.file.header, "sha1sum") if self.file else None


def load_mapping(path: str | Path) -> Mapping:
    """Read and parse a mapping file.

    What is wrong with the text is in ``diagnostics``, never raised.

    Raises
    ------
    NotInCacheError
        If there is no such file.
    CacheError
        If the file can't be read.
    """
    path = Path(path)
    return parse_mapping(path, read_bytes(path))


def parse_mapping(path: Path, data: bytes) -> Mapping:
    """Parse the bytes of a mapping file that stands, or is to stand, at a path."""
    source, problem = decode(str(path), data)
    kind = mapping_kind(path.name)
    if problem is not None:
        return Mapping(path, source, None, (problem,))
    if kind is None:
        message = f"'{path.name}' has no extension of a mapping"
        stray = Diagnostic(STRAY_KIND, source, Span(0, 0), message, hint="name it .pmap, .imap or .rmap")
        return Mapping(path, source, None, (stray,))
    file, findings = lower(parse(source), kind)
    return Mapping(path, source, file, findings)


def parsed(source: Source) -> MappingFile:
    """What the text of a mapping says that was parsed before.

    Raises
    ------
    MappingError
        If it can't be understood.
    """
    kind = mapping_kind(source.name)
    file, findings = lower(parse(source), kind) if kind is not None else (None, ())
    if file is None:
        reason = findings[0].message if findings else "it is no mapping"
        raise MappingError(f"{source.name}: {reason}", "calmap check tells more")
    return file


def decode(name: str, data: bytes) -> tuple[Source, Diagnostic | None]:
    """Text of a file, or an empty text and the reason why there is none."""
    empty = Source(name, "")
    if len(data) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES:,} bytes"
        return empty, Diagnostic(TOO_LARGE, empty, Span(0, 0), message)
    if b"\0" in data:
        message = f"byte {data.index(0)} is NUL, which no text has"
        return empty, Diagnostic(
            UNREADABLE_TEXT, empty, Span(0, 0), message, hint="is this a mapping at all?"
        )
    try:
        return Source(name, data.decode("utf-8")), None
    except UnicodeDecodeError as error:
        message = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8"
        return empty, Diagnostic(UNREADABLE_TEXT, empty, Span(0, 0), message, hint="save the file as UTF-8")
