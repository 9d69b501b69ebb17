"""The command ``calmap validity``: when files are valid, and since when and until when they are to be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from calmap.cli.changes import carried_out, change_options, opened, show, show_json
from calmap.cli.options import Invocation, cache_options, examples, format_option, quiet_option
from calmap.edit.spans import Span
from calmap.errors import RefusedError, UsageError
from calmap.model.dates import DateError, parse_date

if TYPE_CHECKING:
    from calmap.cache.rulesets import Rules
    from calmap.delivery.change import Change
    from calmap.delivery.chosen_rules import Choice
    from calmap.delivery.spans import RuleSpans
    from calmap.delivery.validity import Recertified

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
_PLACE = re.compile(r"(?P<name>.+?)(?::(?P<line>[1-9]\d{0,8}))?")


def _date(text: str) -> datetime:
    """The moment that an option names."""
    try:
        return parse_date(text)
    except DateError as problem:
        raise click.BadParameter(str(problem)) from None


def _begin(*, required: bool, text: str) -> Callable[[Decorated], Decorated]:
    return click.option("--begin", metavar="DATE", type=_date, required=required, help=text)


def _rule_options(function: Decorated) -> Decorated:
    """``--type`` and ``--rule``."""
    decorators = (
        click.option("--type", "reftype", metavar="TYPE", help="Only the rules of this reference type."),
        click.option("--rule", metavar="RMAP:LINE", help="Only the rule in this line."),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


@click.group(
    epilog=examples(
        "calmap validity show ligeriri_iris_dq_0001.rmap",
        "calmap validity certify new/*.fits --begin 2025-06-01 --end 2025-09-01",
        "calmap validity decertify IRIS_IMG1_DQ_20250301T000000_0.0.1.fits --begin 2025-07-01",
    )
)
def validity() -> None:
    """See and change when reference files are valid.

    A file is valid from a date up to another one, at which it is not valid any more, or without an end. The
    spans are those of rules with UseAfter: each of its dates begins one, the next date ends it, and N/A at a
    date says that no file is valid from then on.
    """


@validity.command("show", epilog=examples("calmap validity show ligeriri_iris_dq_0001.rmap:28"))
@click.argument("place", metavar="[RMAP[:LINE]]", required=False)
@cache_options
@click.option("--instrument", metavar="NAME", help="Of a context, the rules of this instrument.")
@click.option("--type", "reftype", metavar="TYPE", help="Of a context, the rules of this reference type.")
@format_option("text", "json")
@click.pass_context
def show_command(
    ctx: click.Context,
    place: str | None,
    cache: str | None,
    context: str | None,
    observatory: str | None,
    instrument: str | None,
    reftype: str | None,
    style: str,
) -> None:
    """When the files of rules are valid.

    RMAP is a file, or the name of a mapping in the cache, with the line of a rule if only this one is wanted.
    Without it, it is the rules of --type in the context.
    """
    from calmap.report.validity import render_spans, spans_json

    invocation: Invocation = ctx.obj
    if place is None:
        if reftype is None:
            raise click.UsageError("name an rmap, or choose rules of the context with --type")
        found = _of_context(invocation, cache, context, observatory, instrument, reftype)
    else:
        if reftype is not None or instrument is not None or context is not None:
            raise click.UsageError("--context, --instrument and --type go with no RMAP")
        found = _of_mapping(invocation, place, cache, observatory)
    click.echo(
        json.dumps(spans_json(found), indent=2) + "\n" if style == "json" else render_spans(found), nl=False
    )


@validity.command(
    "certify",
    epilog=examples(
        "calmap validity certify new/IRIS_IMG1_DQ_20250601T000000_0.0.1.fits --begin 2025-06-01",
        "calmap validity certify IRIS_IMG1_DQ_20240901T000000_0.0.1.fits --begin 2025-06-01 --end 2025-07-01",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...", type=click.Path(path_type=Path))
@_begin(required=True, text="The first moment in which they are valid.")
@click.option("--end", metavar="DATE", type=_date, help="The first in which they are not; none if left out.")
@_rule_options
@cache_options
@change_options
@format_option("text", "json")
@quiet_option
@click.pass_context
def certify_command(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    begin: datetime,
    end: datetime | None,
    **given: Any,
) -> None:
    """Make files valid in a span of time.

    FILES are reference files, which go into the cache and into the rules that their headers ask for, or names
    of references that the rules know already. Outside of the span the rules choose what they chose; at its
    end, where they had nothing, they say N/A. calmap undo takes it back.

    It is refused if another file is valid in some of the span: decertify that first. The exit code is 1 then.
    """
    from calmap.delivery.recertification import plan_certification

    span = Span(begin, end)

    def plan(rules: Rules, context: str, choice: Choice) -> Recertified:
        paths = tuple(ctx.obj.cwd / path if (ctx.obj.cwd / path).is_file() else path for path in files)
        return plan_certification(rules, context, paths, span, choice=choice, in_place=given["in_place"])

    _change(ctx, plan, f"Certify {_told(files)} {span}", **given)


@validity.command(
    "decertify",
    epilog=examples(
        "calmap validity decertify IRIS_IMG1_DQ_20250301T000000_0.0.1.fits",
        "calmap validity decertify IRIS_IMG1_DQ_20250301T000000_0.0.1.fits --begin 2025-04-01 --dry-run",
    ),
)
@click.argument("names", nargs=-1, required=True, metavar="NAMES...", type=click.Path(path_type=Path))
@_begin(required=False, text="The first moment in which they are not valid; if left out, all of the past.")
@click.option(
    "--end", metavar="DATE", type=_date, help="The first in which they may be again; none if left out."
)
@_rule_options
@cache_options
@change_options
@format_option("text", "json")
@quiet_option
@click.pass_context
def decertify_command(
    ctx: click.Context,
    /,
    names: tuple[Path, ...],
    begin: datetime | None,
    end: datetime | None,
    **given: Any,
) -> None:
    """Make files not valid in a span of time.

    NAMES are file names of references. Their spans go, get shorter or become two, in all rules that lead to
    them; a rule without files goes too. No other file takes the place: the rules say N/A there, or nothing
    before their first file. The files stay in the cache. calmap undo takes it back.

    The exit code is 1 if one of them is not valid in any of the span.
    """
    from calmap.delivery.recertification import plan_decertification

    span = Span(begin, end)

    def plan(rules: Rules, context: str, choice: Choice) -> Recertified:
        return plan_decertification(
            rules, context, map(str, names), span, choice=choice, in_place=given["in_place"]
        )

    _change(ctx, plan, f"Decertify {_told(names)} {span}", **given)


def _change(
    ctx: click.Context,
    planned: Callable[[Rules, str, Choice], Recertified],
    title: str,
    *,
    cache: str | None,
    context: str | None,
    observatory: str | None,
    reftype: str | None,
    rule: str | None,
    in_place: bool,
    dry_run: bool,
    git: bool,
    style: str,
    quiet: bool,
) -> None:
    """Plan a change of validity, make it and tell of it."""
    from calmap.report.text import printable
    from calmap.report.validity import recertified_json, render_recertified, summary

    invocation: Invocation = ctx.obj
    choice = _choice(reftype, rule)
    layout, rules = opened(invocation, cache, context, observatory)
    plans: list[Recertified] = []

    def plan() -> Change:
        from calmap.delivery.change import Change

        done = planned(*rules(), choice)
        plans.append(done)
        return Change(printable(title), done.revision, done.copies, summary(done))

    made = carried_out(invocation, layout, plan, title=f"validity {ctx.info_name}", dry_run=dry_run, git=git)
    if quiet:
        return
    if style == "json":
        show_json(made, recertified_json(plans[-1]))
    else:
        show(made, render_recertified(plans[-1], layout.root), layout)


def _choice(reftype: str | None, rule: str | None) -> Choice:
    from calmap.delivery.chosen_rules import Choice, RuleLine

    if rule is None:
        return Choice(reftype)
    name, line = _place(rule)
    if line is None:
        raise UsageError(f"'{rule}' names no line of an rmap", "write RMAP:LINE, such as a.rmap:27")
    return Choice(reftype, RuleLine(Path(name).name, line))


def _told(paths: tuple[Path, ...]) -> str:
    return paths[0].name if len(paths) == 1 else f"{len(paths)} references"


def _place(text: str) -> tuple[str, int | None]:
    match = _PLACE.fullmatch(text)
    if match is None:
        return text, None
    return match["name"], int(match["line"]) if match["line"] else None


def _of_mapping(
    invocation: Invocation, text: str, cache: str | None, observatory: str | None
) -> tuple[RuleSpans, ...]:
    """The rules of an rmap, or the one in a line of it."""
    from calmap.cache.targets import Target, enclosing_cache
    from calmap.cli.explain import telescope_definition
    from calmap.delivery.spans import rule_spans
    from calmap.model.mapping import load_mapping

    name, line = _place(text)
    path = invocation.cwd / name
    if path.is_file() or Path(name).name != name:
        layout = enclosing_cache(Path(name), invocation.cwd)
    else:
        layout = invocation.settings(cache=cache, observatory=observatory).layout()
        path = layout.mapping_path(name, observatory or "")
        layout.require_files()
    telescope = observatory or Target(path, layout).telescope
    return rule_spans(load_mapping(path), telescope_definition(telescope, layout), line)


def _of_context(
    invocation: Invocation,
    cache: str | None,
    context: str | None,
    observatory: str | None,
    instrument: str | None,
    reftype: str,
) -> tuple[RuleSpans, ...]:
    """The rules of a type in a context, for one instrument or all."""
    from calmap.cli.scope import chosen_context
    from calmap.delivery.spans import rule_spans

    chosen = chosen_context(invocation, cache, context, observatory)
    names = [
        rules.mapping
        for who in (chosen.instruments() if instrument is None else (instrument.lower(),))
        if reftype.lower() in chosen.reftypes(who)
        and (rules := chosen.type_rules(who, reftype)).reference is not None
    ]
    if not names:
        raise RefusedError(
            f"{chosen.name} has no rules for the type {reftype}", "calmap list types names them"
        )
    mappings = (chosen.rules.mapping(name) for name in dict.fromkeys(names))
    return tuple(rule for mapping in mappings for rule in rule_spans(mapping, chosen.observatory))
