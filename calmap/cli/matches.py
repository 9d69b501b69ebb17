"""The command ``calmap matches``."""

from __future__ import annotations

from pathlib import Path

import click

from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option


@click.command(
    epilog=examples("calmap matches IRIS_IMG1_DARK_20240924T000000_0.0.1.fits --context ligeriri_0001.pmap")
)
@click.argument("references", nargs=-1, required=True, metavar="REFERENCES...")
@cache_options
@click.option("--instrument", metavar="NAME", help="Look only at the rules of this instrument.")
@format_option("table", "json")
@color_option
@click.pass_context
def matches(
    ctx: click.Context,
    references: tuple[str, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    instrument: str | None,
    style: str,
    color: str,
) -> None:
    """Rules that choose a reference file.

    REFERENCES are names of reference files; folders before the name don't count. Exits with 1 if no rule of
    the context chooses any of them.
    """
    from calmap.bestref.matches import rule_paths
    from calmap.cli.scope import chosen_context
    from calmap.report.listing import listing_json
    from calmap.report.rules import render_rules
    from calmap.report.text import printable

    invocation: Invocation = ctx.obj
    names = frozenset(Path(name).name for name in references)
    chosen = chosen_context(invocation, cache, context, observatory)
    found = sorted(
        rule_paths(chosen, names, instrument), key=lambda path: (path.reference, path.mapping, path.line)
    )
    if style == "json":
        columns = ("reference", "mapping", "line", "instrument", "type", "conditions")
        rows = [(p.reference, p.mapping, p.line, p.instrument, p.reftype, dict(p.conditions)) for p in found]
        click.echo(listing_json(columns, rows), nl=False)
    elif found:
        render_rules(found, invocation.console(color))
    else:
        click.echo(printable(f"no rule of {chosen.name} chooses {', '.join(sorted(names))}"), err=True)
    ctx.exit(0 if found else 1)
