"""The step that puts dithered frames on one grid."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from reduce.calibration import ReferenceFile
from reduce.dq import DQ
from reduce.errors import DataError
from reduce.frame import Frame, FrameRows
from reduce.headers import plain
from reduce.kernels.dither_outliers import dither_outliers
from reduce.kernels.mosaic import KERNELS, DrizzleInput, Kernel, drizzle_frames
from reduce.kernels.mosaic_grid import Grid, output_grid
from reduce.keywords import find, known
from reduce.parameters import option
from reduce.step import FramesStep, Need, References
from reduce.wcs import celestial

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

_ARCSEC = 3600.0
_OF_A_FRAME = re.compile(
    r"(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)\d|(CD|PC)\d_\d|(A|B|AP|BP)_(ORDER|DMAX|\d_\d)"
    r"|LONPOLE|LATPOLE|WCSAXES|SKYLEVEL|SKYERR",
    re.ASCII,
)
"""Keywords that hold for one frame and not for the mosaic."""
_OF_A_DETECTOR = ("SUBARRAY", "SUBARRID", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")


@dataclass(frozen=True, slots=True)
class Resampling:
    """Parameters of ``resample``; those without a value are taken from the reference drizpars."""

    pixfrac: float | None = option(
        None, "Side of the shrunken pixel over that of the whole one; none is 1.", least=0.01, most=1
    )
    kernel: str | None = option(None, "Shape of the shrunken pixel; none is square.", choices=KERNELS)
    scale: float | None = option(
        None, "Side of a pixel of the grid; none is that of the frames.", least=1e-6, unit="arcsec"
    )
    rotation: float = option(0.0, "Position angle of the grid.", unit="deg")
    outliers: float | None = option(
        None,
        "Leave out what differs so much from the median of all; holds all in memory.",
        unit="sigma",
    )


def _resample(frames: Sequence[FrameRows], references: References, given: Resampling) -> Frame:
    parameters = _completed(given, references.get("drizpars"), len(frames))
    wcss = _coordinates(frames)
    scale = None if parameters.scale is None else parameters.scale / _ARCSEC
    grid = output_grid(wcss, [frame.shape for frame in frames], scale=scale, rotation=parameters.rotation)
    pixfrac = parameters.pixfrac or 1.0
    kernel = cast(Kernel, parameters.kernel or "square")
    inputs = _inputs(frames, wcss)
    if parameters.outliers is not None:
        inputs = _without_outliers(tuple(inputs), grid, parameters.outliers)
    result = drizzle_frames(inputs, grid.wcs, grid.shape, pixfrac=pixfrac, kernel=kernel)
    header = frames[0].sci_header.copy()
    for keyword in [keyword for keyword in header if _OF_A_FRAME.fullmatch(keyword)]:
        header.remove(keyword, ignore_missing=True, remove_all=True)
    header.extend(grid.wcs.to_header().cards, update=True)
    header["PIXFRAC"] = (pixfrac, "side of the shrunken pixel, in input pixels")
    header["CORRNOIS"] = (result.correlation, "noise of a large area over what ERR says")
    planes = {"WEIGHT": result.weight, "NFRAMES": result.count}
    return Frame(
        result.sci, {"OTHER": result.variance}, result.dq, _elsewhere(frames[0].header), header, planes
    )


def _elsewhere(header: Header) -> Header:
    """A header without the part of the detector that was read: the mosaic has a grid of its own."""
    result = header.copy()
    for keyword in (name for place in _OF_A_DETECTOR for name in known(place).accepted):
        result.remove(keyword, ignore_missing=True, remove_all=True)
    return result


def _completed(given: Resampling, reference: ReferenceFile | None, count: int) -> Resampling:
    """Parameters with those of the reference for so many frames where none are given."""
    if reference is None:
        return given
    extension = reference.contents.find("DRIZPARS")
    rows = extension.table if extension else None
    if rows is None or not {"NUMIMAGES", "PIXFRAC", "KERNEL"} <= set(rows.dtype.names or ()) or not len(rows):
        raise DataError(f"{reference.path} has no table DRIZPARS with NUMIMAGES, PIXFRAC and KERNEL")
    fitting = [row for row in rows if row["NUMIMAGES"] <= count] or [rows[0]]
    row = max(fitting, key=lambda row: row["NUMIMAGES"])
    kernel = str(row["KERNEL"]).strip()
    if kernel not in KERNELS:
        raise DataError(
            f"{reference.path}: the kernel '{kernel}' does not conserve flux, or is none",
            f"choose one with --set resample.kernel=NAME: {', '.join(KERNELS)}",
        )
    scale = float(row["SCALE"]) / 1000 if "SCALE" in (rows.dtype.names or ()) and row["SCALE"] > 0 else None
    return replace(
        given,
        pixfrac=given.pixfrac or float(row["PIXFRAC"]),
        kernel=given.kernel or kernel,
        scale=given.scale or scale,
    )


def _coordinates(frames: Sequence[FrameRows]) -> list[WCS]:
    found = []
    for frame in frames:
        wcs = celestial(frame.sci_header)
        if wcs is None:
            raise DataError(f"{frame.name} has no celestial coordinates", "run assign_wcs before")
        found.append(wcs)
    return found


def _inputs(frames: Sequence[FrameRows], wcss: Sequence[WCS]) -> Iterator[DrizzleInput]:
    for rows, wcs in zip(frames, wcss, strict=True):
        frame = rows.loaded()
        seconds = find(plain(frame.header), "EXPTIME")
        yield DrizzleInput(frame.sci, np.square(frame.err), frame.dq, wcs, float(seconds) if seconds else 1.0)


def _without_outliers(inputs: Sequence[DrizzleInput], grid: Grid, threshold: float) -> Iterator[DrizzleInput]:
    outliers = dither_outliers(inputs, grid.wcs, grid.shape, threshold=threshold)
    for one, found in zip(inputs, outliers, strict=True):
        flags = np.where(found, np.uint32(DQ.OUTLIER | DQ.DO_NOT_USE), np.uint32(0))
        yield one._replace(dq=one.dq | flags)


RESAMPLE = FramesStep(
    "resample",
    "S_RESAMP",
    "drizzle frames onto one grid",
    (Need("drizpars", required=False),),
    Resampling,
    apply=_resample,
)
