"""The mappings that the paths and options of ``calmap refactor`` stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cache.targets import Target, context_targets, path_targets
from calmap.delivery.refactoring import Subject
from calmap.errors import CalmapError, UsageError
from calmap.model.mapping import load_mapping
from calmap.model.names import mapping_kind
from calmap.syntax.ast import MappingKind, header_text

if TYPE_CHECKING:
    from calmap.cache.layout import Layout
    from calmap.cache.settings import Settings
    from calmap.observatories.definition import Observatory


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line says.

    Parameters
    ----------
    paths
        Files, folders and names of mappings.
    settings
        Those of the command line on top.
    cwd
        The folder that relative paths start from.
    fixed
        Whether files belong to the cache of the settings wherever they are.
    of_context
        Whether a context was asked for.
    instrument, reftype
        What rmaps must be for, if anything.
    """

    paths: tuple[str, ...]
    settings: Settings
    cwd: Path
    fixed: bool
    of_context: bool
    instrument: str | None
    reftype: str | None

    @property
    def _named(self) -> frozenset[str]:
        return frozenset(Path(text).name for text in self.paths)

    @property
    def _narrows(self) -> bool:
        return bool(self.instrument or self.reftype)

    def targets(self) -> tuple[Target, ...]:
        """The files, each once.

        Raises
        ------
        UsageError
            If there are none.
        CalmapError
            If they can't be found.
        """
        if self.paths:
            found: Iterator[Target] = path_targets(
                self.paths, self.cwd, self.settings.layout, fixed=self.fixed
            )
        elif self.of_context or self._narrows:
            found = context_targets(self.settings.context_name(), self.settings.layout())
        else:
            raise click.UsageError("name rmaps, or choose some with --context, --instrument or --type")
        wanted = {target.path: target for target in found if self._is_wanted(target.path)}
        if not wanted:
            hint = "folders and contexts stand for their rmaps; a pmap or an imap has to be named itself"
            raise UsageError("there is no rmap to refactor", hint)
        return tuple(wanted.values())

    def of_context_only(
        self, layout: Layout, context: str, targets: tuple[Target, ...]
    ) -> tuple[Target, ...]:
        """Those of the files that were named themselves, or that a context leads to.

        Raises
        ------
        UsageError
            If there are none.
        """
        if not self.paths or all(target.path.name in self._named for target in targets):
            return targets
        inside = {target.path.name for target in context_targets(context, layout)}
        wanted = tuple(t for t in targets if t.path.name in inside or t.path.name in self._named)
        if not wanted:
            hint = "change them with --in-place, or choose another context with --context"
            raise UsageError(f"{context} leads to none of these rmaps", hint)
        return wanted

    def subjects(self, targets: tuple[Target, ...]) -> Iterator[Subject]:
        """The files as they are now."""
        for target in targets:
            yield Subject(load_mapping(target.path), _telescope(target), target.path.name in self._named)

    def context_of(self, layout: Layout, targets: tuple[Target, ...]) -> str:
        """The context that is to have the change: the one asked for, or the newest of the telescope.

        Raises
        ------
        CalmapError
            If there is none.
        """
        known = self.settings.cache.value is not None and self.settings.context.value is not None
        own = known and self.settings.layout().mappings.resolve() == layout.mappings.resolve()
        if own or self.of_context:
            return self.settings.context_name()
        return layout.newest_context(targets[0].telescope or None)

    def _is_wanted(self, path: Path) -> bool:
        is_rmap = mapping_kind(path.name) is MappingKind.REFERENCE
        if self._narrows:
            return is_rmap and self._is_chosen(path)
        return is_rmap or any(
            (self.cwd / text).is_file() and Path(text).name == path.name for text in self.paths
        )

    def _is_chosen(self, path: Path) -> bool:
        header = load_mapping(path).header
        wanted = (("instrument", self.instrument), ("filekind", self.reftype))
        return header is not None and all(
            word is None or (header_text(header, key) or "").lower() == word.lower() for key, word in wanted
        )


def _telescope(target: Target) -> Observatory | None:
    from calmap.observatories.library import load_observatory

    if not target.telescope:
        return None
    try:
        config = target.layout.definitions(target.telescope) if target.layout else None
        return load_observatory(target.telescope, config)
    except CalmapError:
        return None
