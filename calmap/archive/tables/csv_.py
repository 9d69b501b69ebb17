"""Reading CSV and ECSV; every cell is the text it is, and an empty one is missing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from calmap.archive.tables.locations import opened
from calmap.archive.tables.shape import Shape
from calmap.errors import HeaderError

_BLOCK = 8 << 20
_TOO_LONG = "straddl"
_ROW = re.compile(r"Row #\d+: ")


def shape(place: str) -> Shape:
    """Columns of a CSV file."""
    names = _names(place, 0, ",")
    other = next((mark for mark in ";\t|" if len(names) == 1 and mark in names[0]), None)
    if other:
        raise HeaderError(f"the cells of {place} are separated by {other!r}", "write it with commas")
    return Shape(names, None)


def read(
    place: str, columns: Sequence[str], start: int, stop: int | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of some columns of a CSV file."""
    del start, stop
    yield from _rows(place, columns, 0, ",", rows)


def ecsv_shape(place: str) -> Shape:
    """Columns of an ECSV file."""
    return Shape(_names(place, *_preamble(place)), None)


def ecsv_read(
    place: str, columns: Sequence[str], start: int, stop: int | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of some columns of an ECSV file."""
    del start, stop
    yield from _rows(place, columns, *_preamble(place), rows)


def _preamble(place: str) -> tuple[int, str]:
    """How many lines of ECSV come before the names of the columns, and what stands between cells."""
    from astropy.table.meta import get_header_from_yaml

    with _text(place) as file:
        comments = [line[1:].strip("\n")[1:] for line in takewhile(lambda line: line.startswith("#"), file)]
    if not comments or not comments[0].startswith("%ECSV"):
        raise HeaderError(f"{place} is no ECSV file", "its first line must begin with # %ECSV")
    try:
        header = get_header_from_yaml(comments[1:])
    except Exception as problem:  # whatever the YAML in it leads to
        raise HeaderError(f"{place} can't be read: its header is wrong: {problem}") from problem
    return len(comments), str(header.get("delimiter", " "))


def _names(place: str, skipped: int, delimiter: str) -> tuple[str, ...]:
    with _text(place) as file:
        for _ in range(skipped):
            file.readline()
        try:
            names = next(csv.reader(file, delimiter=delimiter), None)
        except csv.Error as problem:
            raise HeaderError(f"{place} can't be read: {problem}") from None
    if not names:
        raise HeaderError(f"{place} is empty", "the first line must have the names of the columns")
    blank = next((name for name in names if name != name.strip()), None)
    if blank is not None:
        raise HeaderError(
            f"{place} can't be read: there are blanks around {blank!r}", "write no blanks at commas"
        )
    return tuple(names)


@contextmanager
def _text(place: str) -> Iterator[Any]:
    with opened(place) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        yield text


def _rows(
    place: str, columns: Sequence[str], skipped: int, delimiter: str, rows: int
) -> Iterator[pa.RecordBatch]:
    with opened(place) as file:
        source = _Quotes(file)
        try:
            reader = pacsv.open_csv(
                pa.PythonFile(source, mode="r"),
                read_options=pacsv.ReadOptions(block_size=_BLOCK, skip_rows=skipped),
                parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()),
                    include_columns=list(columns),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            for batch in reader:
                for offset in range(0, batch.num_rows, rows):
                    yield batch.slice(offset, rows)
        except pa.ArrowInvalid as problem:
            raise _told(place, problem) from None
        if source.count % 2:
            raise HeaderError(f"{place} can't be read: a quote is opened and never closed")


class _Quotes:
    """A file whose quotes are counted while it is read: one that is not closed would swallow rows."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.count = 0

    @property
    def closed(self) -> bool:
        """Whether it can still be read."""
        return bool(self.file.closed)

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data: bytes = self.file.read(size)
        self.count += data.count(b'"')
        return data

    def close(self) -> None:
        """Leave the file to who opened it."""


def _told(place: str, problem: Exception) -> HeaderError:
    text = str(problem)
    if _TOO_LONG in text:
        return HeaderError(
            f"{place} can't be read: a row has more than {_BLOCK >> 20} MB", "is a quote open?"
        )
    if "UTF8" in text:
        return HeaderError(
            f"{place} can't be read: it is not UTF-8 text", "convert it, for example with iconv"
        )
    # Arrow knows the number of a row only if it has a single thread.
    return HeaderError(f"{place} can't be read: {_ROW.sub('', text.splitlines()[0])}")
