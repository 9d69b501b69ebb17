"""How two reference files differ: keywords, pixels, and rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path
from typing import Final

from calmap.errors import UsageError
from calmap.headers import read_headers
from calmap.headers.input import open_file
from calmap.references.fitsfile import FitsFile
from calmap.references.hdu import kind_of, label
from calmap.references.images import ArrayDifference, compare_images
from calmap.references.keywords import KeywordChange, compare_headers
from calmap.references.opening import is_fits, open_fits
from calmap.references.pairing import paired
from calmap.references.tablediff import TableDifference, compare_tables
from calmap.references.tablepair import TablePair

IGNORED: Final = ("CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM", "DATE")
"""Keywords that differ whenever a file is written again."""

_CHUNK: Final = 2**20


@dataclass(frozen=True, slots=True)
class ReferenceDifference:
    """How two files differ.

    Parameters
    ----------
    old, new
        The files.
    removed, added
        Extensions that only one of them has.
    keywords, arrays, tables
        What differs in extensions that both have.
    notes
        Differences of other kinds, a sentence each.
    """

    old: Path
    new: Path
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    keywords: tuple[KeywordChange, ...] = ()
    arrays: tuple[ArrayDifference, ...] = ()
    tables: tuple[TableDifference, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if no difference was found."""
        parts = (self.removed, self.added, self.keywords, self.arrays, self.tables, self.notes)
        return not any(parts)


def reference_difference(
    old: Path, new: Path, *, row_keys: Sequence[str] = (), ignore: Sequence[str] = IGNORED
) -> ReferenceDifference:
    """Compare two reference files.

    Parameters
    ----------
    old, new
        FITS files; or ASDF, JSON and YAML files, of which the headers are compared.
    row_keys
        Columns by which rows of tables are known, in whatever order they are;
        rows of tables that lack one of them are compared in their order.
    ignore
        Keywords, or patterns such as ``HIST*``, that may differ.

    Raises
    ------
    HeaderError
        If a file can't be read.
    UsageError
        If no table has the key columns.
    """
    if is_fits(old) and is_fits(new):
        with open_fits(old) as before, open_fits(new) as after:
            return _fits_difference(before, after, row_keys, ignore)
    return _tree_difference(old, new, ignore)


def _fits_difference(
    old: FitsFile, new: FitsFile, row_keys: Sequence[str], ignore: Sequence[str]
) -> ReferenceDifference:
    pairing = paired(old, new)
    _check_keys(old, new, row_keys)
    keywords: list[KeywordChange] = []
    arrays: list[ArrayDifference] = []
    tables: list[TableDifference] = []
    for at, other in pairing.pairs:
        first, second = old.hdus[at], new.hdus[other]
        place = label(first, at)
        keywords += compare_headers(first.header, second.header, place, ignore)
        if kind_of(first) == "table":
            table = compare_tables(TablePair(old, at, new, other), row_keys)
            tables += [table] if table else []
        else:
            array = compare_images(old, at, new, other, place)
            arrays += [array] if array else []
    return ReferenceDifference(
        old.path,
        new.path,
        tuple(label(old.hdus[index], index) for index in pairing.removed),
        tuple(label(new.hdus[index], index) for index in pairing.added),
        tuple(keywords),
        tuple(arrays),
        tuple(tables),
    )


def _check_keys(old: FitsFile, new: FitsFile, row_keys: Sequence[str]) -> None:
    wanted = {key.upper() for key in row_keys}
    tables = [
        {str(column.name).upper() for column in hdu.columns}
        for file in (old, new)
        for hdu in file.hdus
        if kind_of(hdu) == "table"
    ]
    if tables and wanted and not any(wanted <= names for names in tables):
        named = ", ".join(map(repr, row_keys))
        raise UsageError(
            f"no table of {old.path} or {new.path} has the key columns {named}",
            hint=f"columns: {', '.join(sorted(set().union(*tables))[:40])}",
        )


def _tree_difference(old: Path, new: Path, ignore: Sequence[str]) -> ReferenceDifference:
    """Difference of the headers of files that aren't both FITS."""
    before = {name if name != str(old) else "": header for name, header in read_headers(old)}
    after = {name if name != str(new) else "": header for name, header in read_headers(new)}
    keywords = tuple(
        KeywordChange(name, keyword, first.get(keyword), second.get(keyword))
        for name, first in before.items()
        if name in after
        for second in (after[name],)
        for keyword in sorted({*first, *second})
        if not any(fnmatchcase(keyword, pattern.upper()) for pattern in ignore)
        if first.get(keyword) != second.get(keyword)
    )
    removed = tuple(name for name in before if name not in after)
    added = tuple(name for name in after if name not in before)
    found = ReferenceDifference(old, new, removed, added, keywords)
    note = _beyond_keywords(old, new, found)
    return found if note is None else ReferenceDifference(old, new, removed, added, keywords, notes=(note,))


def _beyond_keywords(old: Path, new: Path, found: ReferenceDifference) -> str | None:
    """What to say of bytes that differ though no keyword tells of it."""
    if _is_asdf(old) and _is_asdf(new) and _differ(_blocks(old), _blocks(new)):
        return "the binary data of arrays differ"
    if is_fits(old) != is_fits(new):
        return "one is a FITS file and the other is not, so that only headers were compared"
    if found.is_empty and _differ(_bytes(old), _bytes(new)):
        return "the files differ, though no keyword does"
    return None


def _is_asdf(path: Path) -> bool:
    with open_file(path) as stream:
        return stream.read(5) == b"#ASDF"


def _differ(old: Iterator[bytes], new: Iterator[bytes]) -> bool:
    return any(first != second for first, second in zip_longest(old, new))


def _bytes(path: Path) -> Iterator[bytes]:
    with open_file(path) as stream:
        while data := stream.read(_CHUNK):
            yield data


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of an ASDF file from its first binary block on, in chunks of one size."""
    mark = b"\xd3BLK"
    with open_file(path) as stream:
        start, before = 0, b""
        while data := stream.read(_CHUNK):
            found = (before + data).find(mark)
            if found >= 0:
                stream.seek(start - len(before) + found)
                break
            start += len(data)
            before = data[-3:]
        while data := stream.read(_CHUNK):
            yield data
