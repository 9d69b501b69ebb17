"""A grid on the sky that holds some frames."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, ceil, cos, degrees, hypot, radians, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from reduce.errors import DataError, ParameterError

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS


_SLACK = 1e-3


class Grid(NamedTuple):
    """Celestial coordinates and the rows and columns they are for."""

    wcs: WCS
    shape: tuple[int, int]


def output_grid(
    wcss: Sequence[WCS],
    shapes: Sequence[tuple[int, int]],
    *,
    scale: float | None = None,
    rotation: float = 0.0,
) -> Grid:
    """A gnomonic grid that holds all the frames.

    Parameters
    ----------
    wcss, shapes
        Celestial coordinates of the frames, with rows and columns of each.
    scale
        Side of a pixel of the grid in degrees; that of the finest frame if None.
    rotation
        Position angle of the grid's rows' direction, from north through east, in degrees; 0 is north up.

    Raises
    ------
    DataError
        No frames, or coordinates that are not celestial.
    ParameterError
        A scale that is not positive.
    """
    if not wcss or len(wcss) != len(shapes):
        raise DataError(f"{len(shapes)} shapes for the coordinates of {len(wcss)} frames")
    if not all(wcs.has_celestial for wcs in wcss):
        raise DataError(
            "a frame has no celestial coordinates", "give its header CTYPE, CRVAL, CRPIX and a scale"
        )
    size = min(pixel_side(wcs) for wcs in wcss) if scale is None else scale
    if not size > 0:
        raise ParameterError(f"the scale is {size}, not a positive number of degrees")
    edges = _edges(wcss, shapes)
    wcs = _gnomonic(edges, size, rotation)
    x, y = wcs.world_to_pixel(edges)
    (left, right), (bottom, top) = ((float(np.min(values)), float(np.max(values))) for values in (x, y))
    shape = max(1, ceil(top - bottom - _SLACK)), max(1, ceil(right - left - _SLACK))
    wcs.wcs.crpix = (shape[1] + 1 - left - right) / 2, (shape[0] + 1 - bottom - top) / 2
    wcs.array_shape = shape
    return Grid(wcs, shape)


def pixel_side(wcs: WCS) -> float:
    """Side of a square as large as a pixel, in degrees."""
    from astropy.wcs.utils import proj_plane_pixel_area

    return sqrt(float(proj_plane_pixel_area(wcs.celestial)))


def _edges(wcss: Sequence[WCS], shapes: Sequence[tuple[int, int]]) -> SkyCoord:
    """Points along the outer edges of the frames, in the celestial frame of the first."""
    from astropy.coordinates import SkyCoord
    from astropy.wcs.utils import wcs_to_celestial_frame

    frame = wcs_to_celestial_frame(wcss[0])
    outlines = [_outline(wcs, shape).transform_to(frame) for wcs, shape in zip(wcss, shapes, strict=True)]
    longitudes = np.concatenate([outline.spherical.lon.deg for outline in outlines])
    latitudes = np.concatenate([outline.spherical.lat.deg for outline in outlines])
    return SkyCoord(longitudes, latitudes, unit="deg", frame=frame)


def _outline(wcs: WCS, shape: tuple[int, int]) -> SkyCoord:
    ny, nx = shape
    along = np.linspace(0, 1, 33)
    none, whole = np.zeros_like(along), np.ones_like(along)
    x = np.concatenate([along, along, none, whole]) * nx - 0.5
    y = np.concatenate([none, whole, along, along]) * ny - 0.5
    return wcs.pixel_to_world(x, y)


def _middle(points: SkyCoord) -> tuple[float, float]:
    """Longitude and latitude of the mean direction, in degrees."""
    x, y, z = points.cartesian.xyz.value.mean(axis=1)
    return degrees(atan2(y, x)) % 360, degrees(atan2(z, hypot(x, y)))


def _gnomonic(points: SkyCoord, size: float, rotation: float) -> WCS:
    """North up and east left but for a rotation, in the points' frame."""
    from astropy.wcs.utils import celestial_frame_to_wcs

    wcs = celestial_frame_to_wcs(points.frame.replicate_without_data(), projection="TAN")
    angle = radians(rotation)
    wcs.wcs.crval = _middle(points)
    wcs.wcs.cdelt = -size, size
    wcs.wcs.pc = [[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]
    wcs.wcs.crpix = 1.0, 1.0
    return wcs
