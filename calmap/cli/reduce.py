"""The command ``calmap reduce``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calmap.cli.cluster import place_options, place_to_run
from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option, quiet_option
from calmap.cli.reducing import (
    StepBar,
    as_calmap,
    exit_code,
    explain,
    nearer,
    output_of,
    output_options,
    parameter_options,
    reference_options,
    requested,
    told,
)
from calmap.cli.trouble import FINDINGS, say, tell
from calmap.errors import UsageError
from reduce.errors import ReduceError

if TYPE_CHECKING:
    from calmap.archive.cluster.places import Place
    from reduce.associations import Association, Kind
    from reduce.batch import Result, Sky
    from reduce.products import Output
    from reduce.session import Request

_LISTED = 3
_LEVELS = ("L0", "L1", "L2", "L3")


@click.command(
    epilog=examples(
        "calmap reduce exposures/*LVL0*.fits --out products",
        "calmap reduce night.json --to L3 --out products --report",
        "calmap reduce raw.fits --set ramp_fit.method=ols --skip cosmic_rays --override flat=my_flat.fits",
        "calmap reduce raw.fits --show references",
        "calmap reduce exposures --out products --workers 8",
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
@place_options
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def reduce(
    ctx: click.Context, /, files: tuple[str, ...], show: str | None, style: str, color: str, **given: Any
) -> None:
    """Reduce exposures with the references that the rules select.

    FILES are raw ramps or products (FITS), folders with such files below them, @LIST for a text file with a
    name on each line, or associations (JSON or YAML). Exposures of the sky are reduced first and subtracted
    from those of the same configuration. With --to L3 the exposures of each target are combined.

    Levels are L0 raw reads, L1 rates, L2 calibrated, L3 combined. Beside each product goes a log. The exit
    code is 1 if there is no reference for a type that is needed, and 3 if a file can't be used or written.

    With --workers or --scheduler many exposures are reduced at once; the products are the same. Workers of a
    cluster need the files, the cache and the folder for the products under the same names.
    """
    from calmap.cli import reduce_output

    invocation: Invocation = ctx.obj
    if show == "recipes":
        reduce_output.show_recipes(style, invocation.console(color))
        return
    if not files and show != "params":
        raise UsageError("there is nothing to reduce", "name files, folders or associations")
    with told():
        request = _request(invocation, given)
        if show == "params" and not files:
            reduce_output.show_parameters(request, style, invocation.console(color))
            return
    work = _Work(invocation, request, _output(invocation, given), quiet=given["quiet"])
    associations = work.associations(files)
    if show is not None:
        with told():
            console = invocation.console(color)
            if show == "params":
                reduce_output.show_parameters_for(associations, request, style, console)
            elif not reduce_output.show_references(associations, request, style, console):
                work.code = max(work.code, FINDINGS)
        ctx.exit(work.code)
    printer = reduce_output.Printer(style, invocation.console(color), quiet=given["quiet"])
    work.output.keep(path for association in associations for path in association.files)
    for result in _results(work, associations, color, given["scheduler"], given["workers"]):
        printer.show(result)
    printer.end()
    ctx.exit(work.code)


def _results(
    work: _Work, associations: Sequence[Association], color: str, scheduler: str | None, workers: int | None
) -> Iterator[Result]:
    """Reduce everything, in this process or by workers."""
    if scheduler is None and workers is None:
        for association in associations:
            yield from work.results(association, color)
        return
    with place_to_run(scheduler, workers) as place:
        yield from work.shared_results(place, associations, color)


def _request(invocation: Invocation, given: Mapping[str, Any]) -> Request:
    from reduce.recipe import Level, load

    request = requested(invocation, given, given["settings"])
    return replace(
        request,
        recipe=load(given["recipe"], invocation.cwd) if given["recipe"] else None,
        first=Level[given["first"]] if given["first"] else None,
        last=Level[given["last"]],
    )


def _output(invocation: Invocation, given: Mapping[str, Any]) -> Output:
    from reduce.quicklook.drawing import require

    if given["report"]:
        with told():
            require()
    return output_of(invocation, given, report=given["report"])


class _Work:
    """One call of the command, and how it went so far."""

    def __init__(self, invocation: Invocation, request: Request, output: Output, *, quiet: bool) -> None:
        self.invocation = invocation
        self.quiet = quiet
        self.request = request
        self.output = output
        self.code = 0
        self.skies: dict[tuple[Path, ...], Sky] = {}

    def complain(self, problem: ReduceError, path: Path | None = None) -> None:
        """Tell of a problem, and remember the worst."""
        explain(problem)
        shown = as_calmap(problem)
        if path is not None and (name := nearer(str(path))) not in shown.message:
            shown.message = f"{name}: {shown.message.removeprefix(f'{path.name}: ')}"
        tell(shown)
        self.code = max(self.code, exit_code(problem))

    def associations(self, names: Sequence[str]) -> tuple[Association, ...]:
        """What belongs together among the files that are named."""
        from calmap.headers.datasets import dataset_files
        from reduce.associations import associated, is_association, kind_of, read_associations
        from reduce.products import is_fits
        from reduce.session import passed_over

        found: list[Association] = []
        exposures: dict[Path, Kind] = {}
        passed: dict[str, list[Path]] = {}
        for name in names:
            folder = (self.invocation.cwd / Path(name).expanduser()).is_dir()
            for path in dataset_files([name], self.invocation.cwd):
                try:
                    if not folder and is_association(path):
                        found += read_associations(path)
                    elif folder and is_fits(path.name) and (reason := passed_over(path, self.request)):
                        passed.setdefault(reason, []).append(path)
                    elif not folder or is_fits(path.name):
                        exposures[path] = kind_of(path)
                except ReduceError as problem:
                    self.complain(problem, path)
        if not self.quiet:
            self._note(passed)
        if not found and not exposures and not self.code:
            what = "nothing to reduce" if passed else "no FITS file"
            raise UsageError(f"there is {what} below {', '.join(names)}")
        return (*found, *associated(exposures))

    def _note(self, passed: Mapping[str, Sequence[Path]]) -> None:
        """Say which files of folders are passed over."""
        from calmap.report.text import printable

        for reason, paths in passed.items():
            listed = ", ".join(printable(path.name) for path in paths[:_LISTED])
            more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
            many = "file" if len(paths) == 1 else "files"
            say(f"note: passed over {len(paths)} {many} {reason}: {listed}{more}")

    def results(self, association: Association, color: str) -> Iterator[Result]:
        """Reduce what belongs together; problems are told."""
        from reduce.batch import reduce_association

        shown = not self.quiet and sys.stderr.isatty()
        console = self.invocation.console(color, stderr=True) if shown else None
        self.output.folder.mkdir(parents=True, exist_ok=True)
        with StepBar(console) as bar:
            for result in reduce_association(association, self.request, self.output, bar.of, self.skies):
                self._complain_of(result)
                yield result

    def shared_results(
        self, place: Place, associations: Sequence[Association], color: str
    ) -> Iterator[Result]:
        """The same for all that belongs together, by workers."""
        from calmap.cli.progress import track
        from calmap.reduction.sharing import reduce_at

        console = None if self.quiet else self.invocation.console(color, stderr=True)
        self.output.folder.mkdir(parents=True, exist_ok=True)
        for result in track(reduce_at(place, associations, self.request, self.output), "Reducing", console):
            self._complain_of(result)
            yield result

    def _complain_of(self, result: Result) -> None:
        from reduce.batch import Failed

        if isinstance(result, Failed):
            self.complain(result.problem, result.path)
