"""Frames and ramps: arrays with their variances, quality bits, header and history.

Both are values: nothing changes them, steps return new ones that share what did not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Corrected, Flags, Image, Rows
from reduce.errors import DataError
from reduce.provenance import Provenance

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A two-dimensional image.

    Parameters
    ----------
    sci
        The image, shape (ny, nx), in `unit`.
    variances
        Parts of its variance by origin, each (ny, nx): ``POISSON``, ``RNOISE``, ``FLAT``, ``DARK``, ``SKY``,
        and ``OTHER`` for what an older file has as ERR alone. The error is the root of their sum.
    dq
        Data-quality bits, (ny, nx), uint32.
    header
        Cards of the primary header.
    sci_header
        Cards of the image's own header: its unit and world coordinates.
    planes
        More images of the same size by the name of their extension, such as ``CHI2`` or ``NREADS``.
    """

    sci: Image
    variances: Mapping[str, Image]
    dq: Flags
    header: Header
    sci_header: Header
    planes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if self.sci.ndim != 2:
            raise DataError(f"a frame has two axes; this image has the shape {self.sci.shape}")
        for name, array in (("DQ", self.dq), *self.variances.items(), *self.planes.items()):
            if array.shape != self.sci.shape:
                raise DataError(f"{name} has the shape {array.shape}, the image {self.sci.shape}")
        if self.dq.dtype != np.uint32:
            raise DataError(f"DQ has the type {self.dq.dtype}, not uint32")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.sci.shape
        return rows, columns

    @property
    def err(self) -> Image:
        """One standard deviation of each pixel, shape (ny, nx), in `unit`."""
        total = np.zeros(self.sci.shape, dtype=self.sci.dtype)
        for variance in self.variances.values():
            total += variance
        return np.sqrt(total, out=total)

    @property
    def unit(self) -> str:
        """BUNIT of the image; empty if it is not known."""
        return str(self.sci_header.get("BUNIT", ""))

    @property
    def wcs(self) -> WCS | None:
        """The celestial coordinates of the image's header, or None without."""
        from reduce.wcs import celestial

        return celestial(self.sci_header)

    def corrected(self, arrays: Corrected) -> Frame:
        """With other arrays."""
        return replace(self, sci=arrays.sci, variances=arrays.variances, dq=arrays.dq)


@dataclass(frozen=True, slots=True, eq=False)
class Ramp:
    """Non-destructive reads of a detector, or some of its rows.

    Parameters
    ----------
    reads
        Counts, shape (ny, nx, ngroups, nreads); a group is what lies between two resets. It may be read from
        a file only when it is sliced.
    times
        Seconds from the reset to each read, (ngroups, nreads), increasing within a group.
    groupdq
        Bits 0 to 7 of each read, the shape of `reads`, uint8; or None if none is set.
    pixeldq
        Bits of each pixel, (ny, nx), uint32.
    header, sci_header
        See `Frame`.
    first_row
        Row of the whole ramp that the first of these rows is.
    noise_factor
        By how much corrections have multiplied the read noise of each pixel, (ny, nx), or None for 1.
    planes
        More images of the same size by the name of their extension; the frame that is fitted has them too.
    """

    reads: Rows
    times: NDArray[np.float64]
    groupdq: Rows | None
    pixeldq: Flags
    header: Header
    sci_header: Header
    first_row: int = 0
    noise_factor: Image | None = None
    provenance: Provenance = field(default_factory=Provenance)
    planes: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.reads.shape) != 4:
            raise DataError(f"a ramp has the axes row, column, group, read; this has {self.reads.shape}")
        if self.times.shape != self.reads.shape[2:]:
            raise DataError(f"{self.times.shape} times for {self.reads.shape[2:]} groups and reads")
        if 0 in self.reads.shape:
            raise DataError(f"the ramp is empty: its shape is {self.reads.shape}")
        if self.groupdq is not None and self.groupdq.shape != self.reads.shape:
            raise DataError(f"the reads' DQ has the shape {self.groupdq.shape}, the reads {self.reads.shape}")
        if self.pixeldq.shape != self.reads.shape[:2]:
            raise DataError(
                f"the pixels' DQ has the shape {self.pixeldq.shape}, the reads {self.reads.shape}"
            )
        for name, plane in self.planes.items():
            if plane.shape != self.reads.shape[:2]:
                raise DataError(f"{name} has the shape {plane.shape}, the reads {self.reads.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.reads.shape[0], self.reads.shape[1]

    @property
    def unit(self) -> str:
        """BUNIT of the reads; empty if it is not known."""
        return str(self.sci_header.get("BUNIT", ""))

    def rows(self, first: int, last: int) -> Ramp:
        """Rows from `first` up to `last`, in memory."""
        some = slice(first, last)
        return replace(
            self,
            reads=np.asarray(self.reads[some]),
            groupdq=None if self.groupdq is None else np.asarray(self.groupdq[some]),
            pixeldq=self.pixeldq[some],
            noise_factor=None if self.noise_factor is None else self.noise_factor[some],
            first_row=self.first_row + first,
            planes={name: plane[some] for name, plane in self.planes.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class FrameRows:
    """A frame whose arrays are read by rows, for steps that combine many.

    Parameters
    ----------
    sci, variances, dq
        As of `Frame`; slices of them are arrays.
    name
        Where it comes from, for messages.
    planes
        More images of the same size by the name of their extension.
    """

    sci: Rows
    variances: Mapping[str, Rows]
    dq: Rows
    header: Header
    sci_header: Header
    name: str = ""
    provenance: Provenance = field(default_factory=Provenance)
    planes: Mapping[str, Rows] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.sci.shape[0], self.sci.shape[1]

    @property
    def unit(self) -> str:
        """BUNIT of the image; empty if it is not known."""
        return str(self.sci_header.get("BUNIT", ""))

    def loaded(self) -> Frame:
        """The whole frame in memory."""
        return Frame(
            np.asarray(self.sci[:]),
            {name: np.asarray(rows[:]) for name, rows in self.variances.items()},
            np.asarray(self.dq[:]),
            self.header,
            self.sci_header,
            {name: np.asarray(rows[:]) for name, rows in self.planes.items()},
            self.provenance,
        )


def by_rows(frame: Frame, name: str = "") -> FrameRows:
    """A frame in memory as one that is read by rows."""
    return FrameRows(
        frame.sci,
        frame.variances,
        frame.dq,
        frame.header,
        frame.sci_header,
        name,
        frame.provenance,
        frame.planes,
    )
