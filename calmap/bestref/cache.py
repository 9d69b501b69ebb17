"""A cache of mappings and reference files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from calmap.bestref.context import Context
from calmap.cache.compiled import NO_STORE, CompiledStore
from calmap.cache.layout import Layout
from calmap.cache.rulesets import Rules, open_rules
from calmap.cache.settings import compiled_store, opened_layout
from calmap.errors import ObservatoryError, UsageError
from calmap.model.names import mapping_name


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Cache:
    """A folder with ``mappings/``, ``references/`` and perhaps ``config/`` in it.

    Parameters
    ----------
    root
        The folder, or the URL of a cache that is elsewhere, such as ``s3://bucket/crds``.

    store
        Where compiled mappings are kept from one run to the next; in the user's
        cache folder if left out.

    Examples
    --------
    >>> import calmap
    >>> cache = calmap.Cache(".")
    >>> context = cache.context("ligeriri_0001.pmap")
    """

    layout: Layout
    store: CompiledStore
    _rules: dict[str, Rules] = field(repr=False, compare=False)

    def __init__(self, root: str | Path | Layout, store: CompiledStore | None = None) -> None:
        layout = root if isinstance(root, Layout) else opened_layout(root)
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "store", compiled_store() if store is None else store)
        object.__setattr__(self, "_rules", {})

    @classmethod
    def of_bytes(cls, data: bytes, name: str = "context.calmap") -> Cache:
        """A context from the bytes of a file that ``calmap compile`` made; nothing is kept on disk.

        Parameters
        ----------
        data
            The bytes.
        name
            What to call them in messages.

        Raises
        ------
        CacheError
            If they are something else.
        """
        from calmap.cache.bundle import bundle_layout

        return cls(bundle_layout(Path(name), data), NO_STORE)

    @property
    def root(self) -> Path:
        """The folder."""
        return self.layout.root

    def context(self, name: str | None = None, observatory: str | None = None) -> Context:
        """A context by the name of its mapping.

        Parameters
        ----------
        name
            A ``.pmap``, ``.imap`` or ``.rmap``; the newest ``.pmap`` if None.
        observatory
            The telescope, where the name does not begin with it.

        Raises
        ------
        NotInCacheError
            If there is no such mapping.
        ObservatoryError
            If the telescope's definition is missing or wrong.
        """
        name = name or self.layout.newest_context(observatory)
        telescope = observatory or _telescope(name)
        try:
            context = Context(name, self.rules(telescope))
        except ObservatoryError:
            self.layout.mapping_path(name, telescope)
            raise
        context.rules.layout.mapping_path(name, context.observatory.name)
        return context

    def rules(self, observatory: str) -> Rules:
        """All mappings of a telescope."""
        if observatory not in self._rules:
            self._rules[observatory] = open_rules(self.layout, observatory, self.store)
        return self._rules[observatory]


def _telescope(name: str) -> str:
    parts = mapping_name(name)
    if parts is None:
        raise UsageError(
            f"'{name}' is not the name of a mapping", "a name such as ligeriri_0001.pmap was expected"
        )
    return parts.observatory
