"""The command ``calmap coverage``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option
from calmap.cli.trouble import TROUBLE
from calmap.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from calmap.bestref import Context
    from calmap.bestref.coverage import TypeCoverage

_PICTURES = (".png", ".svg")


@click.command(
    epilog=examples(
        "calmap coverage ligeriri_0001.pmap",
        "calmap coverage hst_0729.pmap --instrument acs --type biasfile",
        "calmap coverage ligeriri_iris_flat_0001.rmap --plot timeline.png",
    )
)
@click.argument("mapping", required=False, metavar="[CONTEXT]")
@cache_options
@click.option("--instrument", metavar="NAME", help="Look only at the rules of this instrument.")
@click.option("-t", "--type", "reftype", metavar="TYPE", help="Look only at this reference type.")
@click.option("--plot", metavar="FILE", help="Draw the validity of references over time: a .png or .svg.")
@format_option("text", "json", "markdown")
@color_option
@click.pass_context
def coverage(
    ctx: click.Context,
    mapping: str | None,
    cache: str | None,
    context: str | None,
    observatory: str | None,
    instrument: str | None,
    reftype: str | None,
    plot: str | None,
    style: str,
    color: str,
) -> None:
    """Combinations of values, and times, that have no reference.

    CONTEXT is a .pmap, .imap or .rmap of the cache; without it, it is the context of --context or the newest
    one. The values of a keyword are those that the telescope's definition allows, or else those that rules
    of the instrument name. Counted are those combinations that need a reference: not those for which the
    rules say N/A, or to which the type does not apply.

    Exits with 1 if a combination has no reference at any time.
    """
    from calmap.bestref.coverage import Surveyor
    from calmap.cli.progress import track
    from calmap.cli.scope import chosen_context

    if mapping and context:
        raise click.UsageError("a context is given twice, as CONTEXT and with --context")
    invocation: Invocation = ctx.obj
    picture = _picture(invocation, plot)
    chosen = chosen_context(invocation, cache, mapping or context, observatory)
    surveyor = Surveyor(chosen)
    types = surveyor.types(instrument, reftype)
    bar = invocation.console(color, stderr=True) if sys.stderr.isatty() else None
    surveyed = [surveyor.survey(*names) for names in track(types, "Looking at", bar)]
    _show(invocation, chosen, surveyed, style, color)
    if picture is not None:
        _draw(chosen, types, picture, bar)
    unusable = any(not found.usable for found in surveyed)
    ctx.exit(TROUBLE if unusable else int(not all(found.complete for found in surveyed)))


def _picture(invocation: Invocation, plot: str | None) -> Path | None:
    """Where to draw; found to be wrong before any work is done."""
    if plot is None:
        return None
    path = invocation.cwd / plot
    if path.suffix.lower() not in _PICTURES:
        raise UsageError(f"'{plot}' is no picture that can be drawn", "name it .png or .svg")
    from calmap.report.timeline import require_matplotlib

    require_matplotlib()
    return path


def _draw(context: Context, types: tuple[tuple[str, str], ...], path: Path, bar: Console | None) -> None:
    from calmap.bestref.validity import timeline
    from calmap.cache.files import shown
    from calmap.cli.progress import track
    from calmap.report.timeline import draw, pages

    laid_out = pages(timeline(context, types), context.name, path)
    for drawn in [draw(page) for page in track(laid_out, "Drawing", bar)]:
        click.echo(f"drawn: {shown(drawn, Path.cwd())}", err=True)


def _show(
    invocation: Invocation, context: Context, surveyed: list[TypeCoverage], style: str, color: str
) -> None:
    from calmap.report.coverage import coverage_json, coverage_markdown, render_coverage

    if style == "json":
        click.echo(coverage_json(context.name, surveyed), nl=False)
    elif style == "markdown":
        click.echo(coverage_markdown(surveyed), nl=False)
    else:
        render_coverage(surveyed, invocation.console(color))
