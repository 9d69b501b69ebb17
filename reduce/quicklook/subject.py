"""What is in a file, as it is shown: a raw ramp, a frame, or the images of a reference file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Rows
from reduce.dq import translated
from reduce.errors import DataError
from reduce.files.contents import Contents, Extension, contents
from reduce.files.layouts import SCIENCE_NAMES
from reduce.files.ramps import is_ramp
from reduce.files.reader import read_frame, read_ramp
from reduce.files.rows import open_rows
from reduce.files.tables import definitions, provenance_of
from reduce.frame import Frame, FrameRows, Ramp
from reduce.provenance import Provenance
from reduce.quicklook.views import Block, Glance, blocks, glance, look

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

PANELS = 6
"""So many images of a reference file are shown at most."""
Kind: TypeAlias = Literal["ramp", "frame", "images"]
PlaneReader: TypeAlias = Callable[[slice], NDArray[Any]]


class Panel(NamedTuple):
    """An image of a file; `mask` if it has quality bits and no values."""

    title: str
    glance: Glance
    mask: bool = False


class Curves(NamedTuple):
    """How reads grow: seconds since the reset, (nreads,), and percentiles of the reads, (3, nreads)."""

    times: NDArray[np.float64]
    levels: NDArray[np.float64]
    groups: int


PERCENTILES = (1, 50, 99)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is shown of a file.

    Parameters
    ----------
    name
        The file's name.
    kind
        What it is.
    panels
        Its images, the main one first.
    header
        Cards of the primary header.
    provenance
        What was done to it.
    curves
        Of a ramp, how its reads grow.
    wcs
        Celestial coordinates of the main image, or None.
    """

    name: str
    kind: Kind
    panels: tuple[Panel, ...]
    header: Header
    provenance: Provenance
    curves: Curves | None = None
    wcs: WCS | None = None

    @property
    def main(self) -> Glance:
        """The main image."""
        return self.panels[0].glance


def subject(path: Path) -> Subject:
    """What is in a file.

    Raises
    ------
    DataError
        If the file is damaged or has no image.
    """
    found = contents(path)
    if is_ramp(found):
        return of_ramp(read_ramp(path), path.name)
    science = found.find(*SCIENCE_NAMES)
    if science is not None and science.rows is not None and len(science.rows.shape) == 2:
        return of_frame(open_rows(path), path.name)
    first = found.extensions[0].rows
    if science is None and first is not None and len(first.shape) == 2:
        return of_frame(read_frame(path), path.name)
    return _images(found)


def of_frame(frame: Frame | FrameRows, name: str) -> Subject:
    """A frame, some rows of which are in memory at a time."""
    if 0 in frame.shape:
        raise DataError(f"{name} has an image without pixels")
    panel = Panel("image", look(frame))
    return Subject(name, "frame", (panel,), frame.header, frame.provenance, wcs=_celestial(frame))


def of_ramp(ramp: Ramp, name: str) -> Subject:
    """A ramp: what it gained from the first to the last read of its first group."""
    single = ramp.reads.shape[3] == 1
    title = "the only read" if single else "last minus first read"
    seen = glance((_gained(ramp, rows) for rows in blocks(ramp.shape)), ramp.shape, ramp.unit)
    return Subject(name, "ramp", (Panel(title, seen),), ramp.header, ramp.provenance, curves=_curves(ramp))


def _gained(ramp: Ramp, rows: slice) -> Block:
    reads = np.asarray(ramp.reads[rows])[:, :, 0]
    last = reads[:, :, -1].astype(np.float32)
    flags = ramp.pixeldq[rows]
    if ramp.groupdq is not None:
        flags = flags | np.bitwise_or.reduce(np.asarray(ramp.groupdq[rows]), axis=(2, 3))
    return Block(last - reads[:, :, 0] if reads.shape[2] > 1 else last, flags)


def _curves(ramp: Ramp) -> Curves:
    """Of the rows in the middle."""
    middle = ramp.shape[0] // 2
    some = slice(max(0, middle - 8), middle + 8)
    reads = np.asarray(ramp.reads[some])[:, :, 0].astype(np.float64)
    finite = np.isfinite(reads).any(axis=(0, 1))
    levels = np.full((len(PERCENTILES), reads.shape[2]), np.nan)
    for number in np.flatnonzero(finite):
        levels[:, number] = np.nanpercentile(reads[:, :, number], PERCENTILES)
    return Curves(ramp.times[0], levels, ramp.reads.shape[2])


def _celestial(frame: Frame | FrameRows) -> WCS | None:
    """Coordinates, if there are some that make sense at all corners."""
    from reduce.wcs import celestial, sky_of

    rows, columns = frame.shape
    try:
        wcs = celestial(frame.sci_header)
        if wcs is None:
            return None
        corners = sky_of(wcs, [(0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)])
    except (DataError, ValueError, TypeError):
        return None
    return wcs if np.isfinite(corners).all() else None


def _images(found: Contents) -> Subject:
    """A reference file without an image SCI: its planes, or its quality bits alone."""
    bits = found.find("DQ")
    mask = bits if bits is not None and bits.rows is not None and len(bits.rows.shape) == 2 else None
    panels = []
    for extension in found.extensions:
        if extension is not mask and extension.rows is not None and 0 not in extension.rows.shape:
            panels += [_panel(found, plane, mask) for plane in _planes(extension, mask)]
    if not panels and mask is not None:
        panels = [_mask(found, mask)]
    if not panels:
        raise DataError(f"{found.path} has no image that can be shown; it has {found.listing}")
    chosen = tuple(panels[:PANELS])
    return Subject(found.path.name, "images", chosen, found.primary, provenance_of(found))


class _Plane(NamedTuple):
    title: str
    shape: tuple[int, int]
    read: PlaneReader
    unit: str


def _planes(extension: Extension, mask: Extension | None) -> Iterator[_Plane]:
    """Images of two axes in an extension; the third is the first axis or the last."""
    rows = extension.rows
    assert rows is not None
    unit = str(extension.header.get("BUNIT", ""))
    if len(rows.shape) == 2:
        yield _Plane(extension.name, (rows.shape[0], rows.shape[1]), lambda some: rows[some], unit)
    if len(rows.shape) != 3:
        return
    last = _third_axis_is_last(rows, mask)
    shape = (rows.shape[0], rows.shape[1]) if last else (rows.shape[1], rows.shape[2])
    for number in range(min(PANELS, rows.shape[2 if last else 0])):
        title = f"{extension.name}, plane {number}"
        yield _Plane(title, shape, _reader(rows, number, last=last), unit)


def _reader(rows: Rows, number: int, *, last: bool) -> PlaneReader:
    if last:
        return lambda some: np.ascontiguousarray(rows[some][:, :, number])
    return lambda some: rows[slice(number, number + 1)][0][some]


def _third_axis_is_last(rows: Rows, mask: Extension | None) -> bool:
    """True for (row, column, plane), as coefficients have them; by the shape of DQ, or the shortest axis."""
    if mask is not None and mask.rows is not None:
        if rows.shape[:2] == mask.rows.shape:
            return True
        if rows.shape[1:] == mask.rows.shape:
            return False
    return rows.shape[2] <= rows.shape[0]


def _panel(found: Contents, plane: _Plane, mask: Extension | None) -> Panel:
    bits = mask.rows if mask is not None and mask.rows is not None else None
    if bits is not None and bits.shape != plane.shape:
        bits = None
    values = definitions(found)

    def block(some: slice) -> Block:
        read = np.asarray(plane.read(some))
        image = read if read.dtype.kind == "f" else read.astype(np.float64)
        return Block(image, _bits(bits, some, image.shape, values))

    parts = (block(some) for some in blocks(plane.shape))
    return Panel(plane.title, glance(parts, plane.shape, plane.unit))


def _mask(found: Contents, mask: Extension) -> Panel:
    assert mask.rows is not None
    bits, values = mask.rows, definitions(found)
    shape = bits.shape[0], bits.shape[1]
    parts = (
        Block(
            np.zeros((some.stop - some.start, shape[1]), dtype=np.float32), _bits(bits, some, shape, values)
        )
        for some in blocks(shape)
    )
    return Panel(mask.name, glance(parts, shape, "", mask=True), mask=True)


def _bits(bits: Rows | None, some: slice, shape: tuple[int, ...], values: dict[str, int]) -> Flags:
    if bits is None:
        return np.zeros(shape, dtype=np.uint32)
    stored = bits[some]
    return translated(stored, values) if values else stored.astype(np.uint32)
