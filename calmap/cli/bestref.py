"""The command ``calmap bestref``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.bestref import BestRef, Context
from calmap.cli.cluster import place_options
from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option, quiet_option
from calmap.cli.scope import chosen_context, require_types
from calmap.cli.tables import table_options
from calmap.errors import CacheError, CalmapError, HeaderError
from calmap.headers.datasets import dataset_files
from calmap.headers.reading import read_headers
from calmap.model.pointers import is_lfs_pointer
from calmap.report.selection import Selection
from calmap.report.stream import SelectionStream

if TYPE_CHECKING:
    from rich.console import Console

_NOTHING_FOUND, _TROUBLE = 1, 3


@dataclass(slots=True)
class Run:
    """One call of the command: what is asked for, and how it went so far."""

    context: Context
    reftypes: tuple[str, ...] | None
    strict_paths: bool
    problems: list[str] = field(default_factory=list)
    code: int = 0

    def complain(self, message: str, code: int = _TROUBLE) -> None:
        """Tell of a problem on standard error, and remember the worst."""
        from calmap.report.text import printable

        click.echo(f"error: {printable(message)}", err=True)
        self.code = max(self.code, code)

    def answers(self, path: Path) -> Iterator[tuple[str, str, dict[str, BestRef]]]:
        """Dataset, instrument and answers for every header in a file."""
        try:
            for dataset, header in read_headers(path):
                yield self._answer(dataset, header)
        except HeaderError as problem:
            message = str(problem)
            self.complain(message if str(path) in message else f"{path}: {message}")

    def _answer(self, dataset: str, header: dict[str, str]) -> tuple[str, str, dict[str, BestRef]]:
        try:
            instrument = self.context.instrument(header)
            refs = self.context.bestrefs(header, self.reftypes)
        except HeaderError as problem:
            raise HeaderError(f"{dataset}: {problem.message}", problem.hint) from None
        if any(ref.status == "not_found" for ref in refs.values()):
            self.code = max(self.code, _NOTHING_FOUND)
        return dataset, instrument, refs

    def rows(self, dataset: str, instrument: str, refs: dict[str, BestRef]) -> tuple[Selection, ...]:
        """The answers for one dataset, to print, in the order of the types' names."""
        return tuple(self._row(dataset, instrument, ref) for _, ref in sorted(refs.items()))

    def _row(self, dataset: str, instrument: str, ref: BestRef) -> Selection:
        paths, notes = [], []
        for name in ref.files:
            path, note = self._place(name, instrument)
            paths.append(path)
            notes.append(note)
        note = "; ".join(dict.fromkeys(filter(None, notes)))
        return Selection(dataset, instrument, self.context.name, ref, tuple(paths), note)

    def _is_left(self, name: str, instrument: str) -> bool:
        """Whether a file is in a cache elsewhere and nobody asks for its path."""
        remote = not self.strict_paths and bool(self.context.rules.layout.origin)
        return remote and not self.context.has_reference(name, instrument)

    def _place(self, name: str, instrument: str) -> tuple[str, str]:
        """Where a file is, and what is wrong with it; it is fetched only if its path is asked for."""
        try:
            if self._is_left(name, instrument):
                return "", "not fetched yet"
            path = self.context.reference_path(name, instrument)
        except CacheError as problem:
            if self.strict_paths:
                self.complain(str(problem))
            return "", "not in the cache"
        if not is_lfs_pointer(path):
            return str(path), ""
        if self.strict_paths:
            click.echo(f"warning: {path} is only a Git-LFS pointer; fetch it with git lfs pull", err=True)
        return str(path), "only a Git-LFS pointer; fetch it with git lfs pull"


@click.command(
    epilog=examples(
        "calmap bestref exposure.fits",
        "calmap bestref exposure.fits --type dark --explain",
        "calmap bestref night/ @more.txt --format csv > references.csv",
        "calmap bestref --table headers.parquet -o references.parquet",
    )
)
@click.argument("files", nargs=-1, metavar="[FILES...]")
@click.option(
    "-t", "--type", "types", multiple=True, metavar="TYPE", help="Only this reference type; may be repeated."
)
@cache_options
@click.option(
    "--explain", is_flag=True, help="Show how each answer comes about, rule by rule and key by key."
)
@format_option("table", "json", "csv", "paths")
@click.option(
    "--update-header", is_flag=True, help="Write context, version and references into the FITS files."
)
@table_options(required=False)
@place_options
@color_option
@quiet_option
@click.pass_context
def bestref(
    ctx: click.Context,
    files: tuple[str, ...],
    types: tuple[str, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    explain: bool,
    style: str,
    update_header: bool,
    tables: tuple[str, ...],
    output: str | None,
    identity: str | None,
    scheduler: str | None,
    workers: int | None,
    color: str,
    quiet: bool,
) -> None:
    """Best calibration references of datasets, and why.

    FILES are datasets (FITS, ASDF, JSON or YAML), folders with datasets below them, or @LIST for a text file
    with a name on each line, which counts from the folder of the list. Exits with 1 if nothing was found for
    a type, and with 3 if a file could not be read.

    With --table, the rows of tables are the datasets and their columns the keywords. Printed is how many get
    what; --output writes the answers, a row for each. A header that names no known instrument is told, and
    the exit code is 1 then.
    """
    _refuse_mixed(
        files,
        tables,
        explain=explain,
        update_header=update_header,
        only_tables=(output, identity, scheduler, workers),
    )
    if explain and style != "table":
        raise click.UsageError("--explain is for people; leave out --format")
    invocation: Invocation = ctx.obj
    wanted = tuple(word.lower() for names in types for word in names.replace(",", " ").split()) or None
    chosen = chosen_context(invocation, cache, context, observatory)
    _refuse_unknown(chosen, wanted or ())
    if tables:
        from calmap.cli.table_selection import select_tables

        code = select_tables(
            invocation,
            chosen,
            tables,
            wanted,
            output,
            identity,
            style,
            color,
            quiet=quiet,
            scheduler=scheduler,
            workers=workers,
        )
        ctx.exit(code)
    run = Run(chosen, wanted, style == "paths")
    printer = _printer(invocation, style, color, quiet=quiet, explain=explain)
    try:
        for path in _watched(invocation, dataset_files(files, invocation.cwd), color, quiet=quiet):
            for dataset, instrument, refs in run.answers(path):
                printer.show(run, dataset, instrument, refs)
                if update_header:
                    _record(run, path, instrument, refs)
    finally:
        printer.end()
    ctx.exit(run.code)


def _refuse_mixed(
    files: tuple[str, ...],
    tables: tuple[str, ...],
    *,
    explain: bool,
    update_header: bool,
    only_tables: tuple[str | int | None, ...],
) -> None:
    """FILES or --table, and what goes with each."""
    if tables and files:
        raise click.UsageError("give FILES or --table, not both")
    if tables and (explain or update_header):
        raise click.UsageError("--explain and --update-header are for FILES")
    if not tables and any(value is not None for value in only_tables):
        raise click.UsageError("--output and --id go with --table, and so do --workers and --scheduler")
    if not tables and not files:
        raise click.UsageError("Missing argument 'FILES...', or --table")


def _refuse_unknown(context: Context, types: tuple[str, ...]) -> None:
    """Refuse types that no instrument of a context has, if it can be known."""
    if not types:
        return
    try:
        known = context.reftypes()
    except CalmapError:
        return
    require_types(types, known, f"{context.name} has no")


def _watched(invocation: Invocation, paths: Iterator[Path], color: str, *, quiet: bool) -> Iterator[Path]:
    """The paths, with a bar on standard error where the answers themselves don't show how far it got."""
    if quiet or sys.stdout.isatty() or not sys.stderr.isatty():
        return paths
    from calmap.cli.progress import track

    return track(paths, "Selecting", invocation.console(color, stderr=True))


def _record(run: Run, path: Path, instrument: str, refs: dict[str, BestRef]) -> None:
    from calmap import __version__
    from calmap.bestref.record import header_updates
    from calmap.headers.update import update_header

    try:
        update_header(path, header_updates(run.context, instrument, refs, f"calmap {__version__}"))
    except CalmapError as problem:
        run.complain(str(problem))


class Printer:
    """Prints nothing; the exit code tells."""

    def show(self, run: Run, dataset: str, instrument: str, refs: dict[str, BestRef]) -> None:
        """Print the answers for one dataset."""

    def end(self) -> None:
        """Print what comes last."""


class StreamPrinter(Printer):
    """Prints for programs."""

    def __init__(self, style: str) -> None:
        self.stream = SelectionStream(style, lambda text: click.echo(text, nl=False))

    def show(self, run: Run, dataset: str, instrument: str, refs: dict[str, BestRef]) -> None:
        """Print the answers for one dataset."""
        self.stream.rows(run.rows(dataset, instrument, refs))

    def end(self) -> None:
        """Close the list."""
        self.stream.end()


class TablePrinter(Printer):
    """Prints for people."""

    def __init__(self, console: Console, *, explain: bool) -> None:
        self.console = console
        self.explain = explain
        self.count = 0

    def show(self, run: Run, dataset: str, instrument: str, refs: dict[str, BestRef]) -> None:
        """Print the answers for one dataset."""
        from calmap.report.explanation import render_explanation
        from calmap.report.selection_table import render_heading, render_table

        if self.count:
            self.console.print()
        self.count += 1
        if refs and not self.explain:
            render_table(run.rows(dataset, instrument, refs), self.console)
            return
        render_heading(self.console, dataset, instrument, run.context.name)
        if not refs:
            self.console.print("  no reference type applies", style="dim")
        for _, ref in sorted(refs.items()):
            self.console.print()
            render_explanation(ref.explain(), self.console)


def _printer(invocation: Invocation, style: str, color: str, *, quiet: bool, explain: bool) -> Printer:
    if quiet:
        return Printer()
    if style != "table":
        return StreamPrinter(style)
    return TablePrinter(invocation.console(color), explain=explain)
