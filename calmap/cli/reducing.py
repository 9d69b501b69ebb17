"""What the commands that reduce have in common: options, their meaning, errors, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from calmap.cli.options import Invocation
from calmap.cli.trouble import FINDINGS, TROUBLE, USAGE
from calmap.errors import CacheError, CalmapError, RefusedError, UsageError
from reduce.errors import MissingReferenceError, OutputError, ParameterError, ReduceError

if TYPE_CHECKING:
    from rich.console import Console

    from reduce.frame import Ramp
    from reduce.pipeline import Data
    from reduce.provenance import StepRecord
    from reduce.step import Step

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


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


def overridden(overrides: Sequence[str], invocation: Invocation) -> dict[str, Path | None]:
    """Reference files that options name, by type.

    Raises
    ------
    UsageError
        If an option is not TYPE=FILE, or the file is not there.
    """
    files: dict[str, Path | None] = {}
    for text in overrides:
        reftype, equals, name = text.partition("=")
        if not equals or not reftype.strip() or not name.strip():
            raise UsageError(
                f"'{text}' names no reference file", "write --override TYPE=FILE, such as flat=my.fits"
            )
        files[reftype.strip().lower()] = None if name.strip().upper() == "N/A" else _file(name, invocation)
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
            click.echo(printable(line), err=True)


def as_calmap(problem: ReduceError) -> CalmapError:
    """An error of the reduction as one of calmap's, which decides the exit code."""
    kinds: dict[type[ReduceError], type[CalmapError]] = {
        MissingReferenceError: RefusedError,
        ParameterError: UsageError,
        OutputError: CacheError,
    }
    return kinds.get(type(problem), CacheError)(problem.message, problem.hint)


def exit_code(problem: ReduceError) -> int:
    """The exit code that goes with an error."""
    codes: dict[type[ReduceError], int] = {MissingReferenceError: FINDINGS, ParameterError: USAGE}
    return codes.get(type(problem), TROUBLE)


class StepBar:
    """Shows on a console which step a file is in; see `reduce.pipeline.Watcher`."""

    def __init__(self, console: Console | None) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        words = TextColumn("{task.fields[file]}  {task.description}")
        shown = console is not None and console.is_terminal
        self.bar = Progress(
            words, BarColumn(), TimeElapsedColumn(), console=console, transient=True, disable=not shown
        )
        self.task = self.bar.add_task("", total=None, file="")

    def __enter__(self) -> StepBar:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def of(self, path: Path) -> StepBar:
        """The same for another file."""
        self.bar.update(self.task, file=path.name)
        return self

    def begun(self, step: Step) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.bar.update(self.task, description=step.title, total=None)

    def rows(self, done: int, total: int) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.bar.update(self.task, completed=done, total=total)

    def worked(self, number: int, before: Ramp, after: Ramp) -> None:
        """See `reduce.pipeline.Watcher`."""

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """See `reduce.pipeline.Watcher`."""
