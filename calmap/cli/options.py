"""Options that mean the same for every command, and what they are resolved to."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from calmap.cache.settings import Settings

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Invocation:
    """Where and with which variables the program was started."""

    variables: Mapping[str, str]
    cwd: Path

    def settings(self, **options: str | None) -> Settings:
        """Settings with those of the command line on top."""
        from calmap.cache.settings import resolve_settings

        return resolve_settings(options, self.variables, self.cwd)

    def console(self, color: str, *, stderr: bool = False) -> Console:
        """A console on an output of the program; colour as asked for."""
        from rich.console import Console

        class Piped(Console):
            """Leaves it to the program what happens when nobody reads its output any more."""

            def on_broken_pipe(self) -> None:
                raise BrokenPipeError

        stream = (sys.stderr if stderr else sys.stdout) or io.StringIO()
        coloured = color == "always" or (color == "auto" and self._is_colourful(stream.isatty()))
        return Piped(
            file=stream,
            color_system="auto" if coloured else None,
            force_terminal=True if coloured else None,
            no_color=not coloured,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def _is_colourful(self, terminal: bool) -> bool:
        return terminal and not self.variables.get("NO_COLOR") and self.variables.get("TERM") != "dumb"


def cache_options(function: Decorated) -> Decorated:
    """``--cache``, ``--context`` and ``--observatory``."""
    decorators = (
        click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it."),
        click.option("--context", metavar="NAME", help="The context, such as hst_0729.pmap."),
        click.option("--observatory", metavar="NAME", help="The telescope, such as ligeriri."),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def format_option(*choices: str) -> Callable[[Decorated], Decorated]:
    """``--format``; the first choice is the default."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="How to print the result.",
    )


def color_option(function: Decorated) -> Decorated:
    """``--color``."""
    decorate = click.option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        default="auto",
        show_default=True,
        help="Colours; auto means on a terminal, unless NO_COLOR is set.",
    )
    return decorate(function)


def quiet_option(function: Decorated) -> Decorated:
    """``--quiet``."""
    decorate = click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
    return decorate(function)


def examples(*lines: str) -> str:
    """The epilog of a command's help."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))
