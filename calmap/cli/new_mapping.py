"""The command ``calmap new-mapping``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.changes import carried_out, change_options
from calmap.cli.options import Invocation, cache_options, examples, format_option, quiet_option
from calmap.errors import UsageError

if TYPE_CHECKING:
    from calmap.cache.rulesets import Rules
    from calmap.delivery.additions import Addition
    from calmap.delivery.change import Change
    from calmap.delivery.templates import RuleTerms
    from calmap.model.mapping import Mapping

_DATED = ("UseAfter", "ClosestTime")


@click.command(
    epilog=examples(
        "calmap new-mapping iris sky --match META.INSTRUMENT.DETECTOR,META.INSTRUMENT.FILTER \\",
        "    --date META.DATE",
        "calmap new-mapping iris gain --match META.INSTRUMENT.DETECTOR",
        "calmap new-mapping liger sky --like ligeriri_iris_flat_0001.rmap",
        "calmap new-mapping liger sky --na",
    )
)
@click.argument("instrument")
@click.argument("reftype", metavar="TYPE")
@cache_options
@click.option(
    "--match",
    "matched",
    multiple=True,
    metavar="KEYWORDS",
    help="Select by these keywords, A,B,C; repeatable.",
)
@click.option(
    "--date", "dated", metavar="KEYWORDS", help="Select by the date in this keyword, or in two, A,B."
)
@click.option(
    "--selector",
    type=click.Choice(_DATED),
    default=_DATED[0],
    show_default=True,
    help="How a date selects: the last file before it, or the nearest.",
)
@click.option("--like", metavar="RMAP", help="Take everything but the names from the header of this rmap.")
@click.option("--na", "not_applicable", is_flag=True, help="Make no rmap: say that the type does not apply.")
@change_options
@format_option("text", "json")
@quiet_option
@click.pass_context
def new_mapping(
    ctx: click.Context,
    instrument: str,
    reftype: str,
    cache: str | None,
    context: str | None,
    observatory: str | None,
    matched: tuple[str, ...],
    dated: str | None,
    selector: str,
    like: str | None,
    not_applicable: bool,
    in_place: bool,
    dry_run: bool,
    git: bool,
    style: str,
    quiet: bool,
) -> None:
    """Make an rmap without rules for a type that an instrument has none for yet.

    KEYWORDS are keywords of the telescope's definition or of other rules of the context, separated by commas.
    A new imap and a new context lead to the new rmap; an instrument without imap, or a telescope without
    context, gets its first. calmap insert-reference then puts files into the rmap, and calmap undo takes it
    back.

    The exit code is 1 if the type has rules already.
    """
    invocation: Invocation = ctx.obj
    _refuse_contradiction(bool(matched or dated), like, not_applicable)
    terms = None if like or not_applicable else _terms(matched, dated, selector)
    planned: list[Addition] = []

    def plan() -> Change:
        from calmap.delivery.additions import plan_addition
        from calmap.delivery.change import Change
        from calmap.report.relinking import addition_summary

        rules, name = _opened(invocation, cache, context, observatory)
        template = _model(rules, like, invocation.cwd) if like else terms
        addition = plan_addition(rules, name, instrument, reftype, template, in_place=in_place)
        planned.append(addition)
        return Change(_title(addition), addition.revision, details=addition_summary(addition, name))

    layout = invocation.settings(cache=cache, context=context, observatory=observatory).layout()
    made = carried_out(invocation, layout, plan, title="new-mapping", dry_run=dry_run, git=git)
    if quiet:
        return
    from calmap.report.change import verdict
    from calmap.report.relinking import addition_json, render_addition

    if style == "json":
        ended = {"dry_run": made.is_dry, "branch": made.branch}
        click.echo(json.dumps({**addition_json(planned[-1]), **ended}, indent=2))
    else:
        click.echo(render_addition(planned[-1]) + verdict(made, layout.root), nl=False)


def _opened(
    invocation: Invocation, cache: str | None, context: str | None, observatory: str | None
) -> tuple[Rules, str | None]:
    """The rules of the cache, and the context if the telescope has any."""
    from calmap.bestref import Cache

    settings = invocation.settings(cache=cache, context=context, observatory=observatory)
    layout, telescope = settings.layout(), settings.observatory.value
    if context is None and settings.context.value is None and telescope and not layout.contexts(telescope):
        return Cache(layout).rules(telescope), None
    name = settings.context_name()
    return Cache(layout).context(name, telescope).rules, name


def _refuse_contradiction(keywords: bool, like: str | None, not_applicable: bool) -> None:
    """Refuse none, or more than one, of the ways to say what the rules are like."""
    ways = [
        name for name, given in (("--match", keywords), ("--like", like), ("--na", not_applicable)) if given
    ]
    if not ways:
        raise UsageError(
            "by what shall the rules select?",
            hint="give --match and --date with keywords, or --like with an rmap that selects by the same",
        )
    if len(ways) > 1:
        raise UsageError(f"{' and '.join(ways)} can't go together", hint="choose one of them")


def _terms(matched: Sequence[str], dated: str | None, selector: str) -> RuleTerms:
    from calmap.delivery.templates import RuleTerms

    levels = []
    if matched:
        levels.append(("Match", _words("--match", ",".join(matched))))
    if dated is not None:
        keywords = _words("--date", dated)
        if len(keywords) > 2:
            raise UsageError(
                f"--date has {len(keywords)} keywords", "a date is in one keyword, or day and time in two"
            )
        levels.append((selector, keywords))
    return RuleTerms(tuple(name for name, _ in levels), tuple(keywords for _, keywords in levels))


def _words(option: str, text: str) -> tuple[str, ...]:
    words = tuple(word.strip().upper() for word in text.split(","))
    if not all(words):
        raise UsageError(f"a keyword is missing in {option} '{text}'", "separate keywords by commas")
    return words


def _model(rules: Rules, like: str, cwd: Path) -> Mapping:
    """The rmap whose header is taken."""
    from calmap.delivery.contexts import mapping_in
    from calmap.syntax.ast import MappingKind

    name = mapping_in(rules.layout, like, cwd, rules.observatory.name)
    if rules.file(name).kind is not MappingKind.REFERENCE:
        raise UsageError(f"{name} is no rmap", "name one with --like")
    return rules.mapping(name)


def _title(addition: Addition) -> str:
    subject = f"{addition.reftype} of {addition.instrument}"
    return f"Make {subject} N/A" if addition.is_fixed else f"Add rules for {subject}"
