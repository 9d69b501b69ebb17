"""Subcommands of ``calmap refactor`` for parameters, for values of rules, and for header."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from calmap.cli.options import examples
from calmap.cli.refactoring import always, paths_argument, refactor_options, run
from calmap.delivery.refactoring import Note, Task
from calmap.edit import header, parameters, parkeys, values
from calmap.edit.expressions import WHOLE_TYPE
from calmap.edit.literals import value_of
from calmap.edit.renaming import rename_parameter
from calmap.edit.shape import has_parameter
from calmap.model.mapping import Mapping
from calmap.model.values import NA, condition_element
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import Plain


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

    Every key gets one more element. With N/A, which accepts anything, no answer changes. It is refused if a
    hook of the telescope reads the parameter, which it would begin to see.
    """
    data = value_of(value)

    def add(mapping: Mapping, telescope: Observatory | None) -> Mapping:
        return parameters.add_parameter(mapping, name, data, telescope, level=level, after=after)

    def applies(mapping: Mapping) -> bool:
        return not has_parameter(mapping, name) and (after is None or has_parameter(mapping, after))

    def notes(mapping: Mapping) -> Iterator[Note]:
        del mapping
        if condition_element(data) != NA:
            yield Note(f"the rules now match only headers that {value} fits for {name}", warns=True)

    run(ctx, Task(f"Add {name}", add, applies, notes), paths, given)


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
@click.option("--force", is_flag=True, help="Do it also where files come in another order then.")
@refactor_options
@click.pass_context
def set_parkey_command(
    ctx: click.Context, /, parkey: str, paths: tuple[str, ...], force: bool, **given: Any
) -> None:
    """Give rules another parkey.

    PARKEY is a tuple with a tuple of parameters for each level of selectors. Parameters that rules have are
    moved to their new places, new ones are added with N/A, and others are dropped as drop-parameter does.

    Several files that are chosen together come in the order of the keys of their rules. It is refused if that
    would change.
    """
    wanted = value_of(parkey)

    def notes(mapping: Mapping) -> Iterator[Note]:
        if force and parkeys.changes_order(mapping, wanted):
            yield Note("files that are chosen together come in another order", warns=True)

    task = Task(
        "Set the parkey",
        lambda mapping, telescope: parkeys.set_parkey(mapping, wanted, telescope, strictly=not force),
        always,
        notes,
    )
    run(ctx, task, paths, given)


@click.command(
    "set-header",
    epilog=examples("calmap refactor set-header reffile_required no ligeriri_iris_dark_0001.rmap"),
)
@click.argument("key")
@click.argument("value")
@paths_argument
@refactor_options
@click.pass_context
def set_header_command(
    ctx: click.Context, /, key: str, value: str, paths: tuple[str, ...], **given: Any
) -> None:
    """Give a key of the header a value.

    VALUE is a literal as in mappings: a number, True, a tuple, or a string in quotes; other text is a string.
    Keys that say what a file is, and those that other subcommands change, are refused.
    """
    data: Plain = value if key in WHOLE_TYPE and value[:1] not in "'\"" else value_of(value)
    task = Task(f"Set {key}", lambda mapping, _: header.set_key(mapping, key, data), always)
    run(ctx, task, paths, given)


@click.command("del-header", epilog=examples("calmap refactor del-header reffile_format --instrument iris"))
@click.argument("key")
@paths_argument
@refactor_options
@click.pass_context
def del_header_command(ctx: click.Context, /, key: str, paths: tuple[str, ...], **given: Any) -> None:
    """Take a key out of the header."""
    task = Task(
        f"Delete {key}",
        lambda mapping, _: header.delete_key(mapping, key),
        partial(header.has_key, key=key),
    )
    run(ctx, task, paths, given)


@click.command(
    "set-substitution",
    epilog=examples(
        "calmap refactor set-substitution META.SUBARRAY.NAME GENERIC N/A --type dark",
        "calmap refactor set-substitution --remove META.SUBARRAY.NAME GENERIC --type dark",
    ),
)
@click.argument("parameter")
@click.argument("old")
@click.argument("new", required=False)
@paths_argument
@click.option("--remove", is_flag=True, help="No longer substitute OLD; there is no NEW then.")
@refactor_options
@click.pass_context
def set_substitution_command(
    ctx: click.Context,
    /,
    parameter: str,
    old: str,
    new: str | None,
    paths: tuple[str, ...],
    remove: bool,
    **given: Any,
) -> None:
    """Make rules read the value OLD of a parameter as NEW.

    Other substitutions stay. It is refused if two rules would become the same.
    """
    before = value_of(old)
    applies = partial(has_parameter, parameter=parameter)
    if remove:
        paths = (*(() if new is None else (new,)), *paths)
        task = Task(
            f"No longer substitute {old}",
            lambda mapping, _: values.remove_substitution(mapping, parameter, before),
            partial(values.has_substitution, parameter=parameter, old=before),
        )
    elif new is None:
        raise click.UsageError("NEW is missing: what OLD is to be read as")
    else:
        after = value_of(new)
        task = Task(
            f"Read {old} as {new}",
            lambda mapping, _: values.set_substitution(mapping, parameter, before, after),
            applies,
        )
    run(ctx, task, paths, given)


@click.command(
    "replace-value",
    epilog=examples("calmap refactor replace-value META.INSTRUMENT.DETECTOR IMG1 IMG --instrument iris"),
)
@click.argument("parameter")
@click.argument("old")
@click.argument("new")
@paths_argument
@refactor_options
@click.pass_context
def replace_value_command(
    ctx: click.Context, /, parameter: str, old: str, new: str, paths: tuple[str, ...], **given: Any
) -> None:
    """Replace a value of a parameter in all rules.

    OLD is replaced where it stands alone and where it is one of several, as in A|B. It is refused if two
    rules would become the same.
    """
    before, after = value_of(old), value_of(new)
    task = Task(
        f"Replace {old} by {new}",
        lambda mapping, _: values.replace_value(mapping, parameter, before, after),
        partial(values.has_value, parameter=parameter, old=before),
    )
    run(ctx, task, paths, given)
