"""A cache of mappings and reference files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from calmap.bestref.context import Context
from calmap.cache.layout import Layout
from calmap.cache.rulesets import Rules, open_rules
from calmap.errors import UsageError
from calmap.model.names import mapping_name


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Cache:
    """A folder with ``mappings/``, ``references/`` and perhaps ``config/`` in it.

    Parameters
    ----------
    root
        The folder.

    Examples
    --------
    >>> import calmap
    >>> cache = calmap.Cache(".")
    >>> context = cache.context("ligeriri_0001.pmap")
    """

    layout: Layout
    _rules: dict[str, Rules] = field(repr=False, compare=False)

    def __init__(self, root: str | Path | Layout) -> None:
        layout = root if isinstance(root, Layout) else Layout(Path(root).expanduser())
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "_rules", {})

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
        context = Context(name, self.rules(observatory or _telescope(name)))
        context.rules.layout.mapping_path(name, context.observatory.name)
        return context

    def rules(self, observatory: str) -> Rules:
        """All mappings of a telescope."""
        if observatory not in self._rules:
            self._rules[observatory] = open_rules(self.layout, observatory)
        return self._rules[observatory]


def _telescope(name: str) -> str:
    parts = mapping_name(name)
    if parts is None:
        raise UsageError(
            f"'{name}' is not the name of a mapping", "a name such as ligeriri_0001.pmap was expected"
        )
    return parts.observatory
