"""How errors are told, and the exit codes that go with them."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TextIO

import click

from calmap.errors import CalmapError, CalmapWarning

FINDINGS, USAGE, TROUBLE = 1, 2, 3


def tell(problem: CalmapError) -> None:
    """Print an error and what to do about it."""
    from calmap.report.text import printable

    for lead, text in (("error", problem.message), ("hint", problem.hint)):
        if text:
            say(f"{lead}: {printable(text)}")


def tell_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning: calmap's own for people, others as Python prints them."""
    if issubclass(category, CalmapWarning):
        from calmap.report.text import printable

        say(f"warning: {printable(str(message))}")
    else:
        say(warnings.formatwarning(message, category, filename, lineno, line).rstrip())


def say(line: str) -> None:
    """Print a line on standard error; if that can't be written, the exit code has to tell."""
    with suppress(OSError):
        click.echo(line, err=True)
