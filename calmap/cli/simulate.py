"""The command ``calmap simulate``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from calmap.cli.options import Invocation, examples, quiet_option
from calmap.cli.progress import track
from calmap.cli.reducing import told

_SMALLEST, _LARGEST = 64, 4096


@click.command(epilog=examples("calmap simulate night", "calmap simulate --size 512 --seed 7 night7"))
@click.argument("folder")
@click.option(
    "--size",
    type=click.IntRange(_SMALLEST, _LARGEST),
    default=256,
    show_default=True,
    help="Rows and columns of the detector.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Another number, another night.",
)
@quiet_option
@click.pass_context
def simulate(ctx: click.Context, folder: str, size: int, seed: int, quiet: bool) -> None:
    """Make up a night of IRIS's imager, to try calmap on.

    FOLDER, which has to be new or empty, gets raw exposures in raw: biases, darks, flats, standard stars,
    a star cluster and empty sky. What is true about the stars is in truth. It is also a cache: its rules
    choose references that were measured a month before. The same size and seed make the same bytes.

    The exit code is 1 if there is something in the folder already.
    """
    from calmap.reduction.night import RAW, Simulation

    invocation: Invocation = ctx.obj
    simulation = Simulation(Path(os.path.normpath(invocation.cwd / Path(folder).expanduser())), size, seed)
    console = None if quiet else invocation.console("auto", stderr=True)
    with told():
        paths = list(track(simulation, "Simulating", console))
    if not quiet:
        raw = sum(path.parent.name == RAW for path in paths)
        references = sum("references" in path.parts for path in paths)
        click.echo(f"made {raw} raw exposures and a cache with {references} references in {folder}")
        click.echo("next: go there and try")
        click.echo("  calmap reduce raw/*SCI-SF1*.fits --out products")
