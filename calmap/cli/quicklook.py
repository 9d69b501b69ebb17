"""The command ``calmap quicklook``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.cli.reducing import StepBar, told
from calmap.errors import CacheError

if TYPE_CHECKING:
    from reduce.quicklook.report import Report


@click.command(
    epilog=examples(
        "calmap quicklook raw.fits",
        "calmap quicklook products/2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL2_0001-00.fits -o look.html",
        "calmap quicklook product.fits --search raw --search references/ligeriri/iris",
        "calmap quicklook flat.fits --format json",
    )
)
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--out", metavar="OUT", help="A .png or .html file; by default FILE as .png in the current folder."
)
@click.option("--no-steps", is_flag=True, help="Do not run the steps of a product again.")
@click.option(
    "--search",
    "folders",
    multiple=True,
    metavar="FOLDER",
    help="Look here for files that a product was made from and that have moved; may be repeated.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists.")
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def quicklook(
    ctx: click.Context,
    file: str,
    out: str | None,
    no_steps: bool,
    folders: tuple[str, ...],
    overwrite: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Look at a file: its image, flagged pixels, histogram, steps and references.

    FILE is a raw ramp, a product or a reference file (FITS). The steps of a product are run again, if what it
    was made from is still there, to show the image before and after each of them. A .html file has more
    tables than a .png file. The exit code is 3 if the file can't be used or OUT can't be written.
    """
    from reduce.products import stem_of
    from reduce.quicklook.drawing import require
    from reduce.quicklook.report import require_ending

    invocation: Invocation = ctx.obj
    path = invocation.cwd / Path(file).expanduser()
    shown = Path(out).expanduser() if out else Path(f"{stem_of(path.name)}.png")
    target = invocation.cwd / shown
    with told():
        require_ending(target)
        require()
        if target.exists() and not overwrite:
            raise CacheError(
                f"{shown} exists", "name another file with --out, or replace it with --overwrite"
            )
        report = _report(invocation, path, folders, color, steps=not no_steps, quiet=quiet)
        report.write(target, overwrite=overwrite)
    if not quiet:
        _tell(report, shown, style)


def _report(
    invocation: Invocation, path: Path, folders: tuple[str, ...], color: str, *, steps: bool, quiet: bool
) -> Report:
    from reduce.quicklook.report import Report, with_steps
    from reduce.quicklook.subject import subject
    from reduce.replay import finder_for

    seen = subject(path)
    if not steps:
        return Report(seen)
    finder = finder_for(path, [invocation.cwd / Path(name).expanduser() for name in folders])
    console = None if quiet else invocation.console(color, stderr=True)
    with StepBar(console) as bar:
        return with_steps(seen, path, finder, bar.of(path))


def _tell(report: Report, shown: Path, style: str) -> None:
    from reduce.quicklook.words import facts, lines

    if style == "json":
        changes = [one.record.step for one in report.changes]
        found = {**facts(report.subject), "shown": changes, "note": report.note, "report": str(shown)}
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(report.subject.name)
    for line in (*lines(report.subject), *([f"  {report.note}"] if report.note else [])):
        click.echo(line)
    click.echo(f"wrote {shown}")
