"""The command ``calmap init``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, examples, format_option, quiet_option
from calmap.errors import UsageError

if TYPE_CHECKING:
    from calmap.delivery.scaffold_folder import NewFile


@click.command(
    epilog=examples(
        "calmap init --demo demo",
        "calmap init ridge-cache --observatory ridge --title 'Ridge Observatory' --instruments owl,lynx",
        "calmap init --observatory jwst --instruments miri",
    )
)
@click.argument("folder", default=".")
@click.option(
    "--demo", is_flag=True, help="Make a small complete cache with reference files to try things on."
)
@click.option("--observatory", metavar="NAME", help="The telescope, such as ridge.")
@click.option("--title", metavar="TEXT", help="The telescope's name for people.")
@click.option("--instruments", metavar="NAMES", help="Its instruments, A,B,C.")
@click.option("-n", "--dry-run", is_flag=True, help="List the files; write nothing.")
@format_option("text", "json")
@quiet_option
@click.pass_context
def init(
    ctx: click.Context,
    folder: str,
    demo: bool,
    observatory: str | None,
    title: str | None,
    instruments: str | None,
    dry_run: bool,
    style: str,
    quiet: bool,
) -> None:
    """Make a new cache and the repository files around it.

    FOLDER, the current one if none is given, gets a first context without rules, a description of the
    telescope to fill in, and what Git, Git LFS, pre-commit and GitHub Actions need to keep it. Nothing is
    overwritten: if one of the files is there, none is made. A telescope that calmap knows needs no
    description.

    The exit code is 1 if a file is there already.
    """
    invocation: Invocation = ctx.obj
    target = Path(os.path.normpath(invocation.cwd / Path(folder).expanduser()))
    if demo and (observatory or title or instruments):
        raise UsageError("--demo makes a cache of Liger and IRIS", hint="leave out the other options")
    files = _demo() if demo else _files(observatory, title, instruments)
    if dry_run:
        from calmap.delivery.scaffold_folder import refuse_present

        refuse_present(target, files)
    else:
        from calmap.delivery.scaffold_folder import fill

        fill(target, files)
    if not quiet:
        told = _json if style == "json" else _text
        click.echo(told(folder, files, dry_run=dry_run, demo=demo), nl=False)


def _demo() -> tuple[NewFile, ...]:
    from calmap.delivery.scaffold_demo import demo_files

    return demo_files()


def _files(observatory: str | None, title: str | None, instruments: str | None) -> tuple[NewFile, ...]:
    from calmap.delivery.scaffold import cache_files, telescope

    if observatory is None:
        raise UsageError(
            "which telescope is the cache for?",
            hint="name it with --observatory, or try calmap init --demo demo",
        )
    names = [word.strip() for word in instruments.split(",")] if instruments else []
    return cache_files(telescope(observatory, title, names))


def _text(folder: str, files: Sequence[NewFile], *, dry_run: bool, demo: bool) -> str:
    from calmap.report.text import printable

    place = printable(folder) if folder != "." else "this folder"
    names = [str(file.path) for file in files if not (demo and file.path.parts[0] == "references")]
    hidden = len(files) - len(names)
    lines = [f"{'would make' if dry_run else 'made'} {len(files)} files in {place}"]
    lines += [f"  {name}" for name in names]
    lines += [f"  and {hidden} files in references"] if hidden else []
    return "\n".join((*lines, *_next(files, demo=demo))) + "\n"


def _next(files: Sequence[NewFile], *, demo: bool) -> tuple[str, ...]:
    """What to do now."""
    if demo:
        new = next(str(file.path) for file in files if file.path.parts[0] == "new")
        return ("next: go there and try", f"  calmap insert-reference {new}")
    described = next((str(file.path) for file in files if file.path.name == "observatory.yaml"), None)
    if described is None:
        return ("next: calmap new-mapping makes the rules of a type",)
    return (
        f"next: describe the telescope in {described},",
        "then calmap new-mapping makes the rules of a type",
    )


def _json(folder: str, files: Sequence[NewFile], *, dry_run: bool, demo: bool) -> str:
    told = {"folder": folder, "dry_run": dry_run, "demo": demo, "files": [str(file.path) for file in files]}
    return json.dumps(told, indent=2) + "\n"
