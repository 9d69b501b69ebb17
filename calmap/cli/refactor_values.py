"""Subcommands of ``calmap refactor`` for values of headers and rules."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from calmap.cli.options import examples
from calmap.cli.refactoring import always, paths_argument, refactor_options, run
from calmap.delivery.refactoring import Task
from calmap.edit import headerkeys, values
from calmap.edit.arguments import value_of
from calmap.edit.shape import has_parameter
from calmap.syntax.ast import Plain

_EXPRESSIONS = frozenset({"rmap_relevance", "rmap_omit"})


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
    data: Plain = value if key in _EXPRESSIONS and value[:1] not in "'\"" else value_of(value)
    task = Task(f"Set {key}", lambda mapping, _: headerkeys.set_key(mapping, key, data), always)
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
        lambda mapping, _: headerkeys.delete_key(mapping, key),
        partial(headerkeys.has_key, key=key),
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
