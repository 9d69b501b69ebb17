"""The command ``calmap refactor``."""

from __future__ import annotations

import click

from calmap.cli.options import examples
from calmap.cli.refactor_parameters import (
    add_parameter_command,
    drop_parameter_command,
    rename_parameter_command,
    set_parkey_command,
)
from calmap.cli.refactor_rules import (
    format_command,
    merge_rules_command,
    sort_command,
    split_rule_command,
)
from calmap.cli.refactor_values import (
    del_header_command,
    replace_value_command,
    set_header_command,
    set_substitution_command,
)

_SUBCOMMANDS = (
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
)


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


for _subcommand in _SUBCOMMANDS:
    refactor.add_command(_subcommand)
