"""The command ``calmap compile``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from calmap.cli.options import Invocation, examples, format_option, quiet_option
from calmap.cli.trouble import FINDINGS, tell


@click.command(
    epilog=examples(
        "calmap compile hst_0729.pmap -o hst.calmap",
        "calmap bestref exposure.fits --cache hst.calmap",
    )
)
@click.argument("name", required=False, metavar="[CONTEXT]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="CONTEXT.calmap if left out."
)
@click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it.")
@click.option("--observatory", metavar="NAME", help="The telescope, such as ligeriri.")
@format_option("table", "json")
@quiet_option
@click.pass_context
def compile_command(
    ctx: click.Context,
    name: str | None,
    output: Path | None,
    cache: str | None,
    observatory: str | None,
    style: str,
    quiet: bool,
) -> None:
    """Put a context into one file that selects where no mappings are.

    The file has the mappings of CONTEXT, the newest if left out, with their compiled forms and the definition
    of the telescope. It stands for a cache: calmap bestref --cache FILE. Reference files are looked for in a
    folder references beside it. The same context always makes the same file. Exits with 1 if a mapping can't
    be used; it can't in the cache either.
    """
    from rich.filesize import decimal

    from calmap.cache.bundle import SUFFIX, bundle
    from calmap.cache.store import write_atomically
    from calmap.cli.scope import chosen_context

    invocation: Invocation = ctx.obj
    chosen = chosen_context(invocation, cache, name, observatory)
    target = invocation.cwd / (output or Path(chosen.name).with_suffix(SUFFIX).name)
    made = bundle(chosen.rules, chosen.name)
    write_atomically(target, made.data)
    for problem in made.problems:
        tell(problem)
    if style == "json":
        about = {
            "file": str(target),
            "context": chosen.name,
            "mappings": made.mappings,
            "bytes": len(made.data),
            "problems": [str(problem) for problem in made.problems],
        }
        click.echo(json.dumps(about, indent=2))
    elif not quiet:
        shown = output or target.name
        click.echo(f"{shown}: {chosen.name}, {made.mappings} mappings, {decimal(len(made.data))}")
    ctx.exit(FINDINGS if made.problems else 0)
