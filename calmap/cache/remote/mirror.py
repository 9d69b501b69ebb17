"""A local folder that fills itself from a cache elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from calmap.cache.layout import Layout
from calmap.cache.references import ReferenceFolder, is_file, safe_name
from calmap.cache.remote.catalogue import Catalogue
from calmap.cache.remote.origin import Origin
from calmap.cache.remote.supply import Supply
from calmap.cache.remote.trouble import AbsentError, ForbiddenError, StaleWarning, UnreachableError
from calmap.cache.remote.urls import normal_url
from calmap.errors import NotInCacheError, UsageError
from calmap.model.names import mapping_name

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Mirror(Layout):
    """Folders of a cache that is elsewhere; files come when they are first asked for.

    What is there is used as it is, as a file never changes its content under
    the same name. The cache itself is asked for what is not there, and which
    contexts it has.

    Parameters
    ----------
    catalogue
        What the cache has.
    """

    catalogue: Catalogue = field(kw_only=True)

    @property
    def origin(self) -> str:
        """URL of the cache, without a password."""
        return str(self.catalogue.supply.origin)

    def definitions(self, observatory: str) -> Path:
        """Folder of all configuration, once the definition of a telescope is there if the cache has one."""
        if self.config_root is None:
            self._or_stale(
                lambda: self.catalogue.telescope(observatory), lambda: None, self.mappings / observatory
            )
        return self.config

    def find_mapping(self, name: str, observatory: str = "") -> Path | None:
        """Where a mapping is; fetched if it is not there, None if the cache does not have it.

        Raises
        ------
        CacheError
            If it can't be fetched, or as for other caches.
        """
        found = Layout.find_mapping(self, name, observatory)
        if found is not None or self.mapping_root is not None:
            return found
        places = self.catalogue.mapping_places(name, observatory)
        try:
            self.catalogue.supply.fetch(places, self.root / places[0])
        except ForbiddenError:
            raise
        except AbsentError:
            return None
        return self.root / places[0]

    def mapping_path(self, name: str, observatory: str = "") -> Path:
        """Where a mapping is; fetched if it is not there.

        Raises
        ------
        NotInCacheError
            If the cache does not have it.
        CacheError
            As `find_mapping`.
        """
        found = self.find_mapping(name, observatory)
        if found is None:
            raise NotInCacheError(
                f"mapping {name} is not in {self.origin}", "calmap list contexts tells what is"
            )
        return found

    def reference_folder(self, observatory: str) -> ReferenceFolder:
        """The reference files of a telescope that are here.

        Raises
        ------
        CacheError
            If it can't be found out how they are arranged.
        """
        if self.reference_root is None:
            self.catalogue.telescope(safe_name(observatory, "telescope"))
        return Layout.reference_folder(self, observatory)

    def reference_path(self, name: str, observatory: str, instrument: str) -> Path:
        """Where a reference file is; fetched if it is not there.

        Raises
        ------
        NotInCacheError
            If the cache does not have it.
        CacheError
            If it can't be fetched, or as for other caches.
        """
        target = self.reference_folder(observatory).place(name, instrument)
        if not is_file(target):
            if self.reference_root is not None:
                return Layout.reference_path(self, name, observatory, instrument)
            places = self.catalogue.reference_places(name, observatory, instrument)
            try:
                self.catalogue.supply.fetch(places, target)
            except AbsentError as problem:
                raise NotInCacheError(
                    f"reference file {name} is not in {self.origin}", str(problem)
                ) from None
        return target

    def observatories(self) -> tuple[str, ...]:
        """Telescopes that the cache has mappings of; those here if it can't be asked."""
        return self._or_stale(self.catalogue.observatories, lambda: Layout.observatories(self), self.mappings)

    def contexts(self, observatory: str) -> tuple[str, ...]:
        """Names of the contexts of the cache, the newest last; those here if it can't be asked."""
        folder = self.mappings / safe_name(observatory, "telescope")
        return self._or_stale(
            lambda: self.catalogue.contexts(observatory), lambda: Layout.contexts(self, observatory), folder
        )

    def newest_context(self, observatory: str | None = None) -> str:
        """Name of the newest context of the cache; the telescope's definition is brought up to date with it.

        Raises
        ------
        UsageError, NotInCacheError
            As for other caches.
        """
        name = Layout.newest_context(self, observatory)
        parts = mapping_name(name)
        if parts is not None and self.config_root is None and self.catalogue.supply.listing.is_writable:
            with suppress(UnreachableError):
                self.catalogue.renew(parts.observatory)
        return name

    def mapping_files(self, observatory: str | None = None) -> tuple[Path, ...]:
        """Every mapping of the cache, or every one of a telescope; all of them are fetched.

        Raises
        ------
        CacheError
            If one can't be fetched.
        """
        if self.mapping_root is None:
            for telescope in self.observatories() if observatory is None else (observatory,):
                for name in self.catalogue.mappings(telescope):
                    self.mapping_path(name, telescope)
        return Layout.mapping_files(self, observatory)

    def _or_stale(self, ask: Callable[[], Result], here: Callable[[], Result], folder: Path) -> Result:
        """What the cache says, or with a warning what the mirror knows, if it knows anything."""
        if self.mapping_root is not None:
            return here()
        try:
            return ask()
        except UnreachableError as problem:
            if not folder.is_dir():
                raise
            warnings.warn(f"{problem.message}; using what is in {self.root}", StaleWarning, stacklevel=1)
            return here()


def open_mirror(
    url: str,
    root: Path,
    mapping_root: Path | None = None,
    reference_root: Path | None = None,
    config_root: Path | None = None,
) -> Mirror:
    """The mirror of a cache in a folder, which need not be there yet.

    Raises
    ------
    UsageError
        If the URL is none of a cache, or leads to the folder itself.
    """
    origin = Origin(normal_url(url))
    if origin.is_same("", root):
        raise UsageError(f"{root} is the cache that files come from", "name another folder with --cache")
    catalogue = Catalogue(Supply.between(origin, root))
    return Mirror(root, mapping_root, reference_root, config_root, catalogue=catalogue)
