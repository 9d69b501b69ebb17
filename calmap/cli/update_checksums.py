"""The command ``calmap update-checksums``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from calmap.cache.files import path_files
from calmap.cache.store import digest, write_atomically
from calmap.cli.options import Invocation, examples, format_option, quiet_option
from calmap.cli.trouble import TROUBLE, tell
from calmap.diagnostics import Diagnostic, apply_edits
from calmap.errors import CalmapError
from calmap.model.mapping import parse_mapping
from calmap.model.recording import update_checksum
from calmap.model.text import read_bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: the checksums it had and has, or why it can't have one."""

    path: Path
    status: str
    recorded: str | None = None
    checksum: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    problem: CalmapError | None = None


@click.command(
    epilog=examples(
        "calmap update-checksums mappings/ligeriri/*.rmap",
        "calmap update-checksums --check .",
    )
)
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if a checksum is wrong or missing.")
@format_option("text", "json")
@quiet_option
@click.pass_context
def update_checksums(
    ctx: click.Context, paths: tuple[str, ...], check: bool, style: str, quiet: bool
) -> None:
    """Make mappings record their right checksum.

    PATHS are mapping files, or folders with all mappings below them. Only the value of sha1sum is rewritten,
    or a line inserted where there is none; everything else stays as it is. A file that can't be parsed is
    left alone and reported.
    """
    invocation: Invocation = ctx.obj
    outcomes = tuple(_attempt(path, check=check) for path in path_files(paths, invocation.cwd))
    for problem in (outcome.problem for outcome in outcomes if outcome.problem):
        tell(problem)
    if not quiet:
        click.echo(_json(outcomes) if style == "json" else _text(outcomes), nl=False)
    found = {outcome.status for outcome in outcomes}
    ctx.exit(TROUBLE if "failed" in found else int(not found.isdisjoint({"unreadable", "outdated"})))


def _attempt(path: Path, *, check: bool) -> Outcome:
    try:
        return _handle(path, check=check)
    except CalmapError as problem:
        return Outcome(path, "failed", problem=problem)


def _handle(path: Path, *, check: bool) -> Outcome:
    data = read_bytes(path)
    mapping = parse_mapping(path, data)
    if mapping.file is None:
        return Outcome(path, "unreadable", diagnostics=mapping.diagnostics)
    recorded = mapping.recorded_checksum
    edit = update_checksum(mapping)
    if edit is None:
        return Outcome(path, "right", recorded, recorded)
    text = apply_edits(mapping.text, [edit])
    if not check:
        write_atomically(path, text.encode("utf-8"), digest(data))
    new = parse_mapping(path, text.encode("utf-8")).checksum
    return Outcome(path, "outdated" if check else "updated", recorded, new)


def _text(outcomes: Sequence[Outcome]) -> str:
    from calmap.report import concise

    lines = []
    for outcome in outcomes:
        if outcome.status == "unreadable":
            lines.append(concise.render(outcome.diagnostics))
        elif outcome.status in ("updated", "outdated"):
            lines.append(f"{outcome.path}: {_difference(outcome)}, {outcome.checksum} is right\n")
    return "".join(lines) + _summary(outcomes) + "\n"


def _difference(outcome: Outcome) -> str:
    past = outcome.status == "updated"
    if outcome.recorded is None:
        return f"{'had' if past else 'has'} no sha1sum"
    return f"sha1sum {outcome.recorded or repr('')} {'was' if past else 'is'} wrong"


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts = {
        "updated": "updated",
        "outdated": "to be updated",
        "right": "right already",
        "unreadable": "not readable",
        "failed": "failed",
    }
    numbers = {word: sum(outcome.status == status for outcome in outcomes) for status, word in counts.items()}
    return ", ".join(f"{number} {word}" for word, number in numbers.items() if number) or "no mapping found"


def _json(outcomes: Sequence[Outcome]) -> str:
    rows = [
        {
            "file": str(outcome.path),
            "status": outcome.status,
            "recorded": outcome.recorded,
            "checksum": outcome.checksum,
            "problems": [f"{item.rule.code} {item.message}" for item in outcome.diagnostics],
            "reason": outcome.problem and str(outcome.problem),
        }
        for outcome in outcomes
    ]
    return json.dumps(rows, indent=2) + "\n"
