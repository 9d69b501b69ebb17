"""The command ``calmap delete-reference``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from calmap.cli.changes import carried_out, change_options, opened, show, show_json
from calmap.cli.options import Invocation, cache_options, examples, format_option, quiet_option

if TYPE_CHECKING:
    from calmap.delivery.change import Change
    from calmap.delivery.deletion import Withdrawal


@click.command(
    epilog=examples(
        "calmap delete-reference IRIS_IMG1_FLAT_20241106T000000_0.0.1.fits",
        "calmap delete-reference --dry-run bad_dark.fits",
    )
)
@click.argument("names", nargs=-1, required=True, metavar="NAMES...")
@cache_options
@change_options
@format_option("text", "json")
@quiet_option
@click.pass_context
def delete_reference(
    ctx: click.Context,
    names: tuple[str, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    in_place: bool,
    dry_run: bool,
    git: bool,
    style: str,
    quiet: bool,
) -> None:
    """Take reference files out of the rules.

    NAMES are file names of references. Every rule of the context that leads to one of them loses it; a rule
    that is left without files goes too. Mappings get new serial numbers, up to a new context. The files
    themselves stay in the cache, as older contexts need them. calmap undo takes it back.

    The exit code is 1 if the context does not name one of the files.
    """
    invocation: Invocation = ctx.obj
    layout, rules = opened(invocation, cache, context, observatory)
    planned: list[Withdrawal] = []

    def plan() -> Change:
        from calmap.delivery.change import Change
        from calmap.delivery.deletion import plan_deletion
        from calmap.report.withdrawal import summary

        found, name = rules()
        withdrawal = plan_deletion(found, name, names, in_place=in_place)
        planned.append(withdrawal)
        gone = names[0].rpartition("/")[2] if len(names) == 1 else f"{len(names)} references"
        return Change(f"Delete {gone} from the rules", withdrawal.revision, details=summary(withdrawal))

    made = carried_out(invocation, layout, plan, title="delete-reference", dry_run=dry_run, git=git)
    if not quiet:
        from calmap.report.withdrawal import render_withdrawal, withdrawal_json

        if style == "json":
            show_json(made, withdrawal_json(planned[-1]))
        else:
            show(made, render_withdrawal(planned[-1]), layout)
