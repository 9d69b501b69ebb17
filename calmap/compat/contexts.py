"""Which context a call means: the one named, that of the environment, or the newest in the cache."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

from calmap.bestref import Cache, Context
from calmap.cache.folders import folder_names
from calmap.cache.layout import Layout
from calmap.cache.settings import Settings, complete_settings, given_settings
from calmap.compat.errors import CrdsConfigError, crds_errors
from calmap.errors import CalmapError
from calmap.model.names import mapping_kind, mapping_name

_KEPT = 8
_TICK_NS = 20_000_000


def current_context(observatory: str | None, name: str | None) -> Context:
    """The context to answer with; loaded once, and again when a file is put among the mappings or taken away.

    A mapping or a telescope's definition that is edited in place, rather than
    replaced by a new file, keeps its old meaning until the process ends.

    Parameters
    ----------
    observatory
        The telescope; it matters only if no context is named here or in the environment.
    name
        Name of the context.

    Raises
    ------
    CrdsError
        If there is no such cache or context, or nobody says which.
    """
    with crds_errors():
        settings = _settings(observatory, name)
        layout = _layout(settings)
        chosen = _name(settings)
        parts = mapping_name(chosen)
        telescope = parts.observatory if parts else settings.observatory.value or observatory
        return _context(layout, chosen, telescope, _age(layout, telescope))


def current_layout(observatory: str | None = None) -> tuple[Layout, str]:
    """Folders of the cache, and the telescope that is meant.

    Raises
    ------
    CrdsConfigError
        If there is no cache, or it has several telescopes and nobody says which is meant.
    """
    with crds_errors():
        settings = _complete(given_settings({"observatory": observatory}))
        telescope = settings.observatory.value
        layout = _layout(settings)
        if telescope is None:
            raise CrdsConfigError(
                f"which telescope is meant? {settings.observatory.origin}", "name it, or set CRDS_OBSERVATORY"
            )
        return layout, telescope


def current_name(observatory: str | None, name: str | None) -> str:
    """Name of the context, whether or not it is in the cache.

    Raises
    ------
    CrdsConfigError
        If there is none.
    """
    with crds_errors():
        return _name(_settings(observatory, name))


def _settings(observatory: str | None, name: str | None) -> Settings:
    """Settings in which a context that somebody named counts more than the telescope, as in CRDS."""
    given = given_settings({"context": name})
    if given.context.value is None and observatory:
        given = given_settings({"observatory": observatory})
    return _complete(given)


def _complete(given: Settings) -> Settings:
    """Settings with what the cache tells; it is looked into again when a folder of mappings has changed."""
    try:
        mappings = given.layout().mappings
    except CalmapError:
        return given
    age = _changed(mappings)
    return _completed(given, age, tuple(_changed(folder) for folder in _folders(mappings, age)))


@lru_cache(maxsize=_KEPT)
def _completed(given: Settings, age: int, ages: tuple[int, ...]) -> Settings:
    return complete_settings(given)


@lru_cache(maxsize=_KEPT)
def _folders(mappings: Path, age: int) -> tuple[Path, ...]:
    try:
        return tuple(mappings / name for name in folder_names(mappings))
    except OSError:
        return ()


def _name(settings: Settings) -> str:
    name, origin = settings.context.value, settings.context.origin
    if name is None:
        _layout(settings)
        raise CrdsConfigError(
            f"which context is meant? {origin}", "name a .pmap, as an argument or in CRDS_CONTEXT"
        )
    if mapping_kind(name) is None:
        giver = "" if origin.startswith("--") else f" of {origin}"
        raise CrdsConfigError(
            f"the context '{name}'{giver} is not the name of a mapping",
            "what a name such as jwst-latest stands for only a server knows; name a .pmap",
        )
    return name


def _layout(settings: Settings) -> Layout:
    if settings.cache.value is None and settings.mappings.value is None:
        raise CrdsConfigError(
            "which cache is meant? no folder from here upwards has mappings",
            "name one in CALMAP_CACHE or CRDS_PATH",
        )
    return settings.layout()


@lru_cache(maxsize=_KEPT)
def _context(layout: Layout, name: str, observatory: str | None, age: tuple[int, ...]) -> Context:
    return Cache(layout).context(name, observatory)


def _age(layout: Layout, observatory: str | None) -> tuple[int, ...]:
    """When the folders of the mappings and of the telescope's definition were last changed."""
    folders = [layout.mappings]
    if observatory:
        folders += [layout.mappings / observatory, layout.config / observatory]
    return tuple(_changed(folder) for folder in folders)


def _changed(folder: Path) -> int:
    """When a folder was last changed, as a key; one that just was gets a key of its own at every call.

    File systems count time in ticks, so that what changes next could bear the same time.
    """
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return 0
    now = time.time_ns()
    return now if 0 <= now - changed < _TICK_NS else changed
