"""The command ``calmap reduce``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option, quiet_option
from calmap.cli.reducing import (
    StepBar,
    as_calmap,
    exit_code,
    explain,
    output_options,
    overridden,
    parameter_options,
    reference_options,
    told,
)
from calmap.cli.trouble import FINDINGS, tell
from calmap.errors import UsageError
from reduce.errors import ReduceError

if TYPE_CHECKING:
    from reduce.associations import Association, Kind
    from reduce.batch import Result
    from reduce.products import Output
    from reduce.references import Resolver
    from reduce.session import Request

_LEVELS = ("L0", "L1", "L2", "L3")
_FITS = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")


@click.command(
    epilog=examples(
        "calmap reduce exposures/*LVL0*.fits --out products",
        "calmap reduce night.json --to L3 --out products --report",
        "calmap reduce raw.fits --set ramp_fit.method=ols --skip cosmic_rays --override flat=my_flat.fits",
        "calmap reduce raw.fits --show references",
    )
)
@click.argument("files", nargs=-1, metavar="FILES...")
@cache_options
@click.option("--no-cache", is_flag=True, help="Use no references but those of --override.")
@click.option(
    "--recipe", metavar="NAME", help="The recipe, or a YAML file with one; by default by the header."
)
@click.option(
    "--from", "first", type=click.Choice(_LEVELS[:3]), help="Level of the files, if not what they say."
)
@click.option(
    "--to", "last", type=click.Choice(_LEVELS[1:]), default="L2", show_default=True, help="Last level."
)
@parameter_options
@reference_options
@output_options
@click.option("--report", is_flag=True, help="Write a page with pictures beside each product.")
@click.option(
    "--show",
    type=click.Choice(("recipes", "params", "references")),
    help="Reduce nothing; show recipes, parameters and who set them, or the references and why.",
)
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def reduce(
    ctx: click.Context,
    files: tuple[str, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    no_cache: bool,
    recipe: str | None,
    first: str | None,
    last: str,
    settings: tuple[str, ...],
    parameter_files: tuple[str, ...],
    skip: tuple[str, ...],
    overrides: tuple[str, ...],
    allowed: tuple[str, ...],
    out: str,
    overwrite: bool,
    layout: str,
    report: bool,
    show: str | None,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Reduce exposures with the references that the rules select.

    FILES are raw ramps or products (FITS), folders with such files below them, @LIST for a text file with a
    name on each line, or associations (JSON or YAML). Exposures of the sky are reduced first and subtracted
    from those of the same configuration. With --to L3 the exposures of each target are combined.

    Levels are L0 raw reads, L1 rates, L2 calibrated, L3 combined. Beside the product of an exposure goes
    a log. The exit code is 1 if there is no reference for a type that is needed, and 3 if a file can't be
    used or written.
    """
    from calmap.cli import reduce_output

    invocation: Invocation = ctx.obj
    if show == "recipes":
        reduce_output.show_recipes(style, invocation.console(color))
        return
    with told():
        resolver = None if no_cache else _resolver(invocation, cache, context, observatory)
        request = _request(
            invocation, resolver, recipe, (first, last), settings, parameter_files, skip, overrides, allowed
        )
        if show == "params" and not files:
            reduce_output.show_parameters(request, style, invocation.console(color))
            return
    if not files:
        raise UsageError("there is nothing to reduce", "name files, folders or associations")
    work = _Work(invocation, request, _output(invocation, out, layout, overwrite=overwrite, report=report))
    associations = work.associations(files)
    if show is not None:
        with told():
            console = invocation.console(color)
            if show == "params":
                reduce_output.show_parameters_for(associations, request, style, console)
            elif not reduce_output.show_references(associations, request, style, console):
                work.code = max(work.code, FINDINGS)
        ctx.exit(work.code)
    printer = reduce_output.Printer(style, invocation.console(color), quiet=quiet)
    for association in associations:
        for result in work.results(association, color, quiet=quiet):
            printer.show(result)
    printer.end()
    ctx.exit(work.code)


def _resolver(
    invocation: Invocation, cache: str | None, context: str | None, observatory: str | None
) -> Resolver:
    from calmap.cli.scope import chosen_context
    from calmap.reduction.resolver import CacheResolver

    return CacheResolver(chosen_context(invocation, cache, context, observatory))


def _request(
    invocation: Invocation,
    resolver: Resolver | None,
    recipe: str | None,
    levels: tuple[str | None, str],
    settings: Sequence[str],
    parameter_files: Sequence[str],
    skip: Sequence[str],
    overrides: Sequence[str],
    allowed: Sequence[str],
) -> Request:
    from reduce.parameterfiles import read_parameters
    from reduce.recipe import Level, load
    from reduce.references import NoReferences, Overrides
    from reduce.session import Request
    from reduce.settings import Settings, command_line

    given = [read_parameters(invocation.cwd / Path(name).expanduser()) for name in parameter_files]
    files = {reftype: path for each in given for reftype, path in each.overrides.items()}
    files.update(overridden(overrides, invocation))
    return Request(
        Overrides(files, resolver or NoReferences()),
        load(recipe, invocation.cwd) if recipe else None,
        Level[levels[0]] if levels[0] else None,
        Level[levels[1]],
        Settings((*(each.layer for each in given), command_line(settings))),
        frozenset(skip).union(*(each.skip for each in given)),
        frozenset(reftype.lower() for reftype in allowed),
    )


def _output(invocation: Invocation, out: str, layout: str, *, overwrite: bool, report: bool) -> Output:
    from reduce.products import Output
    from reduce.quicklook.drawing import require

    if report:
        with told():
            require()

    folder = invocation.cwd / Path(out).expanduser()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{out} is not a folder")
    return Output(folder, overwrite, "liger" if layout == "liger" else "standard", report)


class _Work:
    """One call of the command, and how it went so far."""

    def __init__(self, invocation: Invocation, request: Request, output: Output) -> None:
        self.invocation = invocation
        self.request = request
        self.output = output
        self.code = 0
        self.skies: dict[tuple[Path, ...], Result] = {}

    def complain(self, problem: ReduceError, path: Path | None = None) -> None:
        """Tell of a problem, and remember the worst."""
        explain(problem)
        shown = as_calmap(problem)
        if path is not None and str(path) not in shown.message:
            shown.message = f"{path}: {shown.message}"
        tell(shown)
        self.code = max(self.code, exit_code(problem))

    def associations(self, names: Sequence[str]) -> tuple[Association, ...]:
        """What belongs together among the files that are named."""
        from calmap.headers.datasets import dataset_files
        from reduce.associations import associated, is_association, kind_of, read_associations

        found: list[Association] = []
        exposures: dict[Path, Kind] = {}
        for name in names:
            folder = (self.invocation.cwd / Path(name).expanduser()).is_dir()
            for path in dataset_files([name], self.invocation.cwd):
                try:
                    if not folder and is_association(path):
                        found += read_associations(path)
                    elif not folder or path.name.lower().endswith(_FITS):
                        exposures[path] = kind_of(path)
                except ReduceError as problem:
                    self.complain(problem, path)
        if not found and not exposures and not self.code:
            raise UsageError(f"there is no FITS file below {', '.join(names)}")
        return (*found, *associated(exposures))

    def results(self, association: Association, color: str, *, quiet: bool) -> Iterator[Result]:
        """Reduce what belongs together; problems are told."""
        from reduce.batch import Failed, reduce_association

        shown = not quiet and sys.stderr.isatty()
        console = self.invocation.console(color, stderr=True) if shown else None
        self.output.folder.mkdir(parents=True, exist_ok=True)
        with StepBar(console) as bar:
            for result in reduce_association(association, self.request, self.output, bar.of, self.skies):
                if isinstance(result, Failed):
                    self.complain(result.problem, result.path)
                yield result
