"""The command ``calmap check``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import click

from calmap.cache.files import shown
from calmap.cache.inspection import Failure, Inspector, attempts
from calmap.cache.layout import Layout
from calmap.cache.settings import Settings
from calmap.cache.targets import Target, context_targets, newest_contexts, path_targets
from calmap.checks import RULES, capped, is_safe
from calmap.cli.options import (
    Invocation,
    cache_options,
    color_option,
    examples,
    format_option,
    quiet_option,
)
from calmap.cli.progress import track
from calmap.cli.rule_choice import chosen_codes
from calmap.cli.scope import warn_of_interruption
from calmap.cli.trouble import TROUBLE, tell
from calmap.diagnostics import Diagnostic, Severity
from calmap.errors import CalmapError
from calmap.report.formats import FORMATS

Result = TypeVar("Result")


@click.command(
    epilog=examples(
        "calmap check mappings/ligeriri/",
        "calmap check hst_0729.pmap --cache ~/crds_cache",
        "calmap check --select CM2,wrong-checksum --fix new.rmap",
        "calmap check --format github",
    )
)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@cache_options
@click.option("--select", multiple=True, metavar="RULES", help="Report these rules only.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Do not report these rules.")
@click.option("--fix", is_flag=True, help="Repair what can safely be repaired.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix or --diff, make also the repairs that may change what is selected.",
)
@format_option("full", *FORMATS)
@color_option
@quiet_option
@click.pass_context
def check(
    ctx: click.Context,
    paths: tuple[str, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fix: bool,
    diff: bool,
    unsafe_fixes: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Find mistakes in mappings.

    PATHS are mapping files, folders with all mappings below them, or names of mappings in the cache, such as
    hst_0729.pmap, which are checked with all that is below them. With no PATHS it is the context of
    --context or, if none is set, the newest one of the cache for each telescope.

    A file in a cache is compared with the other mappings and the reference files of that cache, or of the one
    given by --cache. RULES are codes, beginnings of codes, or names, separated by commas.

    Of one rule, no more than 200 findings are shown in a file; the last of them says how many more there are.

    The exit code is 1 if there are errors or warnings.
    """
    if unsafe_fixes and not (fix or diff):
        raise click.UsageError("--unsafe-fixes goes with --fix or --diff")
    invocation: Invocation = ctx.obj
    codes = chosen_codes(RULES, select, ignore)
    settings = invocation.settings(cache=cache, context=context, observatory=observatory)
    with suppress(CalmapError):
        warn_of_interruption(settings.layout())
    targets = _targets(paths, settings, invocation, named=context is not None, fixed=cache is not None)
    bar = None if quiet or not sys.stderr.isatty() else invocation.console(color, stderr=True)
    run = _Run(codes, lambda doing: track(targets, doing, bar), unsafe=unsafe_fixes)
    if diff:
        changes = run.changes()
        click.echo("" if quiet else changes, nl=False)
        ctx.exit(run.tell_failures() or int(bool(changes)))
    if fix:
        _tell_fixed(run.mend(), quiet=quiet)
    findings = run.findings()
    if not quiet:
        _show(findings, style, color, invocation)
    ctx.exit(run.tell_failures() or int(any(finding.severity is not Severity.INFO for finding in findings)))


class _Run:
    """Going through all targets, for one purpose or the other."""

    def __init__(
        self, codes: frozenset[str], targets: Callable[[str], Iterator[Target]], *, unsafe: bool
    ) -> None:
        self._codes = codes
        self._targets = targets
        self._unsafe = unsafe
        self._failed: dict[str, CalmapError] = {}

    def findings(self) -> tuple[Diagnostic, ...]:
        """What is found."""
        inspector = Inspector()
        checked = self._each("Checking", inspector.check)
        return tuple(finding for findings in checked for finding in findings if self._wanted(finding))

    def mend(self) -> tuple[Diagnostic, ...]:
        """Repair the files; what was found and is repaired."""
        inspector = Inspector()
        mended = self._each("Repairing", lambda target: inspector.mend(target, self._is_to_be_mended))
        return tuple(finding for fixed in mended for finding in fixed.applied)

    def changes(self) -> str:
        """A unified diff of what `mend` would do."""
        from difflib import unified_diff

        inspector = Inspector()
        lines: list[str] = []
        mended = self._each(
            "Checking", lambda target: (target, inspector.mended(target, self._is_to_be_mended))
        )
        for target, (data, fixed) in mended:
            if fixed.applied:
                old, new = data.decode("utf-8").splitlines(True), fixed.text.splitlines(True)
                lines += unified_diff(old, new, str(target.path), str(target.path))
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def tell_failures(self) -> int:
        """Print what went wrong with single files; the exit code of that, or 0."""
        for problem in self._failed.values():
            tell(problem)
        return TROUBLE if self._failed else 0

    def _each(self, doing: str, act: Callable[[Target], Result]) -> Iterator[Result]:
        """What is to be had of each file; those with which it fails are kept for `tell_failures`."""
        for result in attempts(self._targets(doing), act):
            if isinstance(result, Failure):
                self._failed.setdefault(str(result.problem), result.problem)
            else:
                yield result

    def _wanted(self, finding: Diagnostic) -> bool:
        return finding.rule.code in self._codes

    def _is_to_be_mended(self, finding: Diagnostic) -> bool:
        return self._wanted(finding) and finding.fix is not None and (self._unsafe or is_safe(finding))


def _targets(
    paths: Sequence[str], settings: Settings, invocation: Invocation, *, named: bool, fixed: bool
) -> tuple[Target, ...]:
    """The files to check, each once."""

    def layout() -> Layout:
        found = settings.layout()
        return replace(found, root=shown(found.root, invocation.cwd))

    targets = list(path_targets(paths, invocation.cwd, layout, fixed=fixed))
    if named or not paths:
        several = settings.context.value is None and settings.observatory.value is None
        names = newest_contexts(layout()) if several else (settings.context_name(),)
        targets += (target for name in names for target in context_targets(name, layout()))
    return tuple({target.path: target for target in targets}.values())


def _show(findings: Sequence[Diagnostic], style: str, color: str, invocation: Invocation) -> None:
    if style in FORMATS:
        click.echo(FORMATS[style](findings), nl=False)
    elif findings:
        from calmap.report.full import render_full

        render_full(findings, invocation.console(color))
    else:
        click.echo("No findings")


def _tell_fixed(fixed: Sequence[Diagnostic], *, quiet: bool) -> None:
    if fixed and not quiet:
        files = len({finding.source.name for finding in fixed})
        click.echo(FORMATS["concise"](capped(fixed)), nl=False, err=True)
        click.echo(f"Fixed {len(fixed)} of these in {files} file{'s' * (files > 1)}", err=True)
