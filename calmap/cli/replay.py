"""The command ``calmap replay``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from calmap.cli.options import Invocation, color_option, examples, format_option, quiet_option
from calmap.cli.reducing import StepBar, as_calmap, exit_code, explain
from calmap.cli.trouble import tell
from calmap.errors import UsageError
from calmap.report.text import printable

_DIFFERENT = 1


@click.command(
    epilog=examples(
        "calmap replay products/2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL2_0001-00.fits",
        "calmap replay products/*LVL2*.fits",
        "calmap replay product.fits --search raw --search references/ligeriri/iris --out again.fits",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option(
    "--search",
    "folders",
    multiple=True,
    metavar="FOLDER",
    help="Look here for files that have moved; may be repeated.",
)
@click.option("-o", "--out", metavar="FILE", help="Write the product that comes out; for one of FILES.")
@click.option("--overwrite", is_flag=True, help="Replace this file if it exists.")
@format_option("text", "json")
@color_option
@quiet_option
@click.pass_context
def replay(
    ctx: click.Context,
    files: tuple[str, ...],
    folders: tuple[str, ...],
    out: str | None,
    overwrite: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Make products again from what they say about themselves, and compare.

    FILES are products of calmap reduce. The same inputs and references are used, which must have the same
    sha256 as then, with the same steps and parameters. The exit code is 1 if other pixels come out, and 3 if
    a file is missing or is no longer the same; of several files the highest one.
    """
    from reduce.errors import ReduceError

    if out and len(files) > 1:
        raise UsageError("--out names one file, and there are several to replay", "replay one at a time")
    invocation: Invocation = ctx.obj
    searched = [invocation.cwd / Path(name).expanduser() for name in folders]
    console = None if quiet else invocation.console(color, stderr=True)
    target = invocation.cwd / Path(out).expanduser() if out else None
    verdicts, code = [], 0
    for file in files:
        try:
            with StepBar(console) as bar:
                verdict = _replayed(file, invocation.cwd, searched, bar, target, overwrite=overwrite)
        except ReduceError as problem:
            explain(problem)
            tell(as_calmap(problem))
            code = max(code, exit_code(problem))
            continue
        code = max(code, _DIFFERENT if verdict.different else 0)
        verdicts.append(verdict)
        if not quiet and style == "text":
            click.echo(verdict.line)
    if style == "json":
        click.echo(json.dumps([verdict.json for verdict in verdicts], indent=2))
    ctx.exit(code)


class _Verdict(NamedTuple):
    """How a product that was made again compares."""

    file: str
    steps: int
    different: tuple[str, ...]

    @property
    def line(self) -> str:
        """For people."""
        told = f"other values in {', '.join(self.different)}" if self.different else "the same pixels"
        return f"{printable(self.file)}: {self.steps} steps again, {told}"

    @property
    def json(self) -> dict[str, Any]:
        """For machines."""
        return {"file": self.file, "same": not self.different, "different": list(self.different)}


def _replayed(
    file: str, cwd: Path, folders: Sequence[Path], bar: StepBar, out: Path | None, *, overwrite: bool
) -> _Verdict:
    """Make a product again, and write it if that is asked for."""
    from reduce.files.reader import open_any
    from reduce.files.writer import write_frame
    from reduce.frame import Frame
    from reduce.replay import differences, finder_for, replayed

    path = cwd / Path(file).expanduser()
    product = open_any(path)
    again = replayed(product, path, finder_for(path, folders), bar.of(path))
    if out and isinstance(again, Frame):
        write_frame(again, out, overwrite=overwrite)
    return _Verdict(file, len(product.provenance.steps), differences(product, again))
