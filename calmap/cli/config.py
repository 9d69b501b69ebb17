"""The command ``calmap config``."""

from __future__ import annotations

import json

import click

from calmap.cli.options import Invocation, cache_options, examples, format_option


@click.command(
    epilog=examples("calmap config", "calmap config --cache ~/crds_cache --format json"),
)
@cache_options
@format_option("table", "json")
@click.pass_obj
def config(
    invocation: Invocation, cache: str | None, context: str | None, observatory: str | None, style: str
) -> None:
    """Show the settings and who made them.

    They are the cache, the context and the telescope that other commands use. A value is taken from the
    command line, else from CALMAP_CACHE, CALMAP_CONTEXT and CALMAP_OBSERVATORY, else from CRDS_PATH,
    CRDS_CONTEXT and CRDS_OBSERVATORY, else from a calmap.toml in this folder, above it or in
    ~/.config/calmap, else from the cache itself: the one this folder is in, and its newest .pmap.
    """
    settings = tuple(invocation.settings(cache=cache, context=context, observatory=observatory))
    if style == "json":
        data = {item.name: {"value": item.value, "origin": item.origin} for item in settings}
        click.echo(json.dumps(data, indent=2))
        return
    names = max(len(item.name) for item in settings)
    values = max(len(item.value or "-") for item in settings)
    for item in settings:
        click.echo(f"{item.name:{names}}  {item.value or '-':{values}}  {item.origin}")
