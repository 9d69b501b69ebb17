"""Write docs/cli.md from the commands themselves, or with --check say that it is out of date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from calmap.cli.main import cli

FILE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
WIDTH = 80


def help_pages(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    """The help of a command and of every command below it."""
    context = click.Context(
        command,
        parent=parent,
        info_name=name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    title = context.command_path
    marks = "#" * (1 + title.count(" "))
    yield f"{marks} `{title}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            below = command.get_command(context, child)
            assert below is not None
            yield from help_pages(below, child, context)


def document() -> str:
    """The whole page."""
    return "\n".join(help_pages(cli, "calmap"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 if it is out of date")
    check = parser.parse_args(arguments).check
    text = document()
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text:
        return 0
    if not check:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(text, encoding="utf-8", newline="\n")
    print(f"{'out of date' if check else 'wrote'}: {FILE}")
    return int(check)


if __name__ == "__main__":
    sys.exit(main())
