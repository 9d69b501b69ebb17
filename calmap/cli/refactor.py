"""The command ``calmap refactor``, with its subcommands for how rules are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from calmap.cli.options import examples
from calmap.cli.refactor_values import (
    add_parameter_command,
    del_header_command,
    drop_parameter_command,
    rename_parameter_command,
    replace_value_command,
    set_header_command,
    set_parkey_command,
    set_substitution_command,
)
from calmap.cli.refactoring import always, paths_argument, refactor_options, run
from calmap.delivery.refactoring import Note, Task
from calmap.edit.formatting import format_layout
from calmap.edit.merging import Apart, left_apart, merge_rules
from calmap.edit.ordering import sort
from calmap.edit.splitting import split_consequence, split_rule
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping

_SHOWN = 12
_PLACE = re.compile(r"(?P<path>.+):(?P<line>\d{1,9})")


@click.group(
    epilog=examples(
        "calmap refactor rename-parameter META.INSTRUMENT.ERA META.ERA --context ligeriri_0001.pmap",
        "calmap refactor add-parameter FILTER ligeriri_iris_flat_0001.rmap",
        "calmap refactor merge-rules --dry-run mappings/",
    )
)
def refactor() -> None:
    """Change how rules are written, or what they look at, without losing any.

    Each subcommand edits the text of rmaps, keeps comments and layout, and tells what the new rules mean
    differently. One that would lose rules is refused, and then no file is changed.

    PATHS are rmaps, folders with all rmaps below them, or names of mappings in the cache, such as
    hst_0729.pmap for every rmap below it. Without PATHS it is the rmaps of --context, of --instrument and
    --type only if these are given. Rmaps that have nothing of what is to be changed are left alone, but those
    named themselves are refused.

    Rmaps of a cache get new serial numbers, up to a new context; calmap undo takes that back. With --in-place
    the files themselves are changed, and with --dry-run nothing is.

    The exit code is 1 if the change is refused.
    """


@click.command("split-rule", epilog=examples("calmap refactor split-rule ligeriri_iris_flat_0001.rmap:18"))
@click.argument("place", metavar="FILE:LINE")
@click.option("--parameter", metavar="NAME", help="The parameter to split by, if several could be.")
@click.option("--force", is_flag=True, help="Split also where headers with N/A or * get another answer then.")
@refactor_options
@click.pass_context
def split_rule_command(
    ctx: click.Context, /, place: str, parameter: str | None, force: bool, **given: Any
) -> None:
    """Split a rule for several values, A|B, into one for each.

    FILE:LINE is where the rule stands. Each of the new rules has a copy of what it leads to.
    """
    path, line = _place(place)
    if line is None:
        raise click.UsageError(f"{place} names no line; write FILE:LINE")
    split = partial(split_rule, line=line, parameter=parameter, strictly=not force)

    def notes(mapping: Mapping) -> Iterator[Note]:
        if change := split_consequence(mapping, line, parameter):
            yield Note(change, warns=True)

    run(ctx, Task("Split a rule", lambda mapping, _: split(mapping), always, notes), (path,), given)


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
    """Merge rules that differ in one value only into one.

    It gets an or-glob such as A|B. The rules must lead to the same files. PATHS may be FILE:LINE too, to
    merge the rules of these lines only.

    Rules that are left apart are told, with the reason. Where rules lead to files without UseAfter or
    ClosestTime, a header with N/A or * gets the file of each rule that matches, so that merging them would
    change the answer; with --force they are merged, and a warning tells.
    """
    lines: dict[str, set[int]] = {}
    for path, line in map(_place, paths):
        lines.setdefault(path, set()).update(() if line is None else (line,))
    by_name = {Path(path).name: frozenset(found) for path, found in lines.items() if found}
    if by_name and len(by_name) < len(lines):
        raise click.UsageError("give lines for all files, or for none")

    def merge(mapping: Mapping, _: object) -> Mapping:
        found = by_name.get(mapping.name, frozenset())
        new = merge_rules(mapping, found, strictly=not force)
        if found and new.text == mapping.text:
            reasons = [_told(apart) for apart in left_apart(mapping, found, strictly=not force)]
            usual = "rules must differ in one plain value only, and lead to the same files"
            raise RefusedError(
                f"{mapping.path}: the rules of these lines can't be merged", "; ".join(reasons) or usual
            )
        return new

    def notes(mapping: Mapping) -> Iterator[Note]:
        found = by_name.get(mapping.name, frozenset())
        for apart in left_apart(mapping, found):
            if apart.can_be_forced and force:
                yield Note(f"{apart.reason} ({_lines(apart)})", warns=True)
            else:
                yield Note(_told(apart), warns=False)

    run(ctx, Task("Merge rules", merge, always, notes), tuple(lines), given)


@click.command("sort", epilog=examples("calmap refactor sort --in-place mappings/ligeriri/"))
@paths_argument
@refactor_options
@click.pass_context
def sort_command(ctx: click.Context, /, paths: tuple[str, ...], **given: Any) -> None:
    """Put header and rules in the order that CRDS has.

    Comment lines right above a rule, and the comment on its line, move with it. No answer changes.
    """
    run(ctx, Task("Sort the rules", lambda mapping, _: sort(mapping), always), paths, given)


@click.command("format", epilog=examples("calmap refactor format --in-place new.rmap"))
@paths_argument
@refactor_options
@click.pass_context
def format_command(ctx: click.Context, /, paths: tuple[str, ...], **given: Any) -> None:
    """Lay mappings out as CRDS does.

    A rule has a line, a level four blanks, and each rule a comma behind it. Comments stay, and so do strings
    and numbers as they are written, and the order of rules.
    """
    run(ctx, Task("Lay out the rules", lambda mapping, _: format_layout(mapping), always), paths, given)


def _told(apart: Apart) -> str:
    """Why rules were left apart, and what to do if they are to be merged all the same."""
    advice = "; --force merges them" if apart.can_be_forced else ""
    return f"{_lines(apart)} left apart, which differ in {apart.parameter} only: {apart.reason}{advice}"


def _lines(apart: Apart) -> str:
    numbers = list(map(str, apart.lines))
    shown = ", ".join(numbers[:_SHOWN]) + (
        f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    )
    return f"line{'s' * (len(numbers) > 1)} {shown}"


def _place(text: str) -> tuple[str, int | None]:
    """A path, and the line after it if there is one."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return text, None
    line = int(match["line"])
    if line == 0:
        raise UsageError(f"{text}: lines count from 1")
    return match["path"], line


for _subcommand in (
    rename_parameter_command,
    add_parameter_command,
    drop_parameter_command,
    set_parkey_command,
    set_header_command,
    del_header_command,
    set_substitution_command,
    replace_value_command,
    split_rule_command,
    merge_rules_command,
    sort_command,
    format_command,
):
    refactor.add_command(_subcommand)
