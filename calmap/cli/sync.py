"""The command ``calmap sync``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.errors import UsageError

if TYPE_CHECKING:
    from calmap.archive.sync.run import Request, Result
    from calmap.cache.chosen import Settings
    from calmap.cache.remote.mirror import Mirror

_FROM_HINT = "name it with --from, or as the cache with --cache s3://bucket/crds"


@click.command(
    epilog=examples(
        "calmap sync --from s3://bucket/crds --cache ~/crds_cache hst_0729.pmap",
        "calmap sync --from https://host/crds --cache night --datasets night/*.fits --check",
        "calmap sync --cache s3://bucket/crds --prune --dry-run",
        "calmap sync --cache /data/crds --write-checksums",
    )
)
@click.argument("contexts", nargs=-1, metavar="[CONTEXTS]...")
@click.option("--from", "origin", metavar="URL", help="The cache that files come from; a folder will do.")
@click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it.")
@click.option("--observatory", metavar="NAME", help="The telescope, such as ligeriri.")
@click.option(
    "-d",
    "--datasets",
    multiple=True,
    metavar="FILES",
    help="Only references of these datasets: a file, a folder or @LIST; may be repeated.",
)
@click.option(
    "--table", "tables", multiple=True, metavar="FILE", help="Only references of the rows of this table."
)
@click.option("--no-references", is_flag=True, help="Only mappings and configuration.")
@click.option("--check", is_flag=True, help="Read and verify every file that is there.")
@click.option("--repair", is_flag=True, help="Verify, and replace what is damaged.")
@click.option("--prune", is_flag=True, help="Remove what the contexts and datasets do not need.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before files are removed.")
@click.option("-n", "--dry-run", is_flag=True, help="Tell what would be done; write nothing.")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 64), default=8, show_default=True, help="How many files at once."
)
@click.option("--write-checksums", is_flag=True, help="Write SHA256SUMS of the cache, and do nothing else.")
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def sync(
    ctx: click.Context,
    contexts: tuple[str, ...],
    origin: str | None,
    cache: str | None,
    observatory: str | None,
    datasets: tuple[str, ...],
    tables: tuple[str, ...],
    no_references: bool,
    check: bool,
    repair: bool,
    prune: bool,
    yes: bool,
    dry_run: bool,
    jobs: int,
    write_checksums: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Fill, verify, repair and prune a local cache.

    Files come from the cache of --from into the folder of --cache; if --cache itself is a URL, into its
    mirror. CONTEXTS are mappings of the cache elsewhere, the newest .pmap if none is named. What they need
    comes: all mappings below them, the telescope's definition, and the reference files that the rules name,
    or only those that given datasets need. Every file is verified before it takes its place. Files that are
    there already are not fetched again, so that a run that was broken off goes on where it ended.

    With --prune other files of these telescopes are removed if the cache elsewhere has the very same. The
    exit code is 1 if a file is damaged or the cache elsewhere lacks it, and 3 if one could not be fetched.
    """
    from calmap.archive.sync.run import Request
    from calmap.archive.sync.session import Care
    from calmap.cache.settings import given_settings
    from calmap.headers.datasets import dataset_files

    invocation: Invocation = ctx.obj
    given = {"cache": cache, "context": contexts[0] if contexts else None, "observatory": observatory}
    settings = given_settings(given, invocation.variables, invocation.cwd)
    if write_checksums:
        _write_checksums(settings, style, quiet=quiet)
        return
    _refuse_contradictions(datasets or tables, no_references, prune=prune and not (yes or dry_run))
    request = Request(
        contexts or tuple(filter(None, (settings.context.value,))),
        settings.observatory.value,
        not no_references,
        dataset_files(datasets, invocation.cwd) if datasets else None,
        tables,
        Care(check or repair, repair, dry_run, jobs),
        prune,
    )
    result = _carried_out(invocation, _mirror(invocation, settings, origin), request, color, quiet=quiet)
    if not quiet:
        _tell(invocation, result, style, color)
    if prune and result.pruning is None:
        click.echo("nothing was removed, as it is not known what is needed", err=True)
    elif result.pruning is not None and result.pruning.going and not dry_run:
        _prune(result, style, yes=yes, quiet=quiet)
    ctx.exit(_code(result, prune=prune))


def _refuse_contradictions(only: object, no_references: bool, *, prune: bool) -> None:
    if only and no_references:
        raise UsageError("--no-references leaves nothing for datasets and tables to choose", "leave it out")
    if prune and not has_reader():
        raise UsageError("--prune removes files, and there is nobody to ask", "add --yes or --dry-run")


def has_reader() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _write_checksums(settings: Settings, style: str, *, quiet: bool) -> None:
    from calmap.cache.remote.manifest import FILE_NAME, cache_places, write_manifest
    from calmap.report.text import printable

    layout = settings.layout()
    if layout.origin:
        raise UsageError(f"{layout.origin} can't be written to", "do this where the cache is a folder")
    layout.require_files()
    count = write_manifest(layout.root, cache_places(layout.root))
    if style == "json" and not quiet:
        click.echo(json.dumps({"file": str(layout.root / FILE_NAME), "files": count}, indent=2))
    elif not quiet:
        click.echo(printable(f"wrote {layout.root / FILE_NAME} with {count:,} files"))


def _mirror(invocation: Invocation, settings: Settings, origin: str | None) -> Mirror:
    """The cache that files come from, and the folder they go to."""
    from calmap.archive.sync.run import require_place
    from calmap.cache.remote.mirror import Mirror, open_mirror
    from calmap.cache.remote.urls import is_url
    from calmap.cache.settings import FOUND

    if origin is None:
        layout = settings.layout() if is_url(settings.cache.value) else None
        if not isinstance(layout, Mirror):
            raise UsageError("from where are files to come?", _FROM_HINT)
        return layout
    root = settings.cache.value
    if root is None or is_url(root) or settings.cache.origin in FOUND:
        raise UsageError("which folder is to be filled?", "name it with --cache")
    if not is_url(origin):
        folder = invocation.cwd / Path(origin).expanduser()
        if not (folder / "mappings").is_dir():
            raise UsageError(f"{origin} is neither a URL nor a cache", "such as s3://bucket/crds")
        origin = f"file://{folder}"
    require_place(Path(root))
    return open_mirror(origin, Path(root))


def _carried_out(
    invocation: Invocation, mirror: Mirror, request: Request, color: str, *, quiet: bool
) -> Result:
    from calmap.archive.sync.run import Watch, synchronize
    from calmap.cli.transfer import Transfer

    bar = Transfer(None if quiet else invocation.console(color, stderr=True))
    try:
        return synchronize(mirror, request, Watch(bar.begin, bar.done, bar.received))
    finally:
        bar.end()


def _tell(invocation: Invocation, result: Result, style: str, color: str) -> None:
    from calmap.report.sync import render_sync, sync_json

    if style == "json":
        click.echo(json.dumps(sync_json(result), indent=2))
    else:
        invocation.console(color).print(render_sync(result), end="", soft_wrap=True)


def _prune(result: Result, style: str, *, yes: bool, quiet: bool) -> None:
    from calmap.archive.sync.pruning import remove
    from calmap.report.sync import amount

    pruning = result.pruning
    if pruning is None:
        return
    what = amount(len(pruning.going), pruning.size)
    if not yes and not click.confirm(f"Remove {what} from {result.root}?", err=True):
        click.echo("nothing was removed", err=True)
        return
    remove(pruning)
    if not quiet and style != "json":
        click.echo(f"removed {what}")


def _code(result: Result, *, prune: bool) -> int:
    from calmap.archive.sync.items import Fate

    if result.problems or result.of(Fate.FAILED):
        return 3
    return 1 if result.of(Fate.DAMAGED, Fate.ABSENT) or (prune and result.pruning is None) else 0
