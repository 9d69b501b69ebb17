"""The command ``calmap insert-reference``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.changes import carried_out, change_options, opened, show, show_json
from calmap.cli.options import Invocation, cache_options, examples, format_option, quiet_option
from calmap.cli.trouble import FINDINGS, tell
from calmap.delivery.insertion import DeliveryError

if TYPE_CHECKING:
    from calmap.delivery.change import Change
    from calmap.delivery.insertion import Delivery


@click.command(
    epilog=examples(
        "calmap insert-reference new/IRIS_IMG1_FLAT_20250801T000000_0.0.1.fits",
        "calmap insert-reference --dry-run new/*.fits",
        "calmap insert-reference --git --context ligeriri_0003.pmap new/*.fits",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...", type=click.Path(path_type=Path))
@cache_options
@click.option("--type", "reftype", metavar="TYPE", help="The reference type, if the headers don't name it.")
@change_options
@format_option("text", "json")
@quiet_option
@click.pass_context
def insert_reference(
    ctx: click.Context,
    files: tuple[Path, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    reftype: str | None,
    in_place: bool,
    dry_run: bool,
    git: bool,
    style: str,
    quiet: bool,
) -> None:
    """Make the rules choose new reference files, and put the files into the cache.

    FILES are reference files whose headers say what they are for. Each is inserted into the rules of its type
    by changing as few lines as possible. Mappings get new serial numbers, up to a new context that derives
    from the one of --context or the newest. All files that are given at once make one new context, and either
    all of it is done or nothing. While others change the cache it waits for its turn, and gives up only if
    one of them takes over 30 seconds. calmap undo takes it back.

    The exit code is 1 if a file can't be inserted.
    """
    invocation: Invocation = ctx.obj
    layout, rules = opened(invocation, cache, context, observatory)
    planned: list[Delivery] = []

    def plan() -> Change:
        from calmap.delivery.change import Change
        from calmap.delivery.insertion import plan_insertion
        from calmap.report.delivery import summary

        found, name = rules()
        delivery = plan_insertion(found, name, files, reftype=reftype, in_place=in_place)
        planned.append(delivery)
        return Change(_title(delivery), delivery.revision, delivery.copies, summary(delivery))

    try:
        made = carried_out(invocation, layout, plan, title="insert-reference", dry_run=dry_run, git=git)
    except DeliveryError as refused:
        for problem in refused.problems:
            tell(problem)
        ctx.exit(FINDINGS)
    if not quiet:
        from calmap.report.delivery import delivery_json, render_delivery

        if style == "json":
            show_json(made, delivery_json(planned[-1]))
        else:
            show(made, render_delivery(planned[-1], layout.root), layout)


def _title(delivery: Delivery) -> str:
    names = [item.reference.name for item in delivery.inserted]
    types = sorted({f"{item.reference.instrument} {item.reference.reftype}" for item in delivery.inserted})
    if len(names) == 1:
        return f"Insert {names[0]} into the rules of {types[0]}"
    return f"Insert {len(names)} references into the rules of {', '.join(types)}"
