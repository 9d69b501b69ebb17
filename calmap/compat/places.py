"""Where the files that pipelines name are in the cache."""

from __future__ import annotations

import logging
from pathlib import Path

from calmap.cache.layout import Layout
from calmap.cache.references import Arrangement, ReferenceFolder, is_file, safe_name
from calmap.compat.contexts import current_layout
from calmap.compat.errors import CrdsDownloadError, crds_errors
from calmap.errors import CalmapError
from calmap.model.names import mapping_kind, mapping_name
from calmap.model.pointers import LFS_MARK
from calmap.observatories.library import load_observatory


def locate_mapping(mappath: str, observatory: str | None = None) -> str:
    """Where a mapping is in the cache, or would be; a path with a folder is returned as it is.

    Raises
    ------
    CrdsError
        If there is no cache.
    """
    if Path(mappath).name != mappath:
        return mappath
    parts = mapping_name(mappath)
    with crds_errors():
        layout, telescope = current_layout(observatory or (parts.observatory if parts else None))
        found = layout.find_mapping(mappath, telescope)
    return _absolute(found or layout.mappings / telescope / mappath)


def locate_file(filepath: str, observatory: str | None = None) -> str:
    """Where a mapping or reference file is in the cache; a path with a folder is returned as it is.

    Raises
    ------
    CrdsDownloadError
        If a reference file is not there and its name doesn't tell the instrument.
    CrdsError
        If there is no cache.
    """
    if Path(filepath).name != filepath:
        return filepath
    if mapping_kind(filepath):
        return locate_mapping(filepath, observatory)
    with crds_errors():
        layout, telescope = current_layout(observatory)
        references = layout.reference_folder(telescope)
        found = _reference(layout, telescope, references, safe_name(filepath, "reference file"))
    if found is None:
        raise CrdsDownloadError(
            f"reference file {filepath} is not in {references.folder} or a folder in it",
            "copy it there, or choose another cache with CRDS_PATH",
        )
    return _absolute(found)


def reference_path(path: Path) -> str:
    """A reference file as pipelines get it; one whose content is yet to be fetched is told of in the log."""
    text = _absolute(path)
    try:
        with path.open("rb") as file:
            beginning = file.read(len(LFS_MARK))
    except OSError as problem:
        raise CrdsDownloadError(f"{text} can't be read: {problem.strerror or problem}") from problem
    if beginning == LFS_MARK:
        logging.getLogger("calmap").warning("%s is only a Git-LFS pointer; run 'git lfs pull'", text)
    return text


def _reference(layout: Layout, telescope: str, references: ReferenceFolder, name: str) -> Path | None:
    """Where a file is, or else where its name says that it belongs."""
    if references.arrangement is Arrangement.FLAT:
        return references.folder / name
    folders = sorted(references.folder.iterdir()) if references.folder.is_dir() else []
    found = next((folder / name for folder in folders if is_file(folder / name)), None)
    return found or _expected(layout, telescope, references, name)


def _expected(layout: Layout, telescope: str, references: ReferenceFolder, name: str) -> Path | None:
    try:
        known = load_observatory(telescope, layout.definitions(telescope)).instruments
    except CalmapError:
        return None
    named = [word for word in Path(name).stem.lower().split("_") if word in known]
    return references.place(name, named[0]) if named else None


def _absolute(path: Path) -> str:
    return str(path.absolute())
