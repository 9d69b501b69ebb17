"""The command ``calmap diff``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click

from calmap.cache.comparands import Comparand, Comparands
from calmap.cache.comparison import chosen_contexts, compared
from calmap.cli.difference_output import DIFFERENT, Options, Result, show
from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.cli.trouble import tell
from calmap.errors import HeaderError, UsageError
from calmap.model.names import mapping_kind

Item = TypeVar("Item")


@click.command(
    epilog=examples(
        "calmap diff hst_0729.pmap hst_0730.pmap",
        "calmap diff HEAD",
        "calmap diff main... --format markdown",
        "calmap diff HEAD:ligeriri_0001.pmap ligeriri_0002.pmap --affects night/",
        "calmap diff old_flat.fits new_flat.fits --row-key FILTER",
    )
)
@click.argument("things", nargs=-1, metavar="[A [B]]")
@click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it.")
@click.option("--observatory", metavar="NAME", help="The telescope, such as ligeriri.")
@click.option(
    "--affects", multiple=True, metavar="HEADERS", help="List which of these datasets would get another file."
)
@click.option("--text", is_flag=True, help="Show the differences of the texts as well, line by line.")
@click.option("--brief", is_flag=True, help="Show one line for each mapping that differs.")
@click.option("--all", "boring", is_flag=True, help="Show also name, derived_from and sha1sum of headers.")
@click.option(
    "--row-key",
    "row_keys",
    multiple=True,
    metavar="COLUMN",
    help="For reference files: tell rows of tables by this column; may be repeated.",
)
@format_option("table", "json", "markdown")
@color_option
@quiet_option
@click.pass_context
def diff(
    ctx: click.Context,
    things: tuple[str, ...],
    cache: str | None,
    observatory: str | None,
    affects: tuple[str, ...],
    text: bool,
    brief: bool,
    boring: bool,
    row_keys: tuple[str, ...],
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """What differs between mappings, contexts, revisions or reference files.

    A and B are each, in this order: an existing file; the name of a mapping in the cache, such as
    hst_0729.pmap; REVISION:NAME, a mapping at a revision of the Git repository that holds the cache; or a
    revision, such as main or HEAD~1. Mappings are compared with all that is below them. With revisions the
    newest contexts are, and then the mappings that changed beside these. A revision and a mapping: that
    mapping as it was then.

    With one revision only, B is the cache as it is now; with none, A is HEAD. A..B are two revisions, and
    A...B is B with the revision at which its history left that of A, which is what a pull request changes.

    Rules are compared by what they mean: values conditioned, or-globs sorted, dates in one form. HEADERS are
    datasets as for calmap bestref: files, folders, or @LIST.

    The exit code is 0 if the rules are the same (with --text: the texts too), 1 if not, and 3 if something
    could not be read.
    """
    invocation: Invocation = ctx.obj
    options = Options(style, color, text, brief, boring, quiet)
    _refuse(things, options)
    if _are_references(things, invocation.cwd):
        if affects or text or brief or boring:
            raise UsageError("--affects, --text, --brief and --all are for mappings")
        ctx.exit(_references(things, invocation.cwd, row_keys, options))
    if row_keys:
        raise UsageError("--row-key is for reference files")
    settings = invocation.settings(cache=cache, context=None, observatory=observatory)
    pair = Comparands(invocation.cwd, settings.layout, observatory or "").pair(things)
    result = _compared(pair, observatory or "", invocation, options)
    if affects:
        _add_affected(result, pair, observatory or "", affects, invocation, options)
    if not quiet:
        show(result, options, invocation)
    for problem in result.problems:
        tell(problem)
    ctx.exit(result.code(text=text))


def _refuse(things: Sequence[str], options: Options) -> None:
    if len(things) > 2:
        raise click.UsageError(f"two things can be compared, not {len(things)}")
    if options.brief and (options.style != "table" or options.text):
        raise click.UsageError("--brief goes with neither --format nor --text")


def _are_references(things: Sequence[str], cwd: Path) -> bool:
    """True for two files of which none is a mapping."""
    files = [thing for thing in things if (cwd / Path(thing).expanduser()).is_file()]
    return len(files) == 2 and not any(mapping_kind(Path(thing).name) for thing in files)


def _references(things: Sequence[str], cwd: Path, row_keys: Sequence[str], options: Options) -> int:
    from calmap.references.difference import reference_difference
    from calmap.report.reference_difference import as_json, render

    old, new = (_shown(thing, cwd) for thing in things)
    found = reference_difference(old, new, row_keys=row_keys)
    if options.quiet:
        pass
    elif options.style == "json":
        click.echo(json.dumps(as_json(found), indent=2))
    elif options.style == "markdown":
        from calmap.report.difference_markdown import block

        click.echo(block("Reference files", render(found)), nl=False)
    else:
        click.echo(render(found), nl=False)
    return 0 if found.is_empty else DIFFERENT


def _shown(thing: str, cwd: Path) -> Path:
    path = Path(thing).expanduser()
    return path if cwd == Path.cwd() else cwd / path


def _compared(
    pair: tuple[Comparand, Comparand], observatory: str, invocation: Invocation, options: Options
) -> Result:
    result = Result(pair[0].label, pair[1].label)
    found = tuple(_watched(compared(*pair, observatory), "Comparing", invocation, options))
    result.found = found
    result.problems += [item.problem for item in found if item.problem]
    return result


def _watched(items: Iterator[Item], doing: str, invocation: Invocation, options: Options) -> Iterator[Item]:
    """The items, with a bar on standard error if it takes long."""
    if options.quiet or not sys.stderr.isatty():
        return items
    from calmap.cli.progress import track

    return track(items, doing, invocation.console(options.color, stderr=True))


def _add_affected(
    result: Result,
    pair: tuple[Comparand, Comparand],
    observatory: str,
    affects: Sequence[str],
    invocation: Invocation,
    options: Options,
) -> None:
    """Ask both contexts for the best references of every dataset."""
    from calmap.bestref.affected import context_pair
    from calmap.headers.datasets import dataset_files
    from calmap.headers.reading import read_headers

    result.affected = []
    with context_pair(*chosen_contexts(*pair, observatory, "leave out --affects")) as contexts:
        for path in _watched(dataset_files(affects, invocation.cwd), "Selecting", invocation, options):
            try:
                for dataset, header in read_headers(path):
                    result.datasets += 1
                    result.affected += contexts.affected(dataset, header)
            except HeaderError as problem:
                named = str(path) in problem.message
                message = problem.message if named else f"{path}: {problem.message}"
                result.problems.append(HeaderError(message, problem.hint))
