"""Where a reduction gets its reference files from: one small interface."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from reduce.errors import DataError, MissingReferenceError

Value: TypeAlias = str | int | float | bool
NOT_APPLICABLE = "N/A"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference file that was chosen.

    Parameters
    ----------
    reftype
        The reference type, in lower case, such as ``dark``.
    path
        The file, or None if the rules say that the type does not apply.
    origin
        ``cache`` if rules chose it, ``override`` if somebody named it, ``missing`` if there is none and that
        was allowed, ``memory`` if somebody gave it as data; then `path` is only a name.
    context
        The rules' context, empty for an override.
    rule
        The rule that chose it, such as ``ligeriri_iris_dark_0001.rmap:27``; empty for an override.
    reason
        Why, in one sentence.
    held
        The data if it is not a file, a `reduce.calibration.Held`; None otherwise.
    """

    reftype: str
    path: Path | None
    origin: Literal["cache", "override", "missing", "memory"]
    context: str = ""
    rule: str = ""
    reason: str = ""
    held: Any = field(default=None, compare=False, repr=False)

    @property
    def keyword_value(self) -> str:
        """What the header's ``R_`` keyword says.

        It is ``crds://name``, the absolute path of an override, ``override://name`` of one that was given as
        data, N/A or MISSING.
        """
        if self.origin == "missing":
            return "MISSING"
        if self.path is None:
            return NOT_APPLICABLE
        if self.origin == "memory":
            return f"override://{self.path.name}"
        return f"crds://{self.path.name}" if self.origin == "cache" else str(self.path.absolute())


class Resolver(Protocol):
    """Finds reference files."""

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """The reference of a type for the header of an exposure.

        Returns
        -------
        Reference or None
            None if this resolver knows nothing of the type.

        Raises
        ------
        MissingReferenceError
            If the type is known and there is no reference for this header.
        """


@dataclass(frozen=True, slots=True)
class Overrides:
    """Files that somebody named, before what another resolver finds.

    Parameters
    ----------
    files
        By type; None for ``N/A``.
    others
        The other resolver; None if there is none.
    reason
        Why these files.
    """

    files: Mapping[str, Path | None] = field(default_factory=dict)
    others: Resolver | None = None
    reason: str = "named by the user"

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """See `Resolver.find`."""
        if reftype in self.files:
            return Reference(reftype, self.files[reftype], "override", reason=self.reason)
        return self.others.find(header, reftype) if self.others else None


@dataclass(frozen=True, slots=True)
class NoReferences:
    """Knows nothing of any type."""

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """See `Resolver.find`."""
        return None


def required(resolver: Resolver, header: Mapping[str, Value], reftype: str) -> Reference:
    """The reference of a type, or an error that says why there is none."""
    found = resolver.find(header, reftype)
    if found is None:
        raise MissingReferenceError(
            reftype,
            f"there are no rules for reference files of type {reftype}",
            f"name a file with --override {reftype}=FILE, or go on without with --allow-missing {reftype}",
        )
    return found


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as problem:
        raise DataError(f"{path} can't be read: {problem.strerror}") from problem
