"""How errors are told, and the exit codes that go with them."""

from __future__ import annotations

from contextlib import suppress

import click

from calmap.errors import CalmapError

FINDINGS, USAGE, TROUBLE = 1, 2, 3


def tell(problem: CalmapError) -> None:
    """Print an error and what to do about it."""
    from calmap.report.text import printable

    for lead, text in (("error", problem.message), ("hint", problem.hint)):
        if text:
            say(f"{lead}: {printable(text)}")


def say(line: str) -> None:
    """Print a line on standard error; if that can't be written, the exit code has to tell."""
    with suppress(OSError):
        click.echo(line, err=True)
