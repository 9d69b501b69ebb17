"""Subcommands of ``calmap refactor`` for the parameters that rules look at."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from calmap.cli.options import examples
from calmap.cli.refactoring import always, paths_argument, refactor_options, run
from calmap.delivery.refactoring import Task
from calmap.edit import parameters
from calmap.edit.arguments import value_of
from calmap.edit.renaming import rename_parameter
from calmap.edit.shape import has_parameter
from calmap.model.mapping import Mapping


@click.command(
    "rename-parameter",
    epilog=examples(
        "calmap refactor rename-parameter META.INSTRUMENT.ERA META.ERA --context ligeriri_0001.pmap"
    ),
)
@click.argument("old")
@click.argument("new")
@paths_argument
@refactor_options
@click.pass_context
def rename_parameter_command(
    ctx: click.Context, /, old: str, new: str, paths: tuple[str, ...], **given: Any
) -> None:
    """Give a parameter another name.

    OLD becomes NEW wherever the header names it: in parkey, parkey_relevance, substitutions,
    comment_parkeys, extra_keys, reffile_switch, the targets of reference_to_dataset, and as a name in
    expressions. A header with the value under the new name gets the same answers.
    """
    task = Task(
        f"Rename {old} to {new}",
        lambda mapping, telescope: rename_parameter(mapping, old, new, telescope),
        partial(has_parameter, parameter=old),
    )
    run(ctx, task, paths, given)


@click.command(
    "add-parameter",
    epilog=examples(
        "calmap refactor add-parameter FILTER ligeriri_iris_flat_0001.rmap",
        "calmap refactor add-parameter FILTER --after META.INSTRUMENT.DETECTOR --type flat",
    ),
)
@click.argument("name")
@paths_argument
@click.option("--value", default="N/A", show_default=True, help="What every rule has for it.")
@click.option("--level", type=click.IntRange(1), help="Level of the parkey; 1 is the outermost, the default.")
@click.option("--after", metavar="PARAMETER", help="The parameter to put it behind; the last, if not given.")
@refactor_options
@click.pass_context
def add_parameter_command(
    ctx: click.Context,
    /,
    name: str,
    paths: tuple[str, ...],
    value: str,
    level: int | None,
    after: str | None,
    **given: Any,
) -> None:
    """Make rules look at one more parameter.

    Every key gets one more element. With N/A, which accepts anything, no answer changes.
    """
    add = partial(parameters.add_parameter, name=name, value=value_of(value), level=level, after=after)

    def applies(mapping: Mapping) -> bool:
        return not has_parameter(mapping, name) and (after is None or has_parameter(mapping, after))

    run(ctx, Task(f"Add {name}", lambda mapping, _: add(mapping), applies), paths, given)


@click.command(
    "drop-parameter", epilog=examples("calmap refactor drop-parameter FILTER --type flat --dry-run")
)
@click.argument("name")
@paths_argument
@refactor_options
@click.pass_context
def drop_parameter_command(ctx: click.Context, /, name: str, paths: tuple[str, ...], **given: Any) -> None:
    """Make rules no longer look at a parameter.

    Rules that are then the same and lead to the same files become one. It is refused if rules that lead to
    different files would become the same.
    """
    task = Task(
        f"Drop {name}",
        lambda mapping, telescope: parameters.drop_parameter(mapping, name, telescope),
        partial(has_parameter, parameter=name),
    )
    run(ctx, task, paths, given)


@click.command(
    "set-parkey",
    epilog=examples(
        "calmap refactor set-parkey \"(('DETECTOR', 'FILTER'), ('DATE-OBS',))\" flat.rmap --in-place"
    ),
)
@click.argument("parkey")
@paths_argument
@refactor_options
@click.pass_context
def set_parkey_command(ctx: click.Context, /, parkey: str, paths: tuple[str, ...], **given: Any) -> None:
    """Give rules another parkey.

    PARKEY is a tuple with a tuple of parameters for each level of selectors. Parameters that rules have are
    moved to their new places, new ones are added with N/A, and others are dropped as drop-parameter does.
    """
    wanted = value_of(parkey)
    task = Task(
        "Set the parkey",
        lambda mapping, telescope: parameters.set_parkey(mapping, wanted, telescope),
        always,
    )
    run(ctx, task, paths, given)
