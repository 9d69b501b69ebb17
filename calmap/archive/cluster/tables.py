"""Questions about tables, answered on a cluster partition by partition."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import pyarrow as pa

from calmap.archive.affected import AffectedSearch
from calmap.archive.cluster.places import Place, Shared
from calmap.archive.selection import Answered, Question, TableSelection
from calmap.archive.tables.locations import is_url
from calmap.archive.tables.reading import HeaderTables, Partition
from calmap.archive.tally import Tally
from calmap.bestref.cache import Cache
from calmap.bestref.context import Context
from calmap.errors import HeaderError

PART_ROWS = 1 << 18
"""Rows that a worker answers for at a time, where files can be cut."""


class Asker(Protocol):
    """`TableSelection` and `AffectedSearch`."""

    @property
    def schema(self) -> Any:
        """Columns of the answers."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are read."""

    def batch(self, partition: Partition, batch: Any, first: int) -> Answered:
        """Answers for some rows."""


AskerT = TypeVar("AskerT", bound=Asker)


class Packed(NamedTuple):
    """What workers make an asker of: names and bytes of contexts, and the question."""

    contexts: tuple[tuple[str, str, bytes], ...]
    question: Question


class Part(NamedTuple):
    """A partition, the path of its file from anywhere, and whether answers are wanted or their tally only."""

    partition: Partition
    path: str
    rows: bool


class Told(NamedTuple):
    """Answers for a partition on their way back."""

    rows: bytes
    tally: Tally


def answers_at(
    place: Place, asker: Asker, tables: HeaderTables, *, rows: bool = True
) -> Generator[Answered, None, None]:
    """Answers for tables, in their order; the same as without a cluster.

    Parameters
    ----------
    place
        Where the work is done.
    asker
        What is asked: a `TableSelection` or an `AffectedSearch`.
    tables
        Workers see them under the same names, or have access to their URLs.
    rows
        Whether the answers are wanted; if not, they are without rows and only the tally is sent.

    Raises
    ------
    CalmapError
        As without a cluster; and if the cluster can't be used.
    """
    parts = (
        Part(partition, _from_anywhere(partition.place), rows) for partition in tables.partitions(PART_ROWS)
    )
    with closing(place.run(answered_part, parts, _shared(asker))) as found:
        for told in found:
            yield Answered(_unpressed(told.rows), told.tally)


def _from_anywhere(place: str) -> str:
    return place if is_url(place) else str(Path(place).absolute())


def answered_part(asker: Asker, part: Part) -> Told:
    """Answers for a partition."""
    found: list[Answered] = []
    first = part.partition.first_row
    with _told_as(part):
        for batch in part.partition._replace(place=part.path).batches(asker.columns):
            found.append(asker.batch(part.partition, batch, first))
            first += batch.num_rows
    tables = [one.table for one in found if part.rows] or [asker.schema.empty_table()]
    return Told(_pressed(pa.concat_tables(tables)), sum((one.tally for one in found), Tally()))


def _pressed(table: pa.Table) -> bytes:
    """A table as it is sent: answers are alike, so that few bytes are left of them."""
    stream = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False, unify_dictionaries=True)
    with pa.ipc.new_file(stream, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(stream.getvalue())


def _unpressed(data: bytes) -> pa.Table:
    return pa.ipc.open_file(pa.BufferReader(data)).read_all()


@contextmanager
def _told_as(part: Part) -> Iterator[None]:
    """Name a file in errors as the user does."""
    try:
        yield
    except HeaderError as problem:
        problem.message = problem.message.replace(part.path, part.partition.place)
        raise


def _shared(asker: AskerT) -> Shared[AskerT]:
    return Shared(asker, _packed, _opened)


def _packed(asker: Asker) -> Packed:
    if isinstance(asker, TableSelection):
        return Packed((_bundled(asker.context),), asker.question)
    assert isinstance(asker, AffectedSearch)
    old, new = asker.contexts
    return Packed((_bundled(old), _bundled(new)), asker.question)


def _bundled(context: Context) -> tuple[str, str, bytes]:
    return context.name, context.observatory.name, context.bundle()


def _opened(packed: Packed) -> Any:
    contexts = [Cache.of_bytes(data).context(name, telescope) for name, telescope, data in packed.contexts]
    if len(contexts) == 1:
        return TableSelection(contexts[0], packed.question)
    old, new = contexts
    return AffectedSearch(old, new, packed.question)
