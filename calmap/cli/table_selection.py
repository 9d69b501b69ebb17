"""The part of ``calmap bestref`` that answers for tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from calmap.bestref import Context
from calmap.cli.options import Invocation
from calmap.cli.tables import (
    answer_tables,
    opened_tables,
    tell_bad_headers,
    tell_unusable,
    tell_written,
)
from calmap.cli.trouble import FINDINGS, TROUBLE
from calmap.errors import CacheError

if TYPE_CHECKING:
    from calmap.archive.selection import TableSelection
    from calmap.archive.tally import Tally


def select_tables(
    invocation: Invocation,
    context: Context,
    names: tuple[str, ...],
    reftypes: tuple[str, ...] | None,
    output: str | None,
    identity: str | None,
    style: str,
    color: str,
    *,
    quiet: bool,
    scheduler: str | None = None,
    workers: int | None = None,
) -> int:
    """Select for the rows of tables, and print how many get what.

    Returns
    -------
    int
        3 if the path of a reference is asked for that the cache lacks; 1 if a dataset has a type without a
        reference, or a header that can't be used; else 0.

    Raises
    ------
    CalmapError
        If a table can't be read or written, or the context can't be used.
    """
    tables = opened_tables(invocation, names, output)
    from calmap.archive.selection import NOT_FOUND, Question, TableSelection

    selection = TableSelection(context, Question.about(tables, identity, reftypes))
    tally = answer_tables(
        selection,
        tables,
        invocation,
        output,
        color,
        quiet=quiet,
        scheduler=scheduler,
        workers=workers,
    )
    absent = False
    if not quiet:
        absent = _show(tally, context, output, invocation, style, color)
        tell_written(invocation, output)
        _tell_unseen(tally, selection)
    tell_bad_headers(tally)
    if tell_unusable((context, instrument, reftypes) for instrument in sorted(tally.instruments)):
        return TROUBLE
    incomplete = tally.bad or any(case.answers[0] == NOT_FOUND for case in tally.counts)
    return TROUBLE if absent else FINDINGS if incomplete else 0


def _tell_unseen(tally: Tally, selection: TableSelection) -> None:
    """Warn of keywords that no column has; every look-up takes them as undefined."""
    from calmap.archive.identity import listed
    from calmap.archive.unseen import unseen_keywords

    question = selection.question
    for instrument in sorted(tally.instruments):
        missing = unseen_keywords(selection.context, instrument, question.columns, question.reftypes)
        if missing:
            told = f"no column has {listed(missing, 6)}, which the rules of {instrument} look at"
            click.echo(f"warning: {told}", err=True)


def _show(
    tally: Tally, context: Context, output: str | None, invocation: Invocation, style: str, color: str
) -> bool:
    """Print the counts, and tell if a path asked for is not there."""
    from calmap.report.tallied import render_selected, selected_csv, selected_json

    if style == "json":
        click.echo(selected_json(tally, context.name, output), nl=False)
    elif style == "csv":
        click.echo(selected_csv(tally), nl=False)
    elif style == "paths":
        return _show_paths(tally, context)
    else:
        render_selected(tally, context.name, invocation.console(color))
    return False


def _show_paths(tally: Tally, context: Context) -> bool:
    """Print the path of every reference that a dataset gets, each once; tell if one is not there."""
    from calmap.report.text import printable

    absent = False
    chosen = {(case.instrument, case.answers[1]) for case in tally.counts if case.answers[0] == "found"}
    for instrument, name in sorted(
        {(instrument, name) for instrument, files in chosen for name in files.split(", ")}
    ):
        try:
            click.echo(printable(str(context.reference_path(name, instrument))))
        except CacheError as problem:
            absent = True
            click.echo(f"error: {printable(str(problem))}", err=True)
    return absent
