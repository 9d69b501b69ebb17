"""Where the files of a cache are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.folders import folder_names, has_mappings, looks_like_cache, mapping_names
from calmap.cache.references import MODE_FILE, ReferenceFolder, is_file, reference_folder, safe_name
from calmap.errors import CacheError, NotInCacheError, UsageError
from calmap.model.names import is_safe, mapping_name
from calmap.model.text import read_bytes
from calmap.observatories.library import definition_file, read_definition_text

_CONTEXT = ".pmap"


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders of a cache.

    Mappings are in ``mappings/<observatory>``, or all in ``mappings`` where a
    cache serves one telescope only.

    Parameters
    ----------
    root
        The folder of the cache.
    mapping_root, reference_root, config_root
        Folders to use in place of ``mappings``, ``references`` and ``config``
        of the root.
    """

    root: Path
    mapping_root: Path | None = None
    reference_root: Path | None = None
    config_root: Path | None = None

    @property
    def mappings(self) -> Path:
        """Folder of all mappings."""
        return self.mapping_root or self.root / "mappings"

    @property
    def references(self) -> Path:
        """Folder of all reference files."""
        return self.reference_root or self.root / "references"

    @property
    def config(self) -> Path:
        """Folder of all configuration."""
        return self.config_root or self.root / "config"

    @property
    def origin(self) -> str:
        """URL of the cache that files come from; empty if they are just here."""
        return ""

    def definitions(self, observatory: str) -> Path:
        """Folder of all configuration, to read the definition of a telescope from.

        Raises
        ------
        CacheError
            If the definition has to come from elsewhere and does not.
        """
        return self.config

    def read_definition(self, observatory: str) -> tuple[Path, str]:
        """Where the definition of a telescope stands, in the cache or in calmap itself, and its text.

        Raises
        ------
        ObservatoryError, CacheError
            If there is none, or it can't be read.
        """
        path = definition_file(observatory, self.definitions(observatory))
        return path, read_definition_text(path)

    def config_of(self, observatory: str) -> Path:
        """Folder of the configuration of a telescope; all of ``config`` in a cache of only one.

        Raises
        ------
        CacheError
            If the name is not that of a plain folder.
        """
        telescope = safe_name(observatory, "telescope")
        own = self.config / telescope
        return own if own.is_dir() or (self.mappings / telescope).is_dir() else self.config

    def find_mapping(self, name: str, observatory: str = "") -> Path | None:
        """Where a mapping is, or None if it is not there.

        Raises
        ------
        CacheError
            If the name is not that of a plain file, or a folder can't be entered.
        """
        return next((path for path in self._mapping_places(name, observatory) if is_file(path)), None)

    def mapping_path(self, name: str, observatory: str = "") -> Path:
        """Where a mapping is.

        Parameters
        ----------
        name
            File name of the mapping.
        observatory
            The telescope, where the name does not begin with it.

        Raises
        ------
        NotInCacheError
            If it is not there.
        CacheError
            If the name is not that of a plain file, or a folder can't be entered.
        """
        found = self.find_mapping(name, observatory)
        if found is None:
            first = self._mapping_places(name, observatory)[0].parent
            advice = self._advice(observatory or _telescope(name))
            raise NotInCacheError(f"mapping {name} is not in {first}", hint=advice)
        return found

    def read_mapping(self, name: str, observatory: str = "") -> tuple[Path, bytes]:
        """Where a mapping is, and its text.

        Raises
        ------
        NotInCacheError, CacheError
            If it is not there or can't be read.
        """
        if is_safe(name) and is_safe(observatory):
            with suppress(NotInCacheError):
                usual = f"{self.mapping_root or f'{self.root}/mappings'}/{observatory}/{name}"
                return Path(usual), read_bytes(usual)
        path = self.mapping_path(name, observatory)
        return path, read_bytes(path)

    def compiled(self, path: Path, key: str) -> memoryview | None:
        """The compiled form of a mapping that comes with the cache, if there is one.

        Parameters
        ----------
        path
            Where the mapping is.
        key
            What its compiled form is made from, as the name of an entry in a store.
        """
        return None

    def reference_folder(self, observatory: str) -> ReferenceFolder:
        """The reference files of a telescope; keep it to look up many.

        Raises
        ------
        CacheError
            If the name is not that of a plain folder, or the cache does not say
            rightly how the files are arranged.
        """
        folder = self.references / safe_name(observatory, "telescope")
        if not folder.is_dir() and self.reference_root is not None:
            folder = self.references
        return reference_folder(folder, self.config_of(observatory) / MODE_FILE)

    def reference_path(self, name: str, observatory: str, instrument: str) -> Path:
        """Where a reference file is.

        Raises
        ------
        NotInCacheError
            If it is not there.
        CacheError
            If a name is not that of a plain file, or as `reference_folder`.
        """
        return self.reference_folder(observatory).path(name, instrument)

    def has_reference(self, name: str, observatory: str, instrument: str) -> bool:
        """Whether a reference file is here already.

        Raises
        ------
        CacheError
            As `reference_path`, except that it may be missing.
        """
        return is_file(self.reference_folder(observatory).place(name, instrument))

    def observatories(self) -> tuple[str, ...]:
        """Telescopes that have mappings, in alphabetical order.

        Raises
        ------
        CacheError
            If the cache can't be read.
        """
        with self._reading():
            folders = filter(is_safe, folder_names(self.mappings))
            found = {name for name in folders if has_mappings(self.mappings / name)}
            found.update(map(_telescope, mapping_names(self.mappings)))
        return tuple(sorted(found - {""}))

    def contexts(self, observatory: str) -> tuple[str, ...]:
        """Names of a telescope's pipeline contexts, the newest last; those without a serial number first.

        Raises
        ------
        CacheError
            If the name is not that of a plain folder, or the cache can't be read.
        """
        folder = self.mappings / safe_name(observatory, "telescope")
        with self._reading():
            inside = set(mapping_names(folder, _CONTEXT)) if folder.is_dir() else set()
            beside = {
                name for name in mapping_names(self.mappings, _CONTEXT) if _telescope(name) == observatory
            }
        return tuple(sorted(inside | beside, key=context_age))

    def mapping_files(self, observatory: str | None = None) -> tuple[Path, ...]:
        """Every mapping, or every one of a telescope, in alphabetical order.

        Raises
        ------
        CacheError
            If the name is not that of a plain folder, or the cache can't be read.
        """
        wanted = {observatory, ""}
        with self._reading():
            folders = (
                folder_names(self.mappings) if observatory is None else [safe_name(observatory, "telescope")]
            )
            places = [self.mappings / name for name in folders]
            inside = [place / name for place in places if place.is_dir() for name in mapping_names(place)]
            beside = [
                self.mappings / name
                for name in mapping_names(self.mappings)
                if observatory is None or _telescope(name) in wanted
            ]
        return tuple(sorted(inside + beside))

    def require_files(self) -> None:
        """See that mappings are files of their own, which can be looked at and changed.

        Raises
        ------
        CacheError
            If they are not.
        """

    def newest_context(self, observatory: str | None = None) -> str:
        """Name of the context with the highest serial number.

        Parameters
        ----------
        observatory
            The telescope; may be left out where the cache has only one.

        Raises
        ------
        UsageError
            If the cache has several telescopes and none is named.
        NotInCacheError
            If there is no context.
        """
        if observatory is None:
            present = self.observatories()
            if len(present) > 1:
                raise UsageError(
                    f"the cache {self.root} has several telescopes: {', '.join(present)}",
                    hint="choose one with --observatory, or a context with --context",
                )
            observatory = present[0] if present else ""
        contexts = self.contexts(observatory) if observatory else ()
        if not contexts:
            folder = self.mappings / observatory
            raise NotInCacheError(f"no .pmap in {folder}", hint=self._advice(observatory))
        return contexts[-1]

    def _mapping_places(self, name: str, observatory: str) -> tuple[Path, ...]:
        safe_name(name, "mapping")
        telescopes = dict.fromkeys(filter(None, (observatory, _telescope(name))))
        folders = [self.mappings / safe_name(telescope, "telescope") for telescope in telescopes]
        return tuple(folder / name for folder in (*folders, self.mappings))

    def _advice(self, observatory: str) -> str:
        contexts = self.contexts(observatory) if observatory and self.mappings.is_dir() else ()
        if contexts:
            return f"the newest context there is {contexts[-1]}"
        if not self.mappings.is_dir():
            return f"{self.mappings} is no folder; choose another cache with --cache"
        present = ", ".join(self.observatories()) or "no telescope"
        return f"the cache {self.root} has mappings of {present}; choose another with --cache"

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise CacheError(
                f"{self.mappings} can't be read: {problem.strerror or problem}",
                hint="a cache is a folder with mappings/<telescope> in it; choose one with --cache",
            ) from problem


def cache_above(folder: Path) -> Path | None:
    """The nearest cache that a folder is in: itself or one above it that has mappings."""
    return next((root for root in (folder, *folder.parents) if looks_like_cache(root)), None)


def _telescope(name: str) -> str:
    parts = mapping_name(name)
    return parts.observatory if parts else ""


def context_age(name: str) -> tuple[bool, int, str]:
    """What sorts the contexts of a telescope, the newest last."""
    parts = mapping_name(name)
    if parts is None or not parts.serial or parts.instrument:
        return False, 0, name
    return True, int(parts.serial), name
