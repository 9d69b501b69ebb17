"""Subcommands of ``calmap refactor`` for how rules are written."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import click

from calmap.cli.options import examples
from calmap.cli.refactoring import always, paths_argument, refactor_options, run
from calmap.delivery.refactoring import Task
from calmap.edit import unions
from calmap.edit.formatting import format_layout
from calmap.edit.ordering import sort
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping

_PLACE = re.compile(r"(?P<path>.+):(?P<line>\d{1,9})")


@click.command("split-rule", epilog=examples("calmap refactor split-rule ligeriri_iris_flat_0001.rmap:18"))
@click.argument("place", metavar="FILE:LINE")
@click.option("--parameter", metavar="NAME", help="The parameter to split by, if several could be.")
@click.option("--force", is_flag=True, help="Split also where headers with N/A or * get another answer then.")
@refactor_options
@click.pass_context
def split_rule_command(
    ctx: click.Context, /, place: str, parameter: str | None, force: bool, **given: Any
) -> None:
    """Split a rule for several values, such as A|B, into one rule for each.

    FILE:LINE is where the rule stands. Each of the new rules has a copy of what it leads to.
    """
    path, line = _place(place)
    if line is None:
        raise click.UsageError(f"{place} names no line; write FILE:LINE")
    split = partial(unions.split_rule, line=line, parameter=parameter, strictly=not force)
    run(ctx, Task("Split a rule", lambda mapping, _: split(mapping), always), (path,), given)


@click.command(
    "merge-rules",
    epilog=examples(
        "calmap refactor merge-rules ligeriri_iris_flat_0001.rmap",
        "calmap refactor merge-rules ligeriri_iris_flat_0001.rmap:18 ligeriri_iris_flat_0001.rmap:24",
    ),
)
@paths_argument
@click.option("--force", is_flag=True, help="Merge also where headers with N/A or * get another answer then.")
@refactor_options
@click.pass_context
def merge_rules_command(ctx: click.Context, /, paths: tuple[str, ...], force: bool, **given: Any) -> None:
    """Merge rules that differ in one value only into a rule for all these values, such as A|B.

    They must lead to the same files. PATHS may be FILE:LINE too, to merge the rules of these lines only.
    """
    lines: dict[str, set[int]] = {}
    for path, line in map(_place, paths):
        lines.setdefault(path, set()).update(() if line is None else (line,))
    by_name = {Path(path).name: frozenset(found) for path, found in lines.items() if found}
    if by_name and len(by_name) < len(lines):
        raise click.UsageError("give lines for all files, or for none")

    def merge(mapping: Mapping, _: object) -> Mapping:
        found = by_name.get(mapping.name, frozenset())
        new = unions.merge_rules(mapping, found, strictly=not force)
        if found and new.text == mapping.text:
            message = f"{mapping.path}: the rules of these lines can't be merged"
            raise RefusedError(
                message, "rules must differ in one plain value only, and lead to the same files"
            )
        return new

    run(ctx, Task("Merge rules", merge, always), tuple(lines), given)


@click.command("sort", epilog=examples("calmap refactor sort --in-place mappings/ligeriri/"))
@paths_argument
@refactor_options
@click.pass_context
def sort_command(ctx: click.Context, /, paths: tuple[str, ...], **given: Any) -> None:
    """Put header and rules in the order in which CRDS writes them.

    Comment lines right above a rule, and the comment on its line, move with it. No answer changes.
    """
    run(ctx, Task("Sort the rules", lambda mapping, _: sort(mapping), always), paths, given)


@click.command("format", epilog=examples("calmap refactor format --in-place new.rmap"))
@paths_argument
@refactor_options
@click.pass_context
def format_command(ctx: click.Context, /, paths: tuple[str, ...], **given: Any) -> None:
    """Lay mappings out as CRDS does: a rule a line, four blanks a level, a comma after each.

    Comments stay, and so do strings and numbers as they are written, and the order of rules.
    """
    run(ctx, Task("Lay out the rules", lambda mapping, _: format_layout(mapping), always), paths, given)


def _place(text: str) -> tuple[str, int | None]:
    """A path, and the line after it if there is one."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return text, None
    line = int(match["line"])
    if line == 0:
        raise UsageError(f"{text}: lines count from 1")
    return match["path"], line
