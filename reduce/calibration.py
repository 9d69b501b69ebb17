"""Reference files as steps see them: images cut to the frame, read by rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Rows
from reduce.dq import translated
from reduce.errors import DataError
from reduce.files.contents import Contents
from reduce.files.tables import definitions
from reduce.headers import plain
from reduce.provenance import ReferenceUse
from reduce.references import Reference, Value
from reduce.windows import Region, region


@dataclass(frozen=True, slots=True)
class Held:
    """A reference that is in memory and not in a file.

    Parameters
    ----------
    contents
        What a file with it would have.
    sha256
        Of its data.
    """

    contents: Contents
    sha256: str


@dataclass(frozen=True, slots=True)
class ReferenceFile:
    """A reference file that is there, and what it says.

    Parameters
    ----------
    use
        How it was chosen, and its sha256.
    contents
        What is in the file.
    frame
        The part of the detector for which it is used.
    """

    use: ReferenceUse
    contents: Contents
    frame: Region

    @property
    def reference(self) -> Reference:
        """How it was chosen."""
        return self.use.reference

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.contents.path

    @property
    def header(self) -> Mapping[str, Value]:
        """Keywords and values of its primary header."""
        return plain(self.contents.primary)

    @property
    def unit(self) -> str:
        """BUNIT of its image, or of the file; empty if neither has one."""
        image = self.contents.find("SCI", "DATA")
        headers = ([image.header] if image else []) + [self.contents.primary]
        return next((str(header["BUNIT"]) for header in headers if header.get("BUNIT")), "")

    def image(self, *names: str, axes: int = 2) -> CutImage:
        """The first image of some names that the file has, cut to the frame.

        Raises
        ------
        DataError
            If it has none of them, one with another number of axes, or one that does not cover the frame.
        """
        found = self.find(*names)
        if found is None:
            raise DataError(f"{self.path} has no image {' or '.join(names)}", "is it a file of this type?")
        if len(found.shape) != axes:
            raise DataError(
                f"{self.path}: {names[0]} has the shape {found.shape}, and {axes} axes are needed"
            )
        return found

    def find(self, *names: str) -> CutImage | None:
        """The first image of some names that the file has, or None."""
        image = self.contents.image(*names)
        if image is None:
            return None
        if len(image.shape) < 2:
            raise DataError(f"{self.path}: {names[0]} has the shape {image.shape}, not rows and columns")
        rows, columns = image.shape[:2]
        place, cut = self.frame.within(region(self.header, (rows, columns)), str(self.path))
        return CutImage(image, place, self.frame.rows, cut)

    def flags(self) -> CutFlags | None:
        """The quality bits, in ours, or None without."""
        image = self.find("DQ")
        if image is not None and len(image.shape) != 2:
            raise DataError(
                f"{self.path}: DQ has the shape {image.shape}, not rows and columns",
                "is it a reference file?",
            )
        return None if image is None else CutFlags(image, definitions(self.contents))


@dataclass(frozen=True, slots=True)
class CutImage:
    """Some rows and columns of an image, read when it is sliced."""

    whole: Rows
    row: int
    rows: int
    columns: slice

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what is cut out."""
        return (self.rows, self.columns.stop - self.columns.start, *self.whole.shape[2:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.whole.dtype

    def __getitem__(self, key: slice) -> NDArray[Any]:
        first, last, _ = key.indices(self.rows)
        some = self.whole[slice(self.row + first, self.row + last)]
        return np.ascontiguousarray(some[:, self.columns])


@dataclass(frozen=True, slots=True)
class CutFlags:
    """Quality bits in ours, read when they are sliced."""

    image: CutImage
    values: Mapping[str, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what is cut out."""
        return self.image.shape

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        """Type of the elements."""
        return np.dtype(np.uint32)

    def __getitem__(self, key: slice) -> Flags:
        return translated(self.image[key], self.values)
