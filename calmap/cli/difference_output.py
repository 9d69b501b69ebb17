"""How ``calmap diff`` prints what differs, and the exit code that goes with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation
from calmap.cli.trouble import TROUBLE
from calmap.errors import CalmapError

if TYPE_CHECKING:
    from calmap.bestref.affected import Affected
    from calmap.compare.contexts import Compared

DIFFERENT = 1


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be printed, and how."""

    style: str
    color: str
    text: bool
    brief: bool
    boring: bool
    quiet: bool


@dataclass(slots=True)
class Result:
    """What differs."""

    old: str
    new: str
    found: tuple[Compared, ...] = ()
    datasets: int = 0
    affected: list[Affected] | None = None
    problems: list[CalmapError] = field(default_factory=list)

    def code(self, *, text: bool) -> int:
        """The exit code that goes with it."""
        if self.problems:
            return TROUBLE
        different = any(item.is_different for item in self.found) or bool(self.affected)
        if text:
            different |= any(item.difference and not item.difference.same_text for item in self.found)
        return DIFFERENT if different else 0


def show(result: Result, options: Options, invocation: Invocation) -> None:
    """Print what differs in the format asked for."""
    if options.style == "json":
        click.echo(_json(result, options), nl=False)
    elif options.style == "markdown":
        click.echo(_markdown(result, options), nl=False)
    elif options.brief:
        _show_brief(result)
    else:
        _show_table(result, options, invocation)


def _json(result: Result, options: Options) -> str:
    from calmap.report import affected
    from calmap.report.difference_json import compared_data
    from calmap.report.difference_text import text_lines

    mappings = [compared_data(item) for item in result.found]
    if options.text:
        for item, data in zip(result.found, mappings, strict=True):
            data["text"] = list(text_lines(item.difference)) if item.difference else []
    data = {
        "old": result.old,
        "new": result.new,
        "same": result.code(text=options.text) == 0,
        "mappings": mappings,
        "affected": None if result.affected is None else affected.data(result.affected, result.datasets),
        "problems": [str(problem) for problem in result.problems],
    }
    return json.dumps(data, indent=2) + "\n"


def _markdown(result: Result, options: Options) -> str:
    from calmap.report import affected
    from calmap.report.difference_markdown import block, code, plain, render
    from calmap.report.difference_text import text_lines

    labels = (plain(name) if name.startswith("the ") else code(name) for name in (result.old, result.new))
    parts = [render(" → ".join(labels), result.found)]
    if result.affected is not None:
        parts.append(affected.markdown(result.affected, result.datasets))
    if options.text:
        differences = [item.difference for item in result.found if item.difference]
        lines = [line for difference in differences for line in text_lines(difference)]
        parts += [block("Text", "\n".join(lines), "diff")] if lines else []
    return "\n".join(parts)


def _show_brief(result: Result) -> None:
    from calmap.report.difference_told import render_brief

    click.echo(render_brief(result.found), nl=False)
    if result.affected is not None:
        from calmap.report.affected import summary

        click.echo(summary(result.affected, result.datasets))


def _show_table(result: Result, options: Options, invocation: Invocation) -> None:
    from rich.text import Text

    from calmap.report import affected
    from calmap.report.difference import render_compared
    from calmap.report.difference_text import text_lines

    console = invocation.console(options.color)
    render_compared(result.found, console, boring=options.boring)
    if not result.found:
        console.print("No differences")
    if result.affected is not None:
        console.print()
        affected.render(result.affected, result.datasets, console)
    if not options.text:
        return
    for item in result.found:
        lines = tuple(text_lines(item.difference)) if item.difference else ()
        if lines:
            console.print()
        for line in lines:
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            console.print(Text(line, style), soft_wrap=True)
