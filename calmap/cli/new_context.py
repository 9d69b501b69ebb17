"""The command ``calmap new-context``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from calmap.cli.changes import carried_out, opened
from calmap.cli.options import (
    Invocation,
    cache_options,
    color_option,
    examples,
    format_option,
    quiet_option,
)
from calmap.cli.progress import track

if TYPE_CHECKING:
    from calmap.cache.targets import Target
    from calmap.compare.contexts import Compared
    from calmap.delivery.change import Change
    from calmap.delivery.contexts import NewContext


@click.command(
    epilog=examples(
        "calmap new-context ligeriri_iris_flat_0002.rmap ligeriri_iris_dark_0002.rmap",
        "calmap new-context --context hst_0729.pmap mappings/hst/hst_acs_0400.imap",
        "calmap new-context iris.drizpars=N/A",
    )
)
@click.argument("mappings", nargs=-1, required=True, metavar="MAPPINGS...")
@cache_options
@click.option("-n", "--dry-run", is_flag=True, help="Show the whole change as a diff; write nothing.")
@click.option("--git", is_flag=True, help="Commit the change on a new branch.")
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def new_context(
    ctx: click.Context,
    mappings: tuple[str, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    dry_run: bool,
    git: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Make a context in which other mappings stand for their instruments and types.

    MAPPINGS are rmaps and imaps of the cache, by name or path; each takes the place of the one of the same
    instrument and type. INSTRUMENT.TYPE=N/A says that a type does not apply, INSTRUMENT.TYPE=OMIT that it is
    left out. All else is as in the context of --context or the newest. A mapping in which calmap check finds
    errors is refused. calmap undo takes the new context back.

    The exit code is 1 if a mapping is refused.
    """
    invocation: Invocation = ctx.obj
    layout, rules = opened(invocation, cache, context, observatory)
    bar = None if quiet or not sys.stderr.isatty() else invocation.console(color, stderr=True)
    planned: list[tuple[NewContext, tuple[Compared, ...]]] = []

    def tracked(targets: Sequence[Target]) -> Iterator[Target]:
        return track(targets, "Checking", bar)

    def plan() -> Change:
        from calmap.delivery.change import Change
        from calmap.delivery.contexts import plan_context
        from calmap.delivery.preview import differences
        from calmap.report.relinking import links_summary

        found, name = rules()
        made = plan_context(found, name, mappings, invocation.cwd, tracked)
        planned.append((made, differences(layout, found.observatory.name, name, made.revision)))
        return Change(_title(made), made.revision, details=links_summary(made))

    made = carried_out(invocation, layout, plan, title="new-context", dry_run=dry_run, git=git)
    if quiet:
        return
    from calmap.report.change import verdict
    from calmap.report.relinking import links_json, render_links

    context_made, compared = planned[-1]
    if style == "json":
        from calmap.report.difference_json import compared_data

        ended = {"dry_run": made.is_dry, "branch": made.branch}
        told = {**links_json(context_made), **ended, "differences": [*map(compared_data, compared)]}
        click.echo(json.dumps(told, indent=2))
        return
    _show(compared, invocation, color)
    click.echo(render_links(context_made) + verdict(made, layout.root), nl=False)


def _show(compared: Sequence[Compared], invocation: Invocation, color: str) -> None:
    if compared:
        from calmap.report.difference import render_compared

        render_compared(compared, invocation.console(color))
        click.echo()


def _title(made: NewContext) -> str:
    subjects = [item.subject for item in made.links if item.new != item.old]
    if len(subjects) == 1:
        return f"Make a context with another mapping for {subjects[0]}"
    return f"Make a context with {len(subjects)} other mappings"
