"""Where a cache keeps the reference files of one telescope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from calmap.errors import CacheError, NotInCacheError
from calmap.model.names import is_safe

MODE_FILE = "ref_cache_subdir_mode"
FLAT_FROM = 20
LEGACY: Mapping[str, str] = MappingProxyType(
    {
        "acs": "jref",
        "cos": "lref",
        "nicmos": "nref",
        "stis": "oref",
        "wfc3": "iref",
        "wfpc2": "uref",
    }
)


class Arrangement(StrEnum):
    """How the reference files of a telescope are spread over folders."""

    FLAT = "flat"
    INSTRUMENT = "instrument"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class ReferenceFolder:
    """The reference files of one telescope in one cache.

    Parameters
    ----------
    folder
        The folder all of them are below.
    arrangement
        What folders there are in it.
    """

    folder: Path
    arrangement: Arrangement

    def place(self, name: str, instrument: str) -> Path:
        """Where a reference file is, or would be if it were there.

        Raises
        ------
        CacheError
            If the name or the instrument is not that of a plain file.
        """
        safe_name(name, "reference file")
        return self._subfolder(safe_name(instrument, "instrument").lower()) / name

    def path(self, name: str, instrument: str) -> Path:
        """Where a reference file is.

        Raises
        ------
        NotInCacheError
            If it is not there.
        CacheError
            As `place`.
        """
        path = self.place(name, instrument)
        if not is_file(path):
            raise NotInCacheError(
                f"reference file {name} is not in {path.parent}",
                hint="copy it there, or choose another cache with --cache",
            )
        return path

    def _subfolder(self, instrument: str) -> Path:
        if self.arrangement is Arrangement.FLAT:
            return self.folder
        if self.arrangement is Arrangement.LEGACY and instrument in LEGACY:
            legacy = self.folder / LEGACY[instrument]
            if legacy.is_dir():
                return legacy
        return self.folder / instrument


def reference_folder(folder: Path, mode_file: Path) -> ReferenceFolder:
    """The reference files below a folder, arranged as a file of the cache says.

    Without that file they are taken for flat if the folder has more than 20
    entries, and else for one folder an instrument, as in CRDS.

    Raises
    ------
    CacheError
        If the file can't be read or says something else.
    """
    try:
        word = mode_file.read_text("utf-8").strip()
    except FileNotFoundError:
        return ReferenceFolder(folder, _guess(folder))
    except (OSError, UnicodeDecodeError) as problem:
        raise CacheError(f"{mode_file} can't be read: {problem}") from problem
    try:
        return ReferenceFolder(folder, Arrangement(word))
    except ValueError:
        known = ", ".join(Arrangement)
        raise CacheError(f"{mode_file} says '{word[:40]}'", hint=f"it must be one of {known}") from None


def _guess(folder: Path) -> Arrangement:
    try:
        entries = sum(not path.name.startswith(".") for path in folder.iterdir())
    except OSError:
        return Arrangement.INSTRUMENT
    return Arrangement.FLAT if entries > FLAT_FROM else Arrangement.INSTRUMENT


def safe_name(name: str, what: str) -> str:
    """The name itself, once it is sure that it can't lead out of a folder.

    Raises
    ------
    CacheError
        If it is not a plain file name.
    """
    if not is_safe(name):
        raise CacheError(f"{name!r} can't be the name of a {what}", hint="it must have no folder in it")
    return name


def is_file(path: Path) -> bool:
    """True if there is such a file.

    Raises
    ------
    CacheError
        If a folder on the way can't be entered.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as problem:
        raise CacheError(f"{path} can't be reached: {problem.strerror or problem}") from problem
    return path.is_file()
