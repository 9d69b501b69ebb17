"""Options and steps of commands that go through tables of headers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from calmap.cli.cluster import place_to_run
from calmap.cli.options import Invocation
from calmap.errors import UsageError
from calmap.report.text import printable

if TYPE_CHECKING:
    from calmap.archive.selection import Answered
    from calmap.archive.tables.reading import HeaderTables, Partition
    from calmap.archive.tally import Tally
    from calmap.bestref import Context

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Asker(Protocol):
    """Answers a question about tables, partition by partition."""

    @property
    def schema(self) -> Any:
        """Columns of the answers."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are read."""

    def batch(self, partition: Partition, batch: Any, first: int) -> Answered:
        """Answers for some rows of a partition."""

    def stream(self, partition: Partition) -> Iterator[Answered]:
        """Answers for a partition."""


def table_options(*, required: bool) -> Callable[[Decorated], Decorated]:
    """``--table``, ``--output`` and ``--id``."""
    lead = "Write" if required else "With --table: write"
    which = "The" if required else "With --table: the"
    decorators = (
        click.option(
            "--table",
            "tables",
            multiple=True,
            required=required,
            metavar="FILE",
            help="A table of headers: Parquet, CSV, ECSV, FITS or Arrow, a folder of them, or a URL; may be"
            " repeated.",
        ),
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            help=f"{lead} the answers; the extension says in which format.",
        ),
        click.option("--id", "identity", metavar="COLUMN", help=f"{which} column that identifies datasets."),
    )

    def decorate(function: Decorated) -> Decorated:
        for option in reversed(decorators):
            function = option(function)
        return function

    return decorate


def opened_tables(invocation: Invocation, names: Sequence[str], output: str | None) -> HeaderTables:
    """The tables that a user names; like the place for the answers, looked at before any work is done.

    Raises
    ------
    UsageError
        If pyarrow is not installed, or a name makes no sense.
    HeaderError, CacheError
        If a table can't be read, or the answers can't be written.
    """
    _require_pyarrow()
    from calmap.archive.tables.locations import placed
    from calmap.archive.tables.reading import open_tables
    from calmap.archive.tables.writing import require_target

    places = [placed(name, invocation.cwd) for name in names]
    found = open_tables(places)
    if output is not None:
        files = [place for place, _ in found.files]
        require_target(placed(output, invocation.cwd), [*files, *places])
    return found


def answer_tables(
    asker: Asker,
    tables: HeaderTables,
    invocation: Invocation,
    output: str | None,
    color: str,
    *,
    quiet: bool,
    scheduler: str | None = None,
    workers: int | None = None,
) -> Tally:
    """Go through tables, here or by workers, write the answers where that is asked for, and count them."""
    from calmap.archive.tables.locations import placed
    from calmap.archive.tables.writing import table_writer
    from calmap.archive.tally import Tally

    total = Tally()
    place = None if output is None else placed(output, invocation.cwd)
    with (
        _answers(asker, tables, scheduler, workers, rows=output is not None) as answers,
        nullcontext() if place is None else table_writer(place, asker.schema) as writer,
    ):
        for answered in _watched(answers, tables, invocation, color, quiet=quiet):
            total = total + answered.tally
            if writer is not None:
                writer.write(answered.table)
    return total


def tell_bad_headers(tally: Tally) -> None:
    """Warn of datasets that nothing could be selected for."""
    if tally.bad:
        from calmap.report.tallied import bad_headers

        click.echo(f"warning: {bad_headers(tally)}", err=True)


def tell_unusable(asked: Iterable[tuple[Context, str, Sequence[str] | None]]) -> bool:
    """Tell of types whose mapping is missing or broken, so that nothing was found; True if there are any.

    Parameters
    ----------
    asked
        Contexts, each with an instrument and the types that were looked up, or None for all.
    """
    found = False
    for context, instrument, reftypes in asked:
        for reftype, problem in context.unusable(instrument, reftypes):
            found = True
            message = f"{instrument} {reftype}, {context.name}: nothing can be found: {problem}"
            click.echo(f"error: {printable(message)}", err=True)
    return found


def tell_written(invocation: Invocation, output: str | None) -> None:
    """Say where the answers are."""
    if output is not None:
        from calmap.archive.tables.locations import is_url
        from calmap.cache.files import shown

        where = output if is_url(output) else shown(invocation.cwd / Path(output).expanduser(), Path.cwd())
        click.echo(f"written: {where}", err=True)


@contextmanager
def _answers(
    asker: Asker, tables: HeaderTables, scheduler: str | None, workers: int | None, *, rows: bool
) -> Iterator[Iterator[Answered]]:
    """Answers as they come; by workers those without rows may be without their tables."""
    if scheduler is None and workers is None:
        yield (answered for partition in tables.partitions() for answered in asker.stream(partition))
        return
    from calmap.archive.cluster.tables import answers_at

    with (
        place_to_run(scheduler, workers) as place,
        closing(answers_at(place, asker, tables, rows=rows)) as found,
    ):
        yield found


def _watched(
    answers: Iterator[Answered], tables: HeaderTables, invocation: Invocation, color: str, *, quiet: bool
) -> Iterator[Answered]:
    """Answers, with a bar on standard error that counts rows if it takes long."""
    if quiet or not sys.stderr.isatty():
        return answers
    from calmap.cli.progress import track

    console = invocation.console(color, stderr=True)
    return track(answers, "Selecting", console, total=tables.rows, size=lambda answered: answered.tally.rows)


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as problem:
        raise UsageError(f"tables need pyarrow ({problem})", "pip install 'calmap-toolkit[table]'") from None
