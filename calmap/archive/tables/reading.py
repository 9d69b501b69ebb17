"""Tables of headers, read in batches of rows so that memory does not grow with them.

A table has a row for each dataset and a column for each keyword. `open_tables`
looks at names and sizes only; what it returns is cut into `Partition` values,
plain and small, that any process can read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from calmap.archive.tables import arrow, csv_, fits, parquet
from calmap.archive.tables.columns import constant, header_values, require_distinct
from calmap.archive.tables.locations import files_of, folder_columns, reading
from calmap.archive.tables.shape import Shape
from calmap.errors import UsageError

BATCH_ROWS = 1 << 17
PARTITION_ROWS = 1 << 20


class Format(NamedTuple):
    """How tables of a kind are read.

    Parameters
    ----------
    shape
        Finds the columns and the sizes of a table at a place.
    read
        Yields batches of some columns, of units from one up to but without another, of
        about so many rows.
    """

    shape: Callable[[str], Shape]
    read: Callable[[str, Sequence[str], int, int | None, int], Iterator[pa.RecordBatch]]


_PARQUET = Format(parquet.shape, parquet.read)
_ARROW = Format(arrow.shape, arrow.read)
_CSV = Format(csv_.shape, csv_.read)
_ECSV = Format(csv_.ecsv_shape, csv_.ecsv_read)
_FITS = Format(fits.shape, fits.read)
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".parquet": _PARQUET,
        ".pq": _PARQUET,
        ".ecsv": _ECSV,
        ".csv": _CSV,
        ".fits": _FITS,
        ".fit": _FITS,
        ".fits.gz": _FITS,
        ".arrow": _ARROW,
        ".feather": _ARROW,
    }
)


class Partition(NamedTuple):
    """Some consecutive rows of one file.

    Parameters
    ----------
    place
        Path or URL of the file.
    start, stop
        The units of the file that it consists of, the second not included; None for all.
    first_row
        How many rows of the file come before it.
    rows
        How many rows it has, or None if only reading tells.
    columns
        Names of all columns of the file.
    constants
        Those that the names of its folders give, with their values.
    """

    place: str
    start: int
    stop: int | None
    first_row: int
    rows: int | None
    columns: tuple[str, ...]
    constants: tuple[tuple[str, str | None], ...] = ()

    def batches(self, columns: Sequence[str], rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Batches of rows with those of the columns that the file has and a header can have.

        Raises
        ------
        HeaderError
            If the file can't be read.
        """
        there = set(columns)
        own = self.columns[: len(self.columns) - len(self.constants)]
        wanted = [name for name in own if name in there] or list(own[:1])
        found = self._found(wanted, there, rows)
        waiting: list[pa.RecordBatch] = []
        count = 0
        for batch in found:
            if waiting and count + batch.num_rows > rows:
                yield _joined(waiting)
                waiting, count = [], 0
            waiting.append(batch)
            count += batch.num_rows
        if waiting:
            yield _joined(waiting)

    def _found(self, wanted: Sequence[str], keep: Collection[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Batches as they are in the file."""
        batches = _format(self.place).read(self.place, wanted, self.start, self.stop, rows)
        while True:
            with reading(self.place):
                batch = next(batches, None)
                if batch is None:
                    return
                if not batch.num_rows:
                    continue
                kept = batch.select([name for name in batch.schema.names if name in keep])
                batch = header_values(kept, self.columns)
            for name, value in self.constants:
                if name in keep:
                    batch = batch.append_column(name, constant(value, batch.num_rows))
            yield batch


@dataclass(frozen=True, slots=True)
class HeaderTables:
    """Tables that are read one after the other.

    Parameters
    ----------
    files
        Paths or URLs, and what is in each.
    """

    files: tuple[tuple[str, Shape], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of columns in any of the files, in order of appearance."""
        return tuple(dict.fromkeys(name for _, shape in self.files for name in shape.columns))

    @property
    def rows(self) -> int | None:
        """How many rows there are, or None if only reading tells."""
        sizes = [shape.rows for _, shape in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    def partitions(self, rows: int = PARTITION_ROWS) -> tuple[Partition, ...]:
        """The rows of all files in order, in parts that can be read by themselves.

        Parameters
        ----------
        rows
            How many rows a part may have; those of a file that can't be cut have more.
        """
        return tuple(part for place, shape in self.files for part in _parts(place, shape, rows))


def open_tables(places: Sequence[str]) -> HeaderTables:
    """Tables of headers: files, folders with tables below them, and URLs of both.

    Parquet, CSV, ECSV, FITS (the first table of the file) and Arrow or Feather
    files are told apart by their extension. Every cell of CSV and ECSV is taken as
    the text it is; an empty one is a keyword that is missing. Folders with names such
    as ``INSTRUME=ACS`` give the files in them a column with that value.

    Raises
    ------
    UsageError
        If a file is of no known kind, or a folder holds none that is.
    HeaderError
        If a file can't be read.
    """
    found = []
    for place in files_of(places, tuple(FORMATS)):
        how = _format(place)
        with reading(place):
            shape = how.shape(place)
        require_distinct(place, shape.columns)
        found.append((place, _with_constants(shape, place)))
    return HeaderTables(tuple(found))


def _with_constants(shape: Shape, place: str) -> Shape:
    """A shape with what names of folders tell; a column of the file itself comes first."""
    known = {name.upper() for name in shape.columns}
    more = tuple((name, value) for name, value in folder_columns(place) if name.upper() not in known)
    return shape._replace(columns=(*shape.columns, *(name for name, _ in more)), constants=more)


def _format(place: str) -> Format:
    lower = place.lower()
    suffix = next((suffix for suffix in FORMATS if lower.endswith(suffix)), None)
    if suffix is None:
        raise UsageError(f"{place} is of no known kind", f"tables end in {', '.join(FORMATS)}")
    return FORMATS[suffix]


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1 or not batches[0].num_columns:
        return pa.concat_batches(batches)
    return pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()[0]


def _parts(place: str, shape: Shape, most: int) -> Iterator[Partition]:
    if shape.units is None:
        yield Partition(place, 0, None, 0, None, shape.columns, shape.constants)
        return
    start, first, rows = 0, 0, 0
    for number, size in enumerate(shape.units):
        if rows and rows + size > most:
            yield Partition(place, start, number, first, rows, shape.columns, shape.constants)
            start, first, rows = number, first + rows, 0
        rows += size
    if rows:
        yield Partition(place, start, len(shape.units), first, rows, shape.columns, shape.constants)
