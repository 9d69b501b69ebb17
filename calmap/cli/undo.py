"""The command ``calmap undo``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.errors import UsageError

if TYPE_CHECKING:
    from calmap.cache.history import Entry, Undone
    from calmap.cache.layout import Layout

_COLUMNS = ("change", "state", "added", "replaced", "removed", "title")


@click.command(epilog=examples("calmap undo --list", "calmap undo --dry-run", "calmap undo"))
@click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it.")
@click.option("-n", "--dry-run", is_flag=True, help="Change nothing; only tell what would be done.")
@click.option("--list", "listing", is_flag=True, help="List the last changes, the newest first.")
@click.option("--recover", is_flag=True, help="Only finish, or take back, a change that was interrupted.")
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def undo(
    ctx: click.Context,
    cache: str | None,
    dry_run: bool,
    listing: bool,
    recover: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Take back the last change of the cache.

    Files that the change added are removed, and those that it replaced or removed are as they were; doing it
    again takes back the change before. It is refused if one of these files was changed since, or another
    mapping names a file that would go. Only changes made by calmap count, and the last 20 can be taken back.
    What --git committed stays a commit; it is the files that go back.
    """
    if dry_run + listing + recover > 1:
        raise UsageError("--dry-run, --list and --recover can't go together", hint="choose one of them")
    invocation: Invocation = ctx.obj
    layout = invocation.settings(cache=cache, context=None, observatory=None).layout()
    layout.require_files()
    if listing:
        _list(layout, invocation, style, color)
        return
    told = _recover(layout, style) if recover else _undo(layout, style, dry_run=dry_run)
    if not quiet:
        click.echo(told, nl=False)


def _list(layout: Layout, invocation: Invocation, style: str, color: str) -> None:
    from calmap.cache.history import history, unreadable
    from calmap.cache.transaction import interrupted
    from calmap.report.listing import render_listing
    from calmap.report.text import printable

    pending = interrupted(layout)
    for warning in (*filter(None, (pending,)), *map(str, unreadable(layout))):
        click.echo(f"warning: {printable(warning)}", err=True)
    entries = history(layout)
    if style == "json":
        click.echo(json.dumps([_row(entry) for entry in entries], indent=2))
    elif entries:
        rows = [
            (entry.number, _state(entry), *map(len, _files(entry).values()), entry.title) for entry in entries
        ]
        render_listing(_COLUMNS, rows, invocation.console(color), prose=True)
    else:
        click.echo(printable(f"calmap has made no change of the cache {layout.root}"), err=True)


def _state(entry: Entry) -> str:
    return "undone" if entry.undone else "done"


def _files(entry: Entry) -> dict[str, tuple[str, ...]]:
    return {"added": entry.added, "replaced": entry.replaced, "removed": entry.removed}


def _row(entry: Entry) -> dict[str, object]:
    return {"change": entry.number, "state": _state(entry), "title": entry.title, **_files(entry)}


def _recover(layout: Layout, style: str) -> str:
    from calmap.cache.transaction import recover
    from calmap.report.text import printable

    found = recover(layout, waiting=_wait)
    if style == "json":
        outcome = found and ("finished" if found.completed else "taken back")
        return json.dumps({"change": found and found.title, "outcome": outcome}) + "\n"
    if found is None:
        return "no change was interrupted\n"
    named = f"the change '{printable(found.title)}'" if found.title else "a change that had hardly begun"
    return f"{'finished' if found.completed else 'took back'} {named}\n"


def _undo(layout: Layout, style: str, *, dry_run: bool) -> str:
    from calmap.cache.history import undo

    undone = undo(layout, dry_run=dry_run, waiting=_wait)
    removed = _shown(undone.removed, layout)
    restored = _shown(undone.restored, layout)
    if style == "json":
        told = {"change": undone.number, "title": undone.title, "dry_run": dry_run}
        return json.dumps({**told, "removed": removed, "restored": restored}, indent=2) + "\n"
    files = [f"  removed   {name}" for name in removed] + [f"  restored  {name}" for name in restored]
    if not files and undone.number is not None:
        files = ["  its files are as they were before it already"]
    return "\n".join((_headline(undone, dry_run=dry_run), *files)) + "\n"


def _headline(undone: Undone, *, dry_run: bool) -> str:
    from calmap.report.text import printable

    title = printable(undone.title)
    if undone.number is None:
        return f"took back the interrupted change '{title}'; nothing else was undone"
    return f"{'would take' if dry_run else 'took'} back change {undone.number}: {title}"


def _shown(paths: Sequence[Path], layout: Layout) -> list[str]:
    from calmap.report.text import printable

    root = layout.root.resolve()
    return [
        printable(path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path))
        for path in paths
    ]


def _wait(message: str) -> None:
    from calmap.report.text import printable

    click.echo(f"waiting: {printable(message)}", err=True)
