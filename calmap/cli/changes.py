"""Options and ways that commands which change a cache have in common."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from calmap.cli.options import Invocation
from calmap.errors import UsageError

if TYPE_CHECKING:
    from calmap.cache.layout import Layout
    from calmap.cache.rulesets import Rules
    from calmap.cache.settings import Settings
    from calmap.delivery.change import Change, Made

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def change_options(function: Decorated) -> Decorated:
    """``--in-place``, ``--dry-run`` and ``--git``."""
    decorators = (
        click.option("--in-place", is_flag=True, help="Change the rmaps themselves; no new serial numbers."),
        click.option("-n", "--dry-run", is_flag=True, help="Show the whole change as a diff; write nothing."),
        click.option("--git", is_flag=True, help="Commit the change on a new branch."),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def opened(
    invocation: Invocation, cache: str | None, context: str | None, observatory: str | None
) -> tuple[Layout, Callable[[], tuple[Rules, str]]]:
    """The cache, and what finds its rules and the context once nobody else can change them.

    Raises
    ------
    CalmapError
        If no cache is known.
    """

    def settings() -> Settings:
        return invocation.settings(cache=cache, context=context, observatory=observatory)

    def rules() -> tuple[Rules, str]:
        from calmap.cache.rulesets import open_rules

        chosen = settings()
        context, telescope = chosen.context_name(), chosen.observatory.value
        if telescope is None:
            raise UsageError(f"to which telescope does {context} belong?", "name it with --observatory")
        found = open_rules(chosen.layout(), telescope)
        found.layout.mapping_path(context, telescope)
        return found, context

    return settings().layout(), rules


def carried_out(
    invocation: Invocation,
    layout: Layout,
    plan: Callable[[], Change],
    *,
    title: str,
    dry_run: bool,
    git: bool,
) -> Made:
    """A change made, or only planned in a dry run.

    Raises
    ------
    CalmapError
        If it can't be planned or made; then nothing has changed.
    """
    from calmap.cache.transaction import interrupted
    from calmap.delivery.change import Made, make
    from calmap.report.text import printable

    def tell(kind: str, text: str) -> None:
        click.echo(f"{kind}: {printable(text)}", err=True)

    if dry_run and git:
        raise UsageError("--dry-run and --git can't go together", hint="choose one of them")
    if dry_run:
        if pending := interrupted(layout):
            tell("warning", pending)
        made = Made(plan(), None)
    else:
        made = make(layout, plan, title=title, git=git, waiting=lambda who: tell("waiting", who))
    if made.recovered is not None and made.recovered.title:
        done = "finished" if made.recovered.completed else "took back"
        tell("note", f"{done} the change '{made.recovered.title}', which had been interrupted")
    if newest := made.change.leaves_out(layout):
        tell(
            "warning",
            f"{made.change.revision.context} does not have what came after its basis, up to {newest}",
        )
    return made


def show(made: Made, report: str, layout: Layout) -> None:
    """Print a report for people, and how the change ended."""
    from calmap.report.change import verdict

    _tell(made, report + verdict(made, layout.root))


def show_json(made: Made, report: Mapping[str, Any]) -> None:
    """Print a report for machines, and how the change ended."""
    _tell(made, json.dumps({**report, "dry_run": made.is_dry, "branch": made.branch}, indent=2) + "\n")


def _tell(made: Made, text: str) -> None:
    """Print what became of a change; if that fails, say at least that it is made."""
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError:
        if made.committed is not None and made.committed.paths:
            click.echo("note: the change is made, though its report can't be printed", err=True)
        raise
