"""The command ``calmap harvest``."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.cli.scope import chosen_context
from calmap.cli.trouble import TROUBLE, say
from calmap.errors import UsageError

if TYPE_CHECKING:
    from calmap.archive.harvest.tally import Tally

_TOLD, _LISTED = 20, 1000


@click.command(
    epilog=examples(
        "calmap harvest /data/archive -o headers.parquet",
        "calmap harvest @files.txt -o headers.parquet --context hst_0728.pmap --context hst_0729.pmap",
        "calmap harvest tonight/ -o headers.parquet --add",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option(
    "-o", "--output", required=True, metavar="FILE", help="The table to write: .parquet, or .csv for a copy."
)
@click.option("--cache", metavar="FOLDER", help="The cache: a folder with mappings in it.")
@click.option(
    "--context",
    "contexts",
    multiple=True,
    metavar="NAME",
    help="A context whose rules the headers shall serve; may be repeated.",
)
@click.option("--observatory", metavar="NAME", help="The telescope, such as ligeriri.")
@click.option("--keyword", "extra", multiple=True, metavar="NAME", help="One more keyword; may be repeated.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Processes that read; by default as many as there are processors. More help with slow disks.",
)
@click.option("--add", is_flag=True, help="Keep rows of the table there is whose files are not named.")
@click.option("--fresh", is_flag=True, help="Read everything again, and replace whatever is there.")
@click.option(
    "--errors", metavar="FILE", help="Write the files that can't be read, and why, into a CSV file."
)
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def harvest(
    ctx: click.Context,
    files: tuple[str, ...],
    output: str,
    cache: str | None,
    contexts: tuple[str, ...],
    observatory: str | None,
    extra: tuple[str, ...],
    jobs: int | None,
    add: bool,
    fresh: bool,
    errors: str | None,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Collect what the rules need of many headers in one table.

    FILES are datasets (FITS, ASDF, JSON or YAML), folders with datasets below them, or @LIST for a text file
    with a name on each line, which counts from the folder of the list. The table answers the same with
    'calmap bestref --table' as the files do.

    Run it again after an interruption, or when there are more files: only what is new or has changed is read.
    Exits with 3 if a file could not be read; all others are in the table then.
    """
    if add and fresh:
        raise click.UsageError("--add keeps what is there, --fresh replaces it; choose one")
    invocation: Invocation = ctx.obj
    _require_pyarrow()
    from calmap.archive.harvest.harvester import Harvester
    from calmap.archive.harvest.keywords import needed_keywords
    from calmap.archive.harvest.workers import usable_cores
    from calmap.cli.harvest_progress import watched

    named = [chosen_context(invocation, cache, name, observatory) for name in contexts or (None,)]
    words = [word for names in extra for word in names.replace(",", " ").split()]
    keywords = needed_keywords(named, words)
    console = None if quiet else invocation.console(color, stderr=True)
    with (
        _problems(invocation.cwd / errors if errors else None) as problems,
        watched(console, files, invocation.cwd) as watch,
        _resumable(invocation.cwd / output),
    ):
        harvester = Harvester(keywords, jobs or usable_cores(), fresh, add, problems.add, watch)
        tally = harvester.harvest(files, Path(output), invocation.cwd)
    problems.tell_rest(errors)
    if not quiet:
        text = _as_json(output, keywords, tally, problems) if style == "json" else _as_text(output, tally)
        click.echo(text)
    ctx.exit(TROUBLE if problems.count else 0)


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        problem = "tables need pyarrow, which is not installed"
        raise UsageError(problem, "pip install 'calmap-toolkit[table]'") from None


class Problems:
    """Files that can't be read: the first are told, all are written down.

    Parameters
    ----------
    file
        Where to write them, or None.
    """

    def __init__(self, file: IO[str] | None) -> None:
        self.count = 0
        self.first: list[tuple[str, str]] = []
        self._writer = None if file is None else csv.writer(file, lineterminator="\n")
        if self._writer:
            self._writer.writerow(("file", "reason"))

    def add(self, name: str, reason: str) -> None:
        """Take one."""
        from calmap.report.text import printable

        self.count += 1
        if self.count <= _TOLD:
            say(f"error: {printable(reason)}")
        if self.count <= _LISTED:
            self.first.append((name, reason))
        if self._writer:
            self._writer.writerow((name, reason))

    def tell_rest(self, errors: str | None) -> None:
        """Tell how many were not told one by one."""
        if self.count > _TOLD:
            where = f"; all are in {errors}" if errors else "; --errors FILE lists all"
            say(f"error: {self.count - _TOLD:,} more can't be read{where}")


@contextmanager
def _problems(path: Path | None) -> Iterator[Problems]:
    """Problems, written into a file once it is known that there are no more."""
    if path is None:
        yield Problems(None)
        return
    from calmap.cache.store import write_atomically

    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield Problems(file)
        file.seek(0)
        write_atomically(path, (line.encode("utf-8") for line in file))


@contextmanager
def _resumable(output: Path) -> Iterator[None]:
    """Say how to go on when somebody presses Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        if Path(f"{output.resolve()}.parts").is_dir():
            say("what was read is kept; run the same again to go on")
        raise


def _as_text(output: str, tally: Tally) -> str:
    from calmap.report.text import printable

    lines = [f"{printable(output)}: {_count(tally.rows, 'dataset')} of {_count(tally.files, 'file')}"]
    lines.append(f"  {tally.read:,} read, {tally.unchanged:,} unchanged since the last time")
    if tally.unreadable:
        lines.append(f"  {tally.unreadable:,} can't be read; the next run tries again")
    if tally.repeated:
        lines.append(f"  {tally.repeated:,} named more than once")
    if tally.kept:
        lines.append(f"  {_count(tally.kept, 'dataset')} kept from before")
    if tally.left_out:
        lines.append(f"  {_count(tally.left_out, 'dataset')} from before left out (--add keeps them)")
    return "\n".join(lines)


def _as_json(output: str, keywords: tuple[str, ...], tally: Tally, problems: Problems) -> str:
    return json.dumps(
        {
            "output": output,
            **asdict(tally),
            "keywords": keywords,
            "problems": [{"file": name, "reason": reason} for name, reason in problems.first],
        },
        indent=2,
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
