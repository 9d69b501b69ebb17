"""The cache that steps used as in stpipe get their references from, and errors as stpipe has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from calmap.bestref import Cache, Context
from calmap.cache.settings import Settings, resolve_settings
from calmap.compat.errors import CrdsLookupError
from calmap.errors import CalmapError
from calmap.reduction.resolver import CacheResolver
from reduce.errors import MissingReferenceError
from reduce.references import Reference, Value

OBSERVATORY = "ligeriri"
"""The telescope where neither keywords, environment nor the cache say which."""
_NO_CACHE = "no cache is known: pass cache=, or set CALMAP_CACHE or CRDS_PATH"


@dataclass(frozen=True, slots=True)
class Selection:
    """Chooses by the rules of the cache that keywords or the environment name; see `Resolver`.

    Parameters
    ----------
    named
        ``cache``, ``context`` and ``observatory`` as given; None for what was not.
    pointers
        See `CacheResolver`.
    """

    named: Mapping[str, str | None]
    pointers: bool = False
    _contexts: list[Context] = field(default_factory=list, compare=False, repr=False)

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """See `reduce.references.Resolver.find`; without any cache nothing is known of any type."""
        try:
            context = self.context()
        except CalmapError as problem:
            raise MissingReferenceError(reftype, problem.message, problem.hint) from problem
        return None if context is None else CacheResolver(context, self.pointers).find(header, reftype)

    def context(self) -> Context | None:
        """The rules; None if nobody names a cache and there is none around the current folder.

        Raises
        ------
        CalmapError
            If the cache or context can't be used.
        """
        if not self._contexts:
            settings = self._settings()
            if settings.cache.value is None and settings.mappings.value is None:
                return None
            cache = Cache(settings.layout())
            self._contexts.append(cache.context(settings.context_name(), settings.observatory.value))
        return self._contexts[0]

    def _settings(self) -> Settings:
        settings = resolve_settings(self.named)
        if settings.observatory.value is None:
            settings = resolve_settings({**self.named, "observatory": OBSERVATORY})
        return settings


@contextmanager
def lookup_errors(selection: Selection) -> Iterator[None]:
    """Turn a missing reference into the error that callers of stpipe expect."""
    try:
        yield
    except MissingReferenceError as problem:
        told = problem.message
        if problem.explanation:
            told = f"{told}\n{problem.explanation}"
        elif problem.hint and "--" not in problem.hint:
            told = f"{told}; {problem.hint}"
        if not problem.explanation and _without_cache(selection):
            told = f"{told}; {_NO_CACHE}"
        hint = f"pass override_{problem.reftype}=, or allow_missing=['{problem.reftype}']"
        raise CrdsLookupError(told, hint) from problem


def _without_cache(selection: Selection) -> bool:
    try:
        return selection.context() is None
    except CalmapError:
        return False
