"""What a cache elsewhere has, and where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from calmap.cache.layout import Layout, context_age
from calmap.cache.references import FLAT_FROM, LEGACY, MODE_FILE, Arrangement, safe_name
from calmap.cache.remote.listing import STATE
from calmap.cache.remote.manifest import FILE_NAME
from calmap.cache.remote.origin import Names
from calmap.cache.remote.supply import Supply
from calmap.cache.remote.trouble import AbsentError, ForbiddenError
from calmap.cache.store import digest, write_atomically, writing
from calmap.errors import CacheError, NotInCacheError
from calmap.model.names import mapping_kind, mapping_name
from calmap.observatories.library import FILE_NAME as DEFINITION

_CONTEXT: Final = ".pmap"
_MAX_WORD: Final = 100
_FILES: Final = (DEFINITION, "bad_files.txt")


class Telescope(NamedTuple):
    """What is known of a telescope's files in a cache elsewhere.

    Parameters
    ----------
    arrangement
        How its reference files are spread over folders; empty if nothing tells.
    files
        Its files of configuration that were fetched, and their SHA-256 then.
    """

    arrangement: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """What a cache elsewhere has.

    Parameters
    ----------
    supply
        The way to it.
    """

    supply: Supply
    _known: dict[str, Telescope] = field(default_factory=dict, repr=False)

    def names(self, folder: str, *, fresh: bool = False) -> Names | None:
        """Names of what is in a folder, by the list of checksums or else as the cache lists it.

        None if there is no such folder, or no list of it.

        Raises
        ------
        CacheError
            If the cache does not answer.
        """
        listed = self.supply.manifest(fresh=fresh)
        if listed is not None:
            return Names(listed.names(folder), listed.folders(folder))
        return self.supply.origin.names(folder)

    def observatories(self) -> tuple[str, ...]:
        """Telescopes that have mappings, in alphabetical order.

        Raises
        ------
        CacheError
            If the cache does not answer, or tells nobody what it has.
        """
        top = self.names("mappings", fresh=True)
        if top is None or not top.files | top.folders:
            raise self._silent()
        found = {name for name in top.folders if self._has_mappings(name)}
        found.update(map(_telescope, top.files))
        return tuple(sorted(found - {""}))

    def contexts(self, observatory: str) -> tuple[str, ...]:
        """Names of a telescope's contexts, the newest last.

        Raises
        ------
        CacheError
            As `observatories`.
        """
        found = [name for name in self.mappings(observatory) if name.endswith(_CONTEXT)]
        return tuple(sorted(found, key=context_age))

    def mappings(self, observatory: str) -> tuple[str, ...]:
        """Names of a telescope's mappings, in alphabetical order.

        Raises
        ------
        CacheError
            As `observatories`.
        """
        folder = f"mappings/{safe_name(observatory, 'telescope')}"
        own, top = self.names(folder, fresh=True), self.names("mappings")
        if own is None and (top is None or not top.files | top.folders):
            raise self._silent()
        beside = (name for name in (top.files if top else ()) if _telescope(name) == observatory)
        found = {*(own.files if own else ()), *beside}
        return tuple(sorted(name for name in found if mapping_kind(name)))

    def mapping_places(self, name: str, observatory: str = "") -> tuple[str, ...]:
        """Where a mapping may be."""
        parts = mapping_name(safe_name(name, "mapping"))
        telescopes = dict.fromkeys(filter(None, (observatory, parts.observatory if parts else "")))
        folders = [f"mappings/{safe_name(telescope, 'telescope')}" for telescope in telescopes]
        return tuple(f"{folder}/{name}" for folder in (*folders, "mappings"))

    def reference_places(self, name: str, observatory: str, instrument: str) -> tuple[str, ...]:
        """Where a reference file may be."""
        safe_name(name, "reference file")
        folder = f"references/{safe_name(observatory, 'telescope')}"
        who = safe_name(instrument, "instrument").lower()
        flat, own = f"{folder}/{name}", f"{folder}/{who}/{name}"
        arrangement = self.telescope(observatory).arrangement
        if arrangement == Arrangement.FLAT:
            return (flat,)
        if arrangement == Arrangement.INSTRUMENT:
            return (own,)
        legacy = (f"{folder}/{LEGACY[who]}/{name}",) if who in LEGACY else ()
        if arrangement == Arrangement.LEGACY:
            return (*legacy, own)
        return (own, flat)

    def telescope(self, name: str, *, fresh: bool = False) -> Telescope:
        """What is known of a telescope; its configuration is fetched with it.

        Parameters
        ----------
        fresh
            Whether to ask in any case; else what was learned once will do.

        Raises
        ------
        CacheError
            If that can't be found out.
        """
        if name not in self._known or fresh:
            kept = None if fresh else self._kept(name)
            self._known[name] = kept or self._learned(name)
        return self._known[name]

    def renew(self, name: str) -> None:
        """Bring the configuration of a telescope up to date.

        Raises
        ------
        CacheError
            If that can't be done.
        """
        kept = self._kept(name)
        if kept is None:
            self.telescope(name)
        else:
            self._known[name] = self._keep(name, kept._replace(files=self._configuration(name)))

    def _keep(self, name: str, found: Telescope) -> Telescope:
        path = self._state(name)
        if found != self._kept(name):
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, (json.dumps(found._asdict()) + "\n").encode())
        return found

    def _state(self, name: str) -> Path:
        return self.supply.root / STATE / f"{safe_name(name, 'telescope')}.json"

    def _kept(self, name: str) -> Telescope | None:
        path = self._state(name)
        with writing(path, "read"):
            try:
                values = json.loads(path.read_bytes())
                files = {str(key): str(value) for key, value in values["files"].items()}
                return Telescope(str(values["arrangement"]), files)
            except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
                return None

    def _learned(self, name: str) -> Telescope:
        arrangement = self._arrangement(name)
        self._arrange(name, arrangement)
        return self._keep(name, Telescope(arrangement, self._configuration(name)))

    def _arrange(self, name: str, arrangement: str) -> None:
        """Say how reference files are arranged here: as they are if there are any, else as in the cache."""
        own = self.supply.root / "config" / name / MODE_FILE
        layout = Layout(self.supply.root)
        if own.exists():
            return
        with writing(own):
            if (layout.config_of(name) / MODE_FILE).exists() or _has_any(layout.references / name):
                word = layout.reference_folder(name).arrangement
            else:
                flat = arrangement == Arrangement.FLAT
                word = Arrangement.FLAT if flat else Arrangement.INSTRUMENT
            own.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(own, f"{word}\n".encode())

    def _arrangement(self, name: str) -> str:
        """How the cache says that it arranges its reference files, or else how it does."""
        for place in (f"config/{name}/{MODE_FILE}", f"config/{MODE_FILE}"):
            try:
                word = self._text(place).strip()
            except AbsentError:
                continue
            if word not in tuple(Arrangement):
                message = f"{self.supply.origin.shown(place)} says '{word[:40]}'"
                raise CacheError(message, f"it must be one of {', '.join(Arrangement)}")
            return word
        found = self.names(f"references/{name}")
        if found is None or not found.files | found.folders:
            return ""
        flat = len(found.files) + len(found.folders) > FLAT_FROM
        return Arrangement.FLAT if flat else Arrangement.INSTRUMENT

    def _text(self, place: str) -> str:
        target = self.supply.root / STATE / place.rpartition("/")[2]
        with self.supply.fetched((place,), target) as (part, _), writing(part, "read"):
            return part.read_bytes()[:_MAX_WORD].decode("utf-8", errors="replace")

    def _configuration(self, name: str) -> dict[str, str]:
        """Fetch files of configuration, and give the SHA-256 of each."""
        kept = self._kept(name)
        before = kept.files if kept else {}
        found = {file: self._configured(f"config/{name}/{file}", before.get(file, "")) for file in _FILES}
        return {file: value for file, value in found.items() if value}

    def _configured(self, place: str, before: str) -> str:
        """Fetch a file of configuration; one that somebody wrote or changed here is left as it is."""
        target = self.supply.root / place
        present = self._digest(target)
        listed = self.supply.manifest()
        if present and listed is not None and listed.digests.get(place) == present:
            return present
        if present != before:
            return ""
        try:
            self.supply.fetch((place,), target)
        except ForbiddenError:
            return present
        except AbsentError:
            with writing(target, "removed"):
                target.unlink(missing_ok=True)
            return ""
        return self._digest(target)

    def _digest(self, path: Path) -> str:
        with writing(path, "read"):
            return digest(path.read_bytes()) if path.is_file() else ""

    def _has_mappings(self, telescope: str) -> bool:
        found = self.names(f"mappings/{telescope}")
        return found is not None and any(mapping_kind(name) for name in found.files)

    def _silent(self) -> NotInCacheError:
        message = f"{self.supply.origin} does not tell which contexts it has"
        hint = f"is the URL right? name a context, or put a list of its files there, {FILE_NAME}"
        return NotInCacheError(message, hint)


def _telescope(name: str) -> str:
    parts = mapping_name(name)
    return parts.observatory if parts else ""


def _has_any(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
