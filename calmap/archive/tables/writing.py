"""Tables written as they come, and put in their place when they are whole.

The bytes depend on the rows alone, not on the batches they come in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from calmap.archive.tables.locations import file_system, is_read_from, is_url
from calmap.archive.tables.sinks import GROUP_ROWS, SINKS, Sink
from calmap.archive.tables.spool import canonical
from calmap.cache.store import hidden_name, permissions, sync_folder, writing
from calmap.errors import CacheError, CalmapError, UsageError

_WHOLE_AT_ONCE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"})
"""Kinds of URLs where a file appears when all of it has been sent."""


class TableWriter:
    """Takes rows of one schema; made by `table_writer`.

    Parameters
    ----------
    sink
        Where they go.
    schema
        Their columns.
    """

    def __init__(self, sink: Sink, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self._sink = sink
        self._waiting: list[pa.Table] = []
        self._count = 0

    def write(self, table: pa.Table | pa.RecordBatch) -> None:
        """Write rows."""
        if isinstance(table, pa.RecordBatch):
            table = pa.Table.from_batches([table])
        self._waiting.append(table)
        self._count += table.num_rows
        self.rows += table.num_rows
        while self._count >= GROUP_ROWS:
            rows = pa.concat_tables(self._waiting)
            self._sink.write(canonical(rows.slice(0, GROUP_ROWS)))
            self._waiting = [rows.slice(GROUP_ROWS)]
            self._count -= GROUP_ROWS

    def finish(self) -> None:
        """Write what is left."""
        if self._count:
            self._sink.write(canonical(pa.concat_tables(self._waiting)))
        self._sink.close()


def require_target(place: str, inputs: Sequence[str]) -> None:
    """See that a table can be written to a place, before there is anything to write.

    Parameters
    ----------
    place
        Path or URL.
    inputs
        Files and folders that are read.

    Raises
    ------
    UsageError
        If its extension is of no known kind, or it is one of the tables that are read or would become one.
    CacheError
        If there is no folder for it.
    """
    if _suffix(place) is None:
        raise UsageError(f"{place} is of no known kind", f"tables end in {', '.join(SINKS)}")
    if _identity(place) in {_identity(file) for file in inputs}:
        raise UsageError(f"{place} is one of the tables that are read", "choose another name")
    folder = next((folder for folder in inputs if is_read_from(place, folder)), None)
    if folder is not None:
        raise UsageError(
            f"{place} would be in {folder}, whose tables are read: the next time, this one too",
            "choose another folder",
        )
    if is_url(place):
        file_system(place)
    elif Path(place).is_dir():
        raise CacheError(f"{place} is a folder")
    elif not Path(place).absolute().parent.is_dir():
        raise CacheError(f"there is no folder {Path(place).parent}", "make it first")


@contextmanager
def table_writer(place: str, schema: pa.Schema) -> Iterator[TableWriter]:
    """A writer of a table, which appears at its place when all went well.

    Parameters
    ----------
    place
        Path or URL; the extension says in which format.
    schema
        Columns of text, text with a dictionary, and whole numbers.

    Raises
    ------
    UsageError
        If the extension is of no known kind.
    CacheError
        If it can't be written; what was there before is intact then.
    """
    require_target(place, ())
    if is_url(place):
        with TemporaryDirectory(prefix="calmap-") as folder:
            new = Path(folder, f"table{_suffix(place)}")
            with _writing_to(new, place, schema) as writer:
                yield writer
            _send(new, place)
        return
    target = Path(os.path.realpath(place))
    new = target.with_name(hidden_name(target.name))
    try:
        with _writing_to(new, place, schema) as writer:
            yield writer
        with writing(Path(place)):
            _settle(new, target)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def _writing_to(new: Path, place: str, schema: pa.Schema) -> Iterator[TableWriter]:
    with _as_trouble(place):
        sink = SINKS[_suffix(place) or ""](new, schema)
    writer = TableWriter(_Told(sink, place), schema)
    try:
        yield writer
        writer.finish()
    except BaseException:
        sink.discard()
        raise


class _Told:
    """A sink whose trouble is told as trouble with its file."""

    def __init__(self, sink: Sink, place: str) -> None:
        self.sink = sink
        self.place = place

    def write(self, batch: pa.RecordBatch) -> None:
        with _as_trouble(self.place):
            self.sink.write(batch)

    def close(self) -> None:
        with _as_trouble(self.place):
            self.sink.close()

    def discard(self) -> None:
        self.sink.discard()


@contextmanager
def _as_trouble(place: str) -> Iterator[None]:
    try:
        with writing(Path(place)):
            yield
    except pa.ArrowException as problem:
        raise CacheError(f"{place} can't be written: {problem}") from problem


def _settle(new: Path, target: Path) -> None:
    mode = permissions(target)
    if mode is not None:
        new.chmod(mode)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(target)
    with suppress(OSError):
        sync_folder(target.parent)


def _send(new: Path, place: str) -> None:
    """Copy a file to a URL."""
    system, path = file_system(place)
    try:
        if place.partition("://")[0].lower() in _WHOLE_AT_ONCE:
            system.put_file(str(new), path)
            return
        folder, slash, name = path.rpartition("/")
        beside = f"{folder}{slash}{hidden_name(name)}"
        try:
            system.put_file(str(new), beside)
            system.mv(beside, path)
        except BaseException:
            with suppress(Exception):
                system.rm_file(beside)
            raise
    except CalmapError:
        raise
    except Exception as problem:  # what libraries for remote services raise has no common class
        reason = str(problem) or type(problem).__name__
        raise CacheError(f"{place} can't be written: {reason}") from problem


def _suffix(place: str) -> str | None:
    return next((suffix for suffix in SINKS if place.lower().endswith(suffix)), None)


def _identity(place: str) -> str:
    return place if is_url(place) else os.path.realpath(place)
