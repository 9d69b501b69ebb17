"""Which cache, context and telescope are meant, and who said so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from calmap.cache.chosen import Setting, Settings
from calmap.cache.compiled import NO_STORE, CompiledStore
from calmap.cache.configfile import ConfigEntry, config_files, read_config
from calmap.cache.layout import Layout, cache_above
from calmap.cache.ownership import cache_around, is_path, owns
from calmap.cache.remote.urls import is_url, mirror_name, normal_url
from calmap.errors import CacheError, CalmapError, UsageError
from calmap.model.names import mapping_name

__all__ = [
    "FOUND",
    "NEWEST",
    "Setting",
    "Settings",
    "compiled_store",
    "complete_settings",
    "given_settings",
    "opened_layout",
    "process_variables",
    "resolve_settings",
]

_VARIABLES = (
    ("cache", ("CALMAP_CACHE", "CRDS_PATH_SINGLE", "CRDS_PATH")),
    ("context", ("CALMAP_CONTEXT", "CRDS_CONTEXT")),
    ("observatory", ("CALMAP_OBSERVATORY", "CRDS_OBSERVATORY")),
    ("mirrors", ("CALMAP_MIRRORS",)),
)
_FOLDERS = (
    ("mappings", ("CRDS_MAPPATH_SINGLE", "CRDS_MAPPATH")),
    ("references", ("CRDS_REFPATH_SINGLE", "CRDS_REFPATH")),
    ("config", ("CRDS_CFGPATH_SINGLE", "CRDS_CFGPATH")),
)
FOUND = ("this folder", "a folder above this one")
"""Where a cache comes from that nobody named."""
NEWEST = "the newest one in the cache"
_NO_CACHE = "not set, and no folder from here upwards has mappings"


def resolve_settings(
    options: Mapping[str, str | None],
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Settings from the command line, the environment, configuration files and the cache, in this order.

    Parameters
    ----------
    options
        ``cache``, ``context`` and ``observatory`` as given by the user; None for what was not.
    environ
        Variables ``CALMAP_*`` and then ``CRDS_*``; those of the process if left out.
    cwd
        The folder that relative paths start from and a cache is looked for in.

    Raises
    ------
    UsageError
        If a configuration file is wrong, or options contradict each other.
    """
    return complete_settings(given_settings(options, environ, cwd))


def given_settings(
    options: Mapping[str, str | None],
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Settings as `resolve_settings` makes them, but without those that only a look into the cache tells.

    Raises
    ------
    UsageError
        As `resolve_settings`.
    """
    return _Resolution(options, os.environ if environ is None else environ, cwd or Path.cwd()).settings()


def complete_settings(given: Settings) -> Settings:
    """Settings with the only telescope and the newest context of the cache where none is given."""
    context, observatory = given.context, given.observatory
    if context.value is not None and observatory.value is not None:
        return given
    layout: Layout | None = None
    try:
        layout = given.layout()
        if observatory.value is None:
            observatory = _only(layout)
        if context.value is None:
            context = _newest(layout, observatory)
    except CalmapError as problem:
        if layout is None or not layout.origin:
            return given
        context = context if context.value else _unknown(problem)
    return replace(given, context=context, observatory=observatory)


def opened_layout(root: str | Path) -> Layout:
    """Folders of a cache by its path, or of its mirror by its URL.

    Raises
    ------
    UsageError
        If the URL can't be that of a cache.
    """
    if not is_url(root):
        path = _from_home(root)
        if path.is_file():
            from calmap.cache.bundle import open_bundle

            return open_bundle(path)
        return Layout(path)
    return given_settings({"cache": str(root)}).layout()


def compiled_store(environ: Mapping[str, str] | None = None) -> CompiledStore:
    """Where compiled mappings are kept: the folder of ``CALMAP_STORE``, or one in the user's cache folder.

    Parameters
    ----------
    environ
        The variables; those of the process if left out. The word ``off`` keeps nothing.
    """
    chosen = (os.environ if environ is None else environ).get("CALMAP_STORE", "")
    if chosen.strip().lower() == "off":
        return NO_STORE
    if chosen:
        return CompiledStore(_from_home(chosen))
    folder = _user_folder()
    return NO_STORE if folder is None else CompiledStore(folder / "compiled")


def process_variables() -> dict[str, str]:
    """The environment of the process; no other module reads it."""
    return dict(os.environ)


def _from_home(path: str | Path) -> Path:
    """A path in which a leading ``~`` stands for the folder of a user that there is."""
    with suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


class _Resolution:
    """One run through all sources of settings."""

    def __init__(self, options: Mapping[str, str | None], environ: Mapping[str, str], cwd: Path) -> None:
        self.options = options
        self.environ = environ
        self.cwd = cwd
        self.files = tuple(read_config(path) for path in config_files(cwd, environ))

    def settings(self) -> Settings:
        cache = self._cache()
        mirror = self._mirror(cache)
        root = cache if mirror.value is None else mirror
        folders = (self._folder(name, variables, root) for name, variables in _FOLDERS)
        mappings, references, config = folders
        context, observatory = self._agreed(*(self._given(*names) for names in _VARIABLES[1:3]))
        if not context.value or not is_path(context.value):
            return Settings(cache, context, observatory, mappings, references, config, mirror)
        context = replace(context, value=self._absolute(context.value, self.cwd))
        settings = Settings(cache, context, observatory, mappings, references, config, mirror)
        return _by_name(settings) or self._elsewhere(settings) or settings

    def _elsewhere(self, settings: Settings) -> Settings | None:
        """Settings with the cache around the path of the context, if nobody named one that counts as much."""
        options = self.options
        named = options.get("cache") if options.get("context") else self._given(*_VARIABLES[0]).value
        root = None if named else cache_around(Path(settings.context.value or ""))
        if root is None:
            return None
        cache = Setting("cache", str(root), f"the path of the context of {settings.context.origin}")
        mappings, references, config = (_inside(cache, name) for name, _ in _FOLDERS)
        return _by_name(
            replace(settings, cache=cache, mappings=mappings, references=references, config=config)
        )

    def _given(self, name: str, variables: tuple[str, ...]) -> Setting:
        """The value that somebody gave."""
        candidates: list[tuple[str | None, str]] = [(self.options.get(name), f"--{name}")]
        candidates += [(self._variable(variable), variable) for variable in variables]
        for file in self.files:
            entry = file.get(name)
            candidates.append(self._from_file(name, entry) if entry else (None, ""))
        for rank, (value, origin) in enumerate(candidates):
            if value:
                return Setting(name, value, origin, rank)
        return Setting(name, None, "not set", len(candidates))

    def _from_file(self, name: str, entry: ConfigEntry) -> tuple[str, str]:
        relative = name in ("cache", "mirrors") or (name == "context" and is_path(entry.value))
        relative = relative and not is_url(entry.value)
        value = self._absolute(entry.value, entry.path.parent) if relative else entry.value
        return value, entry.origin

    def _cache(self) -> Setting:
        given = self._given(*_VARIABLES[0])
        if is_url(given.value):
            return Setting("cache", normal_url(given.value or ""), given.origin)
        if given.value:
            return Setting("cache", self._absolute(given.value, self.cwd), given.origin)
        found = cache_above(self.cwd)
        if found is None:
            return Setting("cache", None, _NO_CACHE)
        return Setting("cache", str(found), FOUND[found != self.cwd])

    def _mirror(self, cache: Setting) -> Setting:
        """The local folder of a cache that is elsewhere."""
        if not is_url(cache.value):
            return Setting("mirror", None, "the cache is a folder")
        given = self._given(*_VARIABLES[3])
        folder = self._absolute(given.value, self.cwd) if given.value else str(_mirrors())
        origin = given.origin if given.value else "the user's cache folder"
        return Setting("mirror", str(Path(folder, mirror_name(cache.value or ""))), origin)

    def _folder(self, name: str, variables: tuple[str, ...], cache: Setting) -> Setting:
        """A folder of the cache; an environment made for CRDS can put it elsewhere."""
        if not self.options.get("cache") and not self.environ.get("CALMAP_CACHE"):
            for variable in variables:
                if value := self._variable(variable):
                    return Setting(name, self._absolute(value, self.cwd), variable)
        return _inside(cache, name)

    def _variable(self, name: str) -> str | None:
        """Value of a variable; None for 'None' too, which crds sets when it is imported and means unset."""
        value = self.environ.get(name)
        return None if name.startswith("CRDS_") and value == "None" else value

    def _absolute(self, value: str, base: Path) -> str:
        home = self.environ.get("HOME")
        if home and (value == "~" or value.startswith("~/")):
            value = home + value[1:]
        return os.path.normpath(base / value)

    def _agreed(self, context: Setting, observatory: Setting) -> tuple[Setting, Setting]:
        """Context and telescope of which the one given with less force yields."""
        called = Path(context.value or "").name
        parts = mapping_name(called)
        name = observatory.value.lower() if observatory.value else None
        observatory = Setting("observatory", name, observatory.origin, observatory.rank)
        if parts is None or name == parts.observatory:
            return context, observatory
        implied = Setting("observatory", parts.observatory, f"the name of the context {called}")
        if name is None or context.rank < observatory.rank:
            return context, implied
        if observatory.rank < context.rank:
            origin = f"not set; {context.value} of {context.origin} belongs to another telescope"
            return Setting("context", None, origin), observatory
        if context.rank == 0:
            message = f"the context {context.value} belongs to {parts.observatory}, not to {name}"
            raise UsageError(message, hint="leave out --observatory")
        return context, implied


def _mirrors() -> Path:
    """Where the mirrors of caches are unless somebody says otherwise.

    Raises
    ------
    UsageError
        If there is no such place.
    """
    folder = _user_folder()
    if folder is None:
        raise UsageError(
            "there is no folder for mirrors of caches", "name one in CALMAP_MIRRORS, or set HOME"
        )
    return folder / "mirrors"


def _user_folder() -> Path | None:
    """The user's cache folder, or None for a user without a home."""
    from platformdirs import user_cache_path

    try:
        folder = user_cache_path("calmap", appauthor=False)
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


def _inside(cache: Setting, name: str) -> Setting:
    if cache.value is None:
        return Setting(name, None, "not set, as there is no cache")
    place = Path(cache.value)
    if place.is_file():
        beside = place.parent / name
        return Setting(name, str(place if name == "mappings" else beside), "a context in one file")
    return Setting(name, str(place / name), "a folder of the cache")


def _by_name(settings: Settings) -> Settings | None:
    """Settings with the name in place of the path of the context, if the file is the cache's own."""
    path = Path(settings.context.value or "")
    try:
        layout = settings.layout()
    except CalmapError:
        return None
    if not owns(layout, path, settings.observatory.value or ""):
        return None
    return replace(settings, context=replace(settings.context, value=path.name))


def _only(layout: Layout) -> Setting:
    present = layout.observatories()
    if len(present) == 1:
        return Setting("observatory", present[0], "the only one in the cache")
    return Setting("observatory", None, f"not set; the cache has {', '.join(present) or 'none'}")


def _newest(layout: Layout, observatory: Setting) -> Setting:
    if observatory.value is None:
        return Setting("context", None, observatory.origin)
    try:
        return Setting("context", layout.newest_context(observatory.value), NEWEST)
    except CalmapError as problem:
        return _unknown(problem)


def _unknown(problem: CalmapError) -> Setting:
    """A context that can't be found out."""
    trouble = problem if isinstance(problem, CacheError) else None
    return Setting("context", None, problem.message, problem=trouble)
