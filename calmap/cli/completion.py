"""The command ``calmap completion``."""

from __future__ import annotations

import click

from calmap.cli.options import examples


@click.command(
    epilog=examples(
        'eval "$(calmap completion bash)"',
        "calmap completion fish > ~/.config/fish/completions/calmap.fish",
    )
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for a shell.

    Once the shell has read it, the tab key completes commands and options.
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"nothing is known about completion in {shell}", ctx)
    click.echo(script(ctx.find_root().command, {}, "calmap", "_CALMAP_COMPLETE").source())
