"""The command ``calmap affected``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from calmap.cli.cluster import place_options
from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.cli.scope import require_types
from calmap.cli.tables import (
    answer_tables,
    opened_tables,
    table_options,
    tell_bad_headers,
    tell_unusable,
    tell_written,
)
from calmap.cli.trouble import TROUBLE

if TYPE_CHECKING:
    from calmap.archive.affected import AffectedSearch
    from calmap.archive.tally import Tally

_AFFECTED = 1


@click.command(
    epilog=examples(
        "calmap affected hst_0729.pmap hst_0730.pmap --table headers.parquet -o affected.parquet",
        "calmap affected HEAD:ligeriri_0001.pmap ligeriri_0002.pmap --table night/",
        "calmap affected hst_0729.pmap hst_0730.pmap --table headers.parquet --type darkfile --format csv",
    )
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@table_options(required=True)
@click.option(
    "-t", "--type", "types", multiple=True, metavar="TYPE", help="Only this reference type; may be repeated."
)
@click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it.")
@click.option("--observatory", metavar="NAME", help="The telescope, such as ligeriri.")
@place_options
@format_option("table", "json", "csv")
@color_option
@quiet_option
@click.pass_context
def affected(
    ctx: click.Context,
    old: str,
    new: str,
    tables: tuple[str, ...],
    output: str | None,
    identity: str | None,
    types: tuple[str, ...],
    cache: str | None,
    observatory: str | None,
    scheduler: str | None,
    workers: int | None,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Datasets of an archive that get other references under another context.

    OLD and NEW are each a mapping of the cache, such as hst_0729.pmap, a file, REVISION:NAME, or a revision,
    whose newest context is meant; as for calmap diff. A table has a row for each dataset and a column for
    each keyword. Only types whose rules differ are looked up.

    Printed is how many datasets get which other files. With --output, a row is written for each dataset and
    type: dataset, instrument, type, old and new.

    The exit code is 0 if no dataset is affected, 1 if one is or has no header that can be used, and 3 if
    something could not be read or written.
    """
    from calmap.bestref.affected import context_pair
    from calmap.cache.comparands import Comparands
    from calmap.cache.comparison import chosen_contexts

    invocation: Invocation = ctx.obj
    settings = invocation.settings(cache=cache, context=None, observatory=observatory)
    named = Comparands(invocation.cwd, settings.layout, observatory or "").pair((old, new))
    pair = chosen_contexts(*named, observatory or "", "name two contexts")
    found = opened_tables(invocation, tables, output)
    from calmap.archive.affected import AffectedSearch
    from calmap.archive.selection import Question

    wanted = tuple(word.lower() for names in types for word in names.replace(",", " ").split()) or None
    with context_pair(*pair) as contexts:
        search = AffectedSearch(contexts.old, contexts.new, Question.about(found, identity, wanted))
        known = {name for one in search.contexts for name in one.reftypes()}
        require_types(wanted or (), known, "neither context has a")
        tally = answer_tables(
            search, found, invocation, output, color, quiet=quiet, scheduler=scheduler, workers=workers
        )
        if not quiet:
            labels = pair[0].label, pair[1].label
            _show(tally, search, labels, output, invocation, style, color)
            tell_written(invocation, output)
        looked_up = [pair for pair in search.types()[0] if pair.instrument in tally.instruments]
        broken = tell_unusable(
            (one, pair.instrument, (pair.reftype,))
            for pair in looked_up
            for one in search.contexts
            if pair.instrument in one.instruments()
        )
    tell_bad_headers(tally)
    if broken:
        ctx.exit(TROUBLE)
    ctx.exit(_AFFECTED if tally.affected or tally.bad else 0)


def _show(
    tally: Tally,
    search: AffectedSearch,
    labels: tuple[str, str],
    output: str | None,
    invocation: Invocation,
    style: str,
    color: str,
) -> None:
    from calmap.report.tallied import affected_csv, affected_json, render_affected

    if style == "csv":
        click.echo(affected_csv(tally), nl=False)
        return
    pairs, same = search.types()
    if style == "json":
        types = [
            {
                "instrument": pair.instrument,
                "type": pair.reftype,
                "old": pair.old or None,
                "new": pair.new or None,
            }
            for pair in pairs
        ]
        click.echo(affected_json(tally, *labels, types, same, output), nl=False)
    else:
        render_affected(tally, len(pairs), same, invocation.console(color))
