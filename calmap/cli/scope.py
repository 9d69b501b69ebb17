"""From settings to the cache and the context that a command works with."""

from __future__ import annotations

from calmap.bestref import Cache, Context
from calmap.cli.options import Invocation


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
    return Cache(settings.layout()).context(settings.context_name(), settings.observatory.value)
