"""The command ``calmap uses``."""

from __future__ import annotations

from pathlib import Path

import click

from calmap.cli.options import Invocation, color_option, examples, format_option


@click.command(
    epilog=examples(
        "calmap uses IRIS_IMG1_DARK_20240924T000000_0.0.1.fits", "calmap uses ligeriri_iris_dark_0001.rmap"
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it.")
@click.option("--observatory", metavar="NAME", help="Only mappings of this telescope.")
@format_option("table", "json")
@color_option
@click.pass_context
def uses(
    ctx: click.Context,
    files: tuple[str, ...],
    cache: str | None,
    observatory: str | None,
    style: str,
    color: str,
) -> None:
    """Mappings of the cache that name a file.

    FILES are names of references or mappings; folders before the name don't count. Exits with 1 if no mapping
    names any of them.
    """
    from calmap.cache.occurrences import occurrences
    from calmap.report.listing import listing_json, render_listing
    from calmap.report.text import printable

    invocation: Invocation = ctx.obj
    layout = invocation.settings(cache=cache, context=None, observatory=observatory).layout()
    names = frozenset(Path(name).name for name in files)
    found = occurrences(layout.mapping_files(observatory), names)
    rows = sorted((place.name, place.mapping.name, place.line) for place in found)
    columns = ("file", "mapping", "line")
    if style == "json":
        click.echo(listing_json(columns, rows), nl=False)
    elif rows:
        render_listing(columns, rows, invocation.console(color))
    else:
        click.echo(printable(f"no mapping in {layout.mappings} names {', '.join(sorted(names))}"), err=True)
    ctx.exit(0 if rows else 1)
