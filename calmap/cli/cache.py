"""The command ``calmap cache``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from calmap.cache.compiled import CompiledStore, Kept
from calmap.cli.options import Invocation, examples, format_option, quiet_option
from calmap.errors import CacheError


@click.group(epilog=examples("calmap cache info", "calmap cache clear"))
def cache() -> None:
    """What calmap keeps for itself between runs: compiled mappings.

    They are in the user's cache folder, or where CALMAP_STORE says; CALMAP_STORE=off keeps nothing. Nothing
    depends on them: what is missing, damaged or of another version is made again.
    """


@cache.command(epilog=examples("calmap cache info --format json"))
@format_option("table", "json")
@click.pass_context
def info(ctx: click.Context, style: str) -> None:
    """Where compiled mappings are kept, how many and how large."""
    store = _store(ctx)
    kept = _asked(store, store.kept)
    if style == "json":
        trouble = _trouble(store.folder) if store.folder else None
        data = {"folder": str(store.folder) if store.folder else None, **kept._asdict(), "limit": store.limit}
        data["trouble"] = trouble
        click.echo(json.dumps(data, indent=2))
        return
    if store.folder is None:
        click.echo("no compiled mappings are kept: CALMAP_STORE is off, or there is no folder for them")
        return
    from rich.filesize import decimal

    click.echo(f"folder    {store.folder}")
    if trouble := _trouble(store.folder):
        click.echo(f"trouble   it can't be written, so that nothing is kept: {trouble}")
    click.echo(f"compiled  {kept.entries} mappings, {decimal(kept.size)} of at most {decimal(store.limit)}")
    if kept.others:
        click.echo(f"others    {kept.others} of other versions of calmap, {decimal(kept.others_size)}")


@cache.command(epilog=examples("calmap cache clear"))
@format_option("table", "json")
@quiet_option
@click.pass_context
def clear(ctx: click.Context, style: str, quiet: bool) -> None:
    """Remove all compiled mappings, those of other versions of calmap too."""
    from rich.filesize import decimal

    store = _store(ctx)
    gone = _asked(store, store.clear)
    count, size = gone.entries + gone.others, gone.size + gone.others_size
    if quiet:
        return
    if style == "json":
        click.echo(json.dumps({"removed": count, "bytes": size}, indent=2))
    else:
        click.echo(f"{count} compiled {'mapping' if count == 1 else 'mappings'} removed, {decimal(size)}")


def _store(ctx: click.Context) -> CompiledStore:
    from calmap.cache.settings import compiled_store

    invocation: Invocation = ctx.obj
    return compiled_store(invocation.variables)


def _trouble(folder: Path) -> str | None:
    """Why nothing can be kept in a folder, or None if something can; nothing stays there."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return None
    except OSError as problem:
        return problem.strerror or str(problem)


def _asked(store: CompiledStore, question: Callable[[], Kept]) -> Kept:
    try:
        return question()
    except OSError as problem:
        raise CacheError(f"{problem.filename or store.folder}: {problem.strerror or problem}") from problem
