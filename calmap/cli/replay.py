"""The command ``calmap replay``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.cli.reducing import StepBar, told

_DIFFERENT = 1


@click.command(
    epilog=examples(
        "calmap replay products/2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL2_0001-00.fits",
        "calmap replay product.fits --search raw --search references/ligeriri/iris --out again.fits",
    )
)
@click.argument("file", metavar="FILE")
@click.option(
    "--search",
    "folders",
    multiple=True,
    metavar="FOLDER",
    help="Look here for files that have moved; may be repeated.",
)
@click.option("-o", "--out", metavar="FILE", help="Write the product that comes out.")
@click.option("--overwrite", is_flag=True, help="Replace this file if it exists.")
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def replay(
    ctx: click.Context,
    file: str,
    folders: tuple[str, ...],
    out: str | None,
    overwrite: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Make a product again from what it says about itself, and compare.

    FILE is a product of calmap reduce. The same inputs and references are used, which must have the same
    sha256 as then, with the same steps and parameters. The exit code is 1 if other pixels come out, and 3 if
    a file is missing or is no longer the same.
    """
    from reduce.files.reader import read_frame
    from reduce.files.writer import write_frame
    from reduce.frame import Frame
    from reduce.replay import differences, finder_for, replayed

    invocation: Invocation = ctx.obj
    path = Path(file).expanduser()
    finder = finder_for(invocation.cwd / path, [invocation.cwd / Path(name).expanduser() for name in folders])
    console = None if quiet else invocation.console(color, stderr=True)
    with told():
        product = read_frame(invocation.cwd / path)
        with StepBar(console) as bar:
            again = replayed(product, path, finder, bar.of(path))
        if out and isinstance(again, Frame):
            write_frame(again, invocation.cwd / Path(out).expanduser(), overwrite=overwrite)
    differing = differences(product, again)
    if style == "json":
        click.echo(json.dumps({"file": file, "same": not differing, "different": list(differing)}, indent=2))
    elif not quiet:
        steps = len(product.provenance.steps)
        verdict = f"other values in {', '.join(differing)}" if differing else "the same pixels"
        click.echo(f"{file}: {steps} steps again, {verdict}")
    ctx.exit(_DIFFERENT if differing else 0)
