"""Where the files of a cache are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.references import MODE_FILE, ReferenceFolder, is_file, reference_folder, safe_name
from calmap.errors import CacheError, NotInCacheError, UsageError
from calmap.model.names import mapping_kind, mapping_name


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

    def config_path(self, observatory: str) -> Path:
        """Folder of the configuration of a telescope."""
        return self.config / safe_name(observatory, "telescope")

    def find_mapping(self, name: str, observatory: str = "") -> Path | None:
        """Where a mapping is, or None if it is not there.

        Raises
        ------
        CacheError
            If the name is not that of a plain file.
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
            If the name is not that of a plain file.
        """
        found = self.find_mapping(name, observatory)
        if found is None:
            first = self._mapping_places(name, observatory)[0].parent
            advice = self._advice(observatory or _telescope(name))
            raise NotInCacheError(f"mapping {name} is not in {first}", hint=advice)
        return found

    def reference_folder(self, observatory: str) -> ReferenceFolder:
        """The reference files of a telescope; keep it to look up many."""
        telescope = safe_name(observatory, "telescope")
        folder, config = self.references / telescope, self.config / telescope
        if not folder.is_dir() and self.reference_root is not None:
            folder = self.references
        if not config.is_dir() and not (self.mappings / telescope).is_dir():
            config = self.config
        return reference_folder(folder, config / MODE_FILE)

    def reference_path(self, name: str, observatory: str, instrument: str) -> Path:
        """Where a reference file is.

        Raises
        ------
        NotInCacheError
            If it is not there.
        CacheError
            If a name is not that of a plain file.
        """
        return self.reference_folder(observatory).path(name, instrument)

    def observatories(self) -> tuple[str, ...]:
        """Telescopes that have mappings, in alphabetical order."""
        try:
            entries = [path for path in self.mappings.iterdir() if not path.name.startswith(".")]
            found = {path.name for path in entries if path.is_dir() and any(_mappings_in(path))}
        except OSError as problem:
            raise self._unusable(problem) from problem
        return tuple(sorted(found | {_telescope(path.name) for path in entries if _is_mapping(path)}))

    def contexts(self, observatory: str) -> tuple[str, ...]:
        """Names of a telescope's pipeline contexts, the newest last; those without a serial number first."""
        folder = self.mappings / safe_name(observatory, "telescope")
        try:
            inside = set(_contexts_in(folder)) if folder.is_dir() else set()
            beside = {name for name in _contexts_in(self.mappings) if _telescope(name) == observatory}
        except OSError as problem:
            raise self._unusable(problem) from problem
        return tuple(sorted(inside | beside, key=_age))

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

    def _unusable(self, problem: OSError) -> CacheError:
        return CacheError(
            f"{self.mappings} can't be read: {problem.strerror or problem}",
            hint="a cache is a folder with mappings/<telescope> in it; choose one with --cache",
        )


def cache_above(folder: Path) -> Path | None:
    """The nearest cache that a folder is in: itself or one above it that has mappings."""
    return next((root for root in (folder, *folder.parents) if looks_like_cache(root)), None)


def looks_like_cache(root: Path) -> bool:
    """True if a folder has mappings where a cache has them."""
    folder = root / "mappings"
    try:
        if not folder.is_dir():
            return False
        return any(
            _is_mapping(path) or (path.is_dir() and any(_mappings_in(path))) for path in folder.iterdir()
        )
    except OSError:
        return False


def _mappings_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if _is_mapping(path))


def _contexts_in(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.iterdir() if path.suffix == ".pmap" and _is_mapping(path))


def _is_mapping(path: Path) -> bool:
    return mapping_kind(path.name) is not None and not path.name.startswith(".") and path.is_file()


def _telescope(name: str) -> str:
    parts = mapping_name(name)
    return parts.observatory if parts else ""


def _age(name: str) -> tuple[bool, int, str]:
    parts = mapping_name(name)
    if parts is None or not parts.serial or parts.instrument:
        return False, 0, name
    return True, int(parts.serial), name
