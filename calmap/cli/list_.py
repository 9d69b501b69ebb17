"""The command ``calmap list``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import click

from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option
from calmap.errors import CalmapError

if TYPE_CHECKING:
    from calmap.bestref import Context

Rows: TypeAlias = list[tuple[object, ...]]
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "contexts": ("observatory", "context"),
    "keywords": ("keyword", "read from"),
    "mappings": ("mapping", "instrument", "type"),
    "references": ("reference", "instrument", "type", "in cache"),
    "types": ("instrument", "type", "mapping"),
}


@click.command(
    "list",
    epilog=examples(
        "calmap list contexts",
        "calmap list types --context ligeriri_0001.pmap",
        "calmap list keywords --instrument iris",
    ),
)
@click.argument("what", type=click.Choice(tuple(_COLUMNS)))
@cache_options
@click.option("--instrument", metavar="NAME", help="Only what belongs to this instrument.")
@format_option("table", "json")
@color_option
@click.pass_context
def list_command(
    ctx: click.Context,
    what: str,
    cache: str | None,
    context: str | None,
    observatory: str | None,
    instrument: str | None,
    style: str,
    color: str,
) -> None:
    """Contexts of the cache, or what is in a context.

    WHAT is one of: contexts; mappings and references of a context; types, with the mapping of each; keywords,
    which the rules look at, and where in a header they are read from.
    """
    from calmap.cli.scope import chosen_context
    from calmap.report.listing import listing_json, render_listing

    invocation: Invocation = ctx.obj
    if what == "contexts":
        rows = _contexts(invocation, cache, observatory)
    else:
        rows = _LISTS[what](chosen_context(invocation, cache, context, observatory), instrument)
    columns = _COLUMNS[what]
    if style == "json":
        click.echo(listing_json(columns, rows), nl=False)
    else:
        render_listing(columns, rows, invocation.console(color), prose=what == "keywords")


def _contexts(invocation: Invocation, cache: str | None, observatory: str | None) -> Rows:
    layout = invocation.settings(cache=cache, context=None, observatory=observatory).layout()
    telescopes = (observatory,) if observatory else layout.observatories()
    return [(telescope, name) for telescope in telescopes for name in layout.contexts(telescope)]


def _each_type(context: Context, instrument: str | None) -> Iterator[tuple[str, str]]:
    for who in context.instruments() if instrument is None else (instrument.lower(),):
        for reftype in context.reftypes(who):
            yield who, reftype


def _types(context: Context, instrument: str | None) -> Rows:
    rows: Rows = []
    for who, reftype in _each_type(context, instrument):
        rules = context.type_rules(who, reftype)
        special = rules.reference is None and not rules.fixed.final
        word = rules.fixed.answer.value.replace("_", " ") if special else ""
        rows.append((who, reftype, word or rules.mapping))
    return rows


def _mappings(context: Context, instrument: str | None) -> Rows:
    top: Rows = [(context.name, "", "")] if instrument is None else []
    books = {
        who: context.instrument_mapping(who) for who in {who for who, _ in _each_type(context, instrument)}
    }
    middle: Rows = [(name, who, "") for who, name in sorted(books.items()) if name != context.name]
    lowest = [
        (name, who, reftype)
        for who, reftype, name in _types(context, instrument)
        if str(name).endswith("map")
    ]
    return [*top, *middle, *(row for row in lowest if row[0] != context.name)]


def _references(context: Context, instrument: str | None) -> Rows:
    from calmap.cache.occurrences import named
    from calmap.model.names import is_na, is_omit

    rows: Rows = []
    for who, reftype in _each_type(context, instrument):
        reference = context.type_rules(who, reftype).reference
        if reference is None:
            continue
        names = sorted(
            {name for name, _ in named(reference.file.selector) if not (is_na(name) or is_omit(name))}
        )
        rows.extend((name, who, reftype, _presence(context, name, who)) for name in names)
    return rows


def _presence(context: Context, name: str, instrument: str) -> str:
    try:
        if context.has_reference(name, instrument):
            return "yes"
    except CalmapError:
        return "no"
    return "not fetched" if context.rules.layout.origin else "no"


def _keywords(context: Context, instrument: str | None) -> Rows:
    from calmap.observatories.keywords import accepted_keywords

    keys = context.required_keywords(instrument)
    return [(key, ", ".join(accepted_keywords(context.observatory, key))) for key in keys]


_LISTS: Mapping[str, Callable[[Context, str | None], Rows]] = {
    "keywords": _keywords,
    "mappings": _mappings,
    "references": _references,
    "types": _types,
}
