"""The settings that were chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from calmap.cache.layout import Layout
from calmap.cache.ownership import is_path
from calmap.errors import CacheError, UsageError
from calmap.model.names import mapping_kind


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one setting and where it comes from, or why there is none.

    Parameters
    ----------
    problem
        The trouble with the cache that kept it from being found out.
    """

    name: str
    value: str | None
    origin: str
    rank: int = 0
    problem: CacheError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, each with its origin."""

    cache: Setting
    context: Setting
    observatory: Setting
    mappings: Setting
    references: Setting
    config: Setting
    mirror: Setting = Setting("mirror", None, "the cache is a folder")

    def __iter__(self) -> Iterator[Setting]:
        every = (getattr(self, field.name) for field in fields(self))
        return (setting for setting in every if setting.name != "mirror" or setting.value is not None)

    def layout(self) -> Layout:
        """Folders of the cache.

        Raises
        ------
        UsageError
            If no cache is known.
        CacheError
            If it has no mappings.
        """
        mappings = self.mappings.value
        root = self.mirror.value or self.cache.value or (mappings and str(Path(mappings).parent))
        if not root:
            raise UsageError("which cache is meant?", hint="name it with --cache or in CALMAP_CACHE")
        folders = (_elsewhere(item, Path(root)) for item in (self.mappings, self.references, self.config))
        if self.mirror.value and self.cache.value:
            from calmap.cache.remote.mirror import open_mirror

            return open_mirror(self.cache.value, Path(root), *folders)
        if Path(root).is_file():
            from calmap.cache.bundle import open_bundle

            return open_bundle(Path(root), _elsewhere(self.references, Path(root).parent))
        layout = Layout(Path(root), *folders)
        if not layout.mappings.is_dir():
            origin = self.cache.origin if self.cache.value else self.mappings.origin
            raise CacheError(
                f"{root} is no cache: there is no folder {layout.mappings}", hint=f"it was named by {origin}"
            )
        return layout

    def context_name(self) -> str:
        """Name of the context.

        Raises
        ------
        UsageError
            If there is none, several would do, it lies outside the cache, or only a server could tell
            which is meant.
        CacheError
            If the cache can't tell.
        """
        name, origin = self.context.value, self.context.origin
        if name is None:
            self.layout()
            if self.context.problem is not None:
                raise self.context.problem
            raise UsageError(f"which context is meant? {origin}", hint="name a .pmap with --context")
        if mapping_kind(name) is None:
            raise UsageError(
                f"the context '{name}' of {origin} is not the name of a mapping",
                hint="what a name such as jwst-latest stands for only a server knows; name a .pmap",
            )
        if is_path(name):
            raise self._stranger(name)
        return name

    def _stranger(self, path: str) -> UsageError:
        root = self.cache.value or (self.mappings.value and str(Path(self.mappings.value).parent))
        if root is None:
            return UsageError(
                f"{path} is in no cache", "name the cache with --cache and the context by its name"
            )
        hint = "copy it there, or leave out --cache" if self.cache.origin == "--cache" else "copy it there"
        return UsageError(f"{path} is not in the cache {root}", hint)


def _elsewhere(setting: Setting, root: Path) -> Path | None:
    """The folder of a setting, unless it is where a cache has it anyway."""
    path = Path(setting.value) if setting.value else None
    return None if path == root / setting.name else path
