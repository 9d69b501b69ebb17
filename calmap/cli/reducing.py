"""What the commands that reduce have in common: options, their meaning, errors, progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, TypeVar

import click

from calmap.cli.options import Invocation
from calmap.cli.trouble import FINDINGS, TROUBLE, USAGE, say
from calmap.errors import CacheError, CalmapError, RefusedError, UsageError
from reduce.errors import MissingReferenceError, OutputError, ParameterError, ReduceError

if TYPE_CHECKING:
    from rich.console import Console

    from reduce.files.layouts import Layout
    from reduce.frame import Ramp
    from reduce.pipeline import Data
    from reduce.products import Output
    from reduce.provenance import StepRecord
    from reduce.references import Resolver
    from reduce.session import Request
    from reduce.step import Step

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
_PATIENCE = 2.0
_COMPILING = "may be compiling, once after installation"


def reference_options(function: Decorated) -> Decorated:
    """``--override`` and ``--allow-missing``."""
    decorators = (
        click.option(
            "--override",
            "overrides",
            multiple=True,
            metavar="TYPE=FILE",
            help="Use this reference file, or N/A for none; may be repeated.",
        ),
        click.option(
            "--allow-missing",
            "allowed",
            multiple=True,
            metavar="TYPE",
            help="Go on where there is no reference of this type; may be repeated.",
        ),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def parameter_options(function: Decorated) -> Decorated:
    """``--set``, ``--params`` and ``--skip``."""
    decorators = (
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="STEP.PARAM=VALUE",
            help="Set a parameter of a step; may be repeated.",
        ),
        click.option(
            "--params",
            "parameter_files",
            multiple=True,
            metavar="FILE",
            help="Read parameters from a YAML, TOML, .cfg or .asdf file; may be repeated.",
        ),
        click.option(
            "--skip", "skip", multiple=True, metavar="STEP", help="Leave out a step; may be repeated."
        ),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def output_options(function: Decorated) -> Decorated:
    """``--out``, ``--overwrite`` and ``--layout``."""
    decorators = (
        click.option(
            "-o",
            "--out",
            metavar="FOLDER",
            default=".",
            help="Where products go; by default the current folder.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace products that exist."),
        click.option(
            "--layout",
            type=click.Choice(("standard", "liger")),
            default="standard",
            show_default=True,
            help="Name of the image: SCI, or DATA as the Liger/IRIS pipeline has it.",
        ),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def requested(invocation: Invocation, given: Mapping[str, Any], settings: Sequence[str]) -> Request:
    """What options ask for: where references come from, the parameters `settings`, what is left out.

    Parameters
    ----------
    given
        The values of `reference_options`, `parameter_options`, ``cache_options`` and ``no_cache``.
    settings
        Those of ``--set`` that are for steps.

    Raises
    ------
    UsageError, CacheError
        If an option can't be used, or there is no cache.
    ReduceError
        If a parameter file or a name of a step, a parameter or a reference type can't be used.
    """
    from reduce.parameterfiles import read_parameters
    from reduce.references import NoReferences, Overrides
    from reduce.session import Request
    from reduce.settings import Settings, command_line
    from reduce.steps import known_reftype

    files = [read_parameters(_file(name, invocation)) for name in given["parameter_files"]]
    overrides = {known_reftype(name): path for each in files for name, path in each.overrides.items()}
    overrides.update(_overridden(given["overrides"], invocation))
    return Request(
        Overrides(overrides, NoReferences() if given["no_cache"] else _resolver(invocation, given)),
        settings=Settings((*(each.layer for each in files), command_line(settings))),
        skip=frozenset(given["skip"]).union(*(each.skip for each in files)),
        allowed=frozenset(map(known_reftype, given["allowed"])),
    )


def output_of(invocation: Invocation, given: Mapping[str, Any], *, report: bool = False) -> Output:
    """Where the options of `output_options` say that products go.

    Raises
    ------
    UsageError
        If that is no folder.
    """
    from reduce.products import Output

    folder = invocation.cwd / Path(given["out"]).expanduser()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{given['out']} is not a folder")
    layout: Layout = "liger" if given["layout"] == "liger" else "standard"
    return Output(folder, given["overwrite"], layout, report)


def _resolver(invocation: Invocation, given: Mapping[str, Any]) -> Resolver:
    from calmap.cli.scope import chosen_context
    from calmap.reduction.resolver import CacheResolver

    return CacheResolver(chosen_context(invocation, given["cache"], given["context"], given["observatory"]))


def _overridden(overrides: Sequence[str], invocation: Invocation) -> dict[str, Path | None]:
    """Reference files that options name, by type."""
    from reduce.steps import known_reftype

    files: dict[str, Path | None] = {}
    for text in overrides:
        reftype, equals, name = text.partition("=")
        if not equals or not reftype.strip() or not name.strip():
            raise UsageError(
                f"'{text}' names no reference file", "write --override TYPE=FILE, such as flat=my.fits"
            )
        known = known_reftype(reftype.strip())
        files[known] = None if name.strip().upper() == "N/A" else _file(name, invocation)
    return files


def _file(name: str, invocation: Invocation) -> Path:
    path = invocation.cwd / Path(name.strip()).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {name}")
    return path


@contextmanager
def told() -> Iterator[None]:
    """Errors of the reduction as those that the program knows how to end with."""
    try:
        yield
    except ReduceError as problem:
        explain(problem)
        raise as_calmap(problem) from problem


def explain(problem: ReduceError) -> None:
    """Print why there is no reference, before that is told."""
    if isinstance(problem, MissingReferenceError) and problem.explanation:
        from calmap.report.text import printable

        for line in problem.explanation.splitlines():
            say(printable(line))


def as_calmap(problem: ReduceError) -> CalmapError:
    """An error of the reduction as one of calmap's, which decides the exit code."""
    kinds: dict[type[ReduceError], type[CalmapError]] = {
        MissingReferenceError: RefusedError,
        ParameterError: UsageError,
        OutputError: CacheError,
    }
    hint = None if problem.hint is None else nearer(problem.hint)
    return kinds.get(type(problem), CacheError)(nearer(problem.message), hint)


def nearer(text: str) -> str:
    """A text in which files below the current folder are named from there."""
    context = click.get_current_context(silent=True)
    if context is None or not isinstance(context.obj, Invocation) or context.obj.cwd == Path("/"):
        return text
    return re.sub(rf"(?<![\w./~-]){re.escape(str(context.obj.cwd))}/(?=[^\s/])", "", text)


def exit_code(problem: ReduceError) -> int:
    """The exit code that goes with an error."""
    codes: dict[type[ReduceError], int] = {MissingReferenceError: FINDINGS, ParameterError: USAGE}
    return codes.get(type(problem), TROUBLE)


class StepBar:
    """Shows on a console which step a file is in; see `reduce.pipeline.Watcher`.

    Where compiled code is used for the first time it is compiled first, which takes longer than the work. So
    it is told that this may be what takes so long, while no rows at all are done and that has lasted.
    """

    def __init__(self, console: Console | None) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        words = TextColumn("{task.fields[file]}  {task.description}", markup=False)
        shown = console is not None and console.is_terminal
        self.bar = Progress(
            words, BarColumn(), TimeElapsedColumn(), console=console, transient=True, disable=not shown
        )
        self.task = self.bar.add_task("", total=None, file="")
        self.title = ""
        self.waiting: Timer | None = None
        self.warm = not shown

    def __enter__(self) -> StepBar:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
        self.bar.stop()

    def _wait(self) -> None:
        """Tell after a while that code may be compiled, unless rows are done by then."""
        self.waiting = Timer(_PATIENCE, self._told_of_compiling)
        self.waiting.daemon = True
        self.waiting.start()

    def _told_of_compiling(self) -> None:
        self.bar.update(self.task, description=f"{self.title} ({_COMPILING})")

    def of(self, path: Path) -> StepBar:
        """The same for another file."""
        from calmap.report.text import printable

        self.bar.update(self.task, file=printable(path.name))
        return self

    def begun(self, step: Step) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.title = step.title
        self.bar.update(self.task, description=step.title, total=None)

    def rows(self, done: int, total: int) -> None:
        """See `reduce.pipeline.Watcher`."""
        if done == 0 and not self.warm:
            self._wait()
        elif done and self.waiting is not None:
            self.warm = True
            self.waiting.cancel()
            self.waiting = None
            self.bar.update(self.task, description=self.title)
        self.bar.update(self.task, completed=done, total=total)

    def worked(self, number: int, before: Ramp, after: Ramp) -> None:
        """See `reduce.pipeline.Watcher`."""

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """See `reduce.pipeline.Watcher`."""
