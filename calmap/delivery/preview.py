"""A cache as it would be after a change."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from calmap.cache.git import blob_name
from calmap.cache.layout import Layout
from calmap.cache.snapshots import FolderSnapshot, FolderState
from calmap.compare.contexts import Compared, Comparison
from calmap.delivery.revision import Revision


@dataclass(frozen=True, slots=True)
class RevisedSnapshot:
    """The mappings of a telescope after a revision that may not have been made.

    Parameters
    ----------
    folders
        The mappings there are.
    texts
        Those of the revision, by name.
    """

    folders: FolderSnapshot
    texts: Mapping[str, bytes]

    def identity(self, name: str) -> Hashable | None:
        """What Git would call the content of a mapping, or None."""
        return blob_name(self.texts[name]) if name in self.texts else self.folders.identity(name)

    def read(self, name: str) -> bytes:
        """Bytes of a mapping.

        Raises
        ------
        NotInCacheError, CacheError
            If it can't be read.
        """
        return self.texts[name] if name in self.texts else self.folders.read(name)

    def shown(self, name: str) -> str:
        """Path of a mapping."""
        return self.folders.shown(name)


def differences(layout: Layout, observatory: str, context: str, revision: Revision) -> tuple[Compared, ...]:
    """What differs between a context as it is and the one of a revision that is not made yet.

    Raises
    ------
    CacheError
        If one of the two can't be read.
    """
    before = FolderState(layout).snapshot(observatory)
    texts = {change.new.name: change.new.text.encode("utf-8") for change in revision.changes}
    if not texts:
        return ()
    return tuple(Comparison(before, RevisedSnapshot(before, texts)).compare(context, revision.context))
