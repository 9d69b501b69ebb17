"""Carrying out the subcommands of ``calmap refactor``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from calmap.cli.changes import carried_out, change_options
from calmap.cli.options import Invocation, cache_options, format_option, quiet_option
from calmap.cli.rmap_choice import Choice
from calmap.cli.trouble import FINDINGS, TROUBLE, tell
from calmap.delivery.refactoring import (
    Refactored,
    RefactoringError,
    Task,
    refactor,
    revised,
    revision_alone,
)
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping as MappingText
from calmap.model.mapping import load_mapping
from calmap.report.text import printable

if TYPE_CHECKING:
    from calmap.cache.layout import Layout
    from calmap.delivery.change import Change, Made

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


paths_argument = click.argument("paths", nargs=-1, metavar="[PATHS]...")


@dataclass(frozen=True, slots=True)
class Options:
    """The options that all subcommands have."""

    cache: str | None
    context: str | None
    observatory: str | None
    instrument: str | None
    reftype: str | None
    output: Path | None
    in_place: bool
    dry_run: bool
    git: bool
    style: str
    quiet: bool


def refactor_options(function: Decorated) -> Decorated:
    """The options of all subcommands."""
    decorators = (
        cache_options,
        click.option("--instrument", metavar="NAME", help="Of a context, the rmaps of this instrument."),
        click.option("--type", "reftype", metavar="TYPE", help="Of a context, the rmaps of this type."),
        change_options,
        click.option(
            "-o",
            "--output",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Write the one result to this file; change nothing else.",
        ),
        format_option("text", "json"),
        quiet_option,
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def always(mapping: MappingText) -> bool:
    """True for every mapping that can be read."""
    return mapping.file is not None


def run(ctx: click.Context, task: Task, paths: tuple[str, ...], given: Mapping[str, Any]) -> None:
    """Refactor what paths or a context stand for, and tell what came of it."""
    invocation: Invocation = ctx.obj
    options = Options(**given)
    if options.output is not None and (options.in_place or options.git or options.dry_run):
        raise click.UsageError("--output goes with neither --in-place nor --dry-run nor --git")
    settings = invocation.settings(
        cache=options.cache, context=options.context, observatory=options.observatory
    )
    fixed, of_context = options.cache is not None, options.context is not None
    choice = Choice(paths, settings, invocation.cwd, fixed, of_context, options.instrument, options.reftype)
    try:
        _Work(invocation, options, task, choice).run()
    except RefactoringError as refused:
        for problem in refused.problems:
            tell(problem)
        click.echo("nothing was changed", err=True)
        trouble = any(not isinstance(problem, RefusedError) for problem in refused.problems)
        ctx.exit(TROUBLE if trouble else FINDINGS)


class _Work:
    """One refactoring of some mappings."""

    def __init__(self, invocation: Invocation, options: Options, task: Task, choice: Choice) -> None:
        self.invocation = invocation
        self.options = options
        self.task = task
        self.choice = choice
        self.targets = choice.targets()

    def run(self) -> None:
        """Refactor the mappings, and write or show the result."""
        layouts = {target.layout for target in self.targets}
        if len(layouts) > 1:
            raise UsageError("the files are not all in one cache", "refactor those of one at a time")
        layout = layouts.pop()
        if self.options.output is not None:
            self._write_elsewhere(self.options.output)
        elif layout is None:
            self._change_files()
        else:
            self._change_cache(layout)

    def _refactored(self) -> Refactored:
        done = refactor(self.choice.subjects(self.targets), self.task)
        if not done.applied:
            raise UsageError("none of these rmaps has what is to be changed", "calmap refactor --help")
        return done

    def _write_elsewhere(self, output: Path) -> None:
        from calmap.cache.store import write_atomically

        if len(self.targets) != 1:
            raise UsageError(f"--output takes one result, and these are {len(self.targets)}")
        done = self._refactored()
        text = done.pairs[0][1].text if done.pairs else load_mapping(self.targets[0].path).text
        write_atomically(self.invocation.cwd / output, text.encode("utf-8"))
        self._tell(done.pairs, done, f"written to {printable(str(output))}\n", output=str(output))

    def _change_files(self) -> None:
        """Change files that are in no cache."""
        from calmap.cache.together import NewContent, write_together
        from calmap.delivery.change import Change
        from calmap.report.refactoring import mapping_lines

        options = self.options
        if options.git or not (options.in_place or options.dry_run):
            message = (
                f"{self.targets[0].path} is in no cache, so that it has no context and no serial numbers"
            )
            raise UsageError(message, "change the file with --in-place, or write another with --output")
        done = self._refactored()
        revision = revision_alone(done)
        if options.dry_run:
            words = f"nothing was written\n\n{Change('', revision).diff()}"
        else:
            write_together(
                NewContent(old.path, old.text.encode("utf-8"), new.text.encode("utf-8"))
                for old, new in done.pairs
            )
            words = mapping_lines(revision.changes, None, dry_run=False)
        self._tell(done.pairs, done, words, dry_run=options.dry_run)

    def _change_cache(self, layout: Layout) -> None:
        """Change files of a cache, or give them new serial numbers, all as one change."""
        planned: list[Refactored] = []
        if not self.options.in_place:
            context = self.choice.context_of(layout, self.targets)
            self.targets = self.choice.of_context_only(layout, context, self.targets)

        def plan() -> Change:
            from calmap.bestref import Cache
            from calmap.delivery.change import Change

            done = self._refactored()
            planned.append(done)
            if self.options.in_place or not done.pairs:
                return Change(self._title(done), revision_alone(done))
            context = self.choice.context_of(layout, self.targets)
            found = Cache(layout).context(context, self.options.observatory)
            return Change(self._title(done), revised(found.rules, context, done))

        made = carried_out(
            self.invocation,
            layout,
            plan,
            title="refactor",
            dry_run=self.options.dry_run,
            git=self.options.git,
        )
        self._tell_made(planned[-1], made, layout)

    def _title(self, done: Refactored) -> str:
        names = [old.name for old, _ in done.pairs]
        return f"{printable(self.task.title)} in {names[0] if len(names) == 1 else f'{len(names)} rmaps'}"

    def _tell_made(self, done: Refactored, made: Made, layout: Layout) -> None:
        from calmap.report.refactoring import mapping_lines, rule_changes

        changes = made.change.revision.changes
        words = mapping_lines(changes, layout.root, dry_run=made.is_dry)
        if made.is_dry and changes:
            words += f"nothing was written\n\n{made.change.diff(layout.root)}"
        if made.branch:
            words += f"committed on the branch {printable(made.branch)}\n"
        context = made.change.revision.context
        if context and not made.is_dry:
            words += f"the context is now {context}\n"
        ended = {"context": context or None, "dry_run": made.is_dry, "branch": made.branch}
        self._tell(rule_changes(changes), done, words, **ended)

    def _tell(
        self,
        pairs: tuple[tuple[MappingText, MappingText], ...],
        done: Refactored,
        words: str,
        **ended: object,
    ) -> None:
        from calmap.report.refactoring import refactoring_json, render_refactoring

        if self.options.quiet:
            return
        if self.options.style == "json":
            data = refactoring_json(pairs, done.notes, unchanged=done.unchanged)
            click.echo(json.dumps({**data, **ended}, indent=2))
        else:
            notes = tuple((name, note) for name, note in done.notes if not note.warns)
            report = render_refactoring(pairs, notes, unchanged=done.unchanged)
            click.echo(report + (f"\n{words}" if words and pairs else ""), nl=False)
            for name, note in done.notes:
                if note.warns:
                    click.echo(printable(f"warning: {name}: {note.text}"), err=True)
