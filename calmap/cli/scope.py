"""From settings to the cache and the context that a command works with."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

import click

from calmap.bestref import Cache, Context
from calmap.cache.layout import Layout
from calmap.cache.places import LEDGER
from calmap.cache.settings import compiled_store
from calmap.cli.options import Invocation
from calmap.errors import UsageError


def chosen_context(
    invocation: Invocation, cache: str | None, context: str | None, observatory: str | None
) -> Context:
    """The context named by options, the environment, a configuration file, or the newest in the cache.

    Raises
    ------
    CalmapError
        If there is none, or it can't be used.
    """
    settings = invocation.settings(cache=cache, context=context, observatory=observatory)
    layout = settings.layout()
    warn_of_interruption(layout)
    store = compiled_store(invocation.variables)
    return Cache(layout, store).context(settings.context_name(), settings.observatory.value)


def require_types(types: Iterable[str], known: Collection[str], who: str) -> None:
    """Refuse types that no instrument has: they are slips of the pen, not an answer for each dataset.

    Parameters
    ----------
    types, known
        Those that are asked for, and all there are.
    who
        Who does not have them, for the message, such as ``hst_0729.pmap has no``.

    Raises
    ------
    UsageError
        With the one that was probably meant.
    """
    for name in types:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise UsageError(f"{who} reference type '{name}'", hint)


def warn_of_interruption(layout: Layout) -> None:
    """Tell of a change of a cache that was broken off, and what to do."""
    if not (layout.root / LEDGER).is_dir():
        return
    from calmap.cache.transaction import interrupted
    from calmap.report.text import printable

    pending = interrupted(layout)
    if pending:
        click.echo(f"warning: {printable(pending)}", err=True)
