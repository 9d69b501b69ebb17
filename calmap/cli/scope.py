"""From settings to the cache and the context that a command works with."""

from __future__ import annotations

from pathlib import Path

from calmap.bestref import Cache, Context
from calmap.cache.layout import Layout, cache_above
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
    if context and ("/" in context or "\\" in context):
        path = invocation.cwd / Path(context).expanduser()
        root = cache_above(path.resolve().parent)
        if cache is None and root is None:
            raise UsageError(
                f"{context} is in no cache", "name the cache with --cache and the context by its name"
            )
        cache, context = cache or str(root), path.name
        _refuse_stranger(path, invocation.cwd / Path(cache).expanduser())
    settings = invocation.settings(cache=cache, context=context, observatory=observatory)
    return Cache(settings.layout()).context(settings.context_name(), settings.observatory.value)


def _refuse_stranger(path: Path, root: Path) -> None:
    """A mapping that lies elsewhere must not be mistaken for the cache's own of the same name."""
    own = Layout(root).find_mapping(path.name)
    if own is None or not path.exists() or not own.samefile(path):
        raise UsageError(f"{path} is not in the cache {root}", "copy it there, or leave out --cache")
