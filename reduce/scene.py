"""Stars on a sky whose places and brightness are known, and the coordinates of an image of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.errors import DataError, ParameterError
from reduce.pointing import Pointing, celestial_cards

if TYPE_CHECKING:
    from astropy.wcs import WCS


def jittered_grid(
    shape: tuple[int, int], count: int, *, separation: float, margin: float, seed: int
) -> NDArray[np.float64]:
    """Places of stars that don't overlap.

    Parameters
    ----------
    shape
        Rows and columns of the image.
    separation
        Pixels that two stars are apart at least.
    margin
        Pixels that they are away from the edges at least.

    Returns
    -------
    array (count, 2)
        x and y of each, in pixels; the centre of the first pixel is at 0, 0.

    Raises
    ------
    ParameterError
        If so many don't fit.
    """
    if count < 1:
        raise ParameterError(f"{count} stars are none")
    height, width = (side - 1 - 2 * margin for side in shape)
    if min(height, width) <= 0:
        raise ParameterError(f"an image of {shape} pixels has nothing {margin} pixels from its edges")
    columns = max(1, int(np.ceil(np.sqrt(count * width / height))))
    rows = -(-count // columns)
    free_x, free_y = width / columns - separation, height / rows - separation
    if min(free_x, free_y) < 0:
        raise ParameterError(f"{count} stars {separation} pixels apart don't fit into {shape} pixels")
    rng = np.random.default_rng(seed)
    cells = np.sort(rng.permutation(rows * columns)[:count])
    corner = np.stack([cells % columns * (width / columns), cells // columns * (height / rows)], axis=1)
    return margin + corner + separation / 2 + rng.random((count, 2)) * (free_x, free_y)


def star_field(
    shape: tuple[int, int],
    positions: ArrayLike,
    rates: ArrayLike,
    *,
    fwhm: float,
    sky: float = 0.0,
    profile: Literal["gaussian", "moffat"] = "gaussian",
    beta: float = 3.0,
) -> NDArray[np.float64]:
    """An image of stars on an even sky, integrated over the pixels.

    Parameters
    ----------
    positions
        x and y of each star, (n, 2); 0, 0 is the centre of the first pixel. They may lie outside.
    rates
        e-/s of each star, (n,).
    fwhm
        Pixels.
    sky
        e-/s a pixel.
    beta
        Exponent of the Moffat profile (1969, A&A 3, 455). Its wings end at 10 `fwhm`, 1e-4 of the flux.

    Returns
    -------
    array (ny, nx)
        e-/s.
    """
    image = np.full(shape, float(sky))
    places = np.asarray(positions, dtype=np.float64).reshape(-1, 2)
    fluxes = np.asarray(rates, dtype=np.float64)
    if fluxes.shape != places.shape[:1]:
        raise DataError(f"{len(places)} positions for {fluxes.size} rates")
    if fwhm <= 0:
        raise ParameterError(f"a width of {fwhm} pixels is not positive")
    half = int(np.ceil(3 * fwhm if profile == "gaussian" else 10 * fwhm))
    for (x, y), flux in zip(places, fluxes, strict=True):
        left, low = round(x) - half, round(y) - half
        columns = np.arange(max(left, 0), min(left + 2 * half + 1, shape[1]))
        rows = np.arange(max(low, 0), min(low + 2 * half + 1, shape[0]))
        if columns.size and rows.size:
            star = _gaussian if profile == "gaussian" else _moffat
            image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += flux * star(
                columns - x, rows - y, fwhm, beta
            )
    return image


def _gaussian(
    x: NDArray[np.float64], y: NDArray[np.float64], fwhm: float, beta: float
) -> NDArray[np.float64]:
    sigma = fwhm / (2 * np.sqrt(2 * np.log(2)))
    across, along = (
        np.diff([math.erf(edge / (math.sqrt(2) * sigma)) / 2 for edge in (*(axis - 0.5), axis[-1] + 0.5)])
        for axis in (x, y)
    )
    return np.outer(along, across)


def _moffat(x: NDArray[np.float64], y: NDArray[np.float64], fwhm: float, beta: float) -> NDArray[np.float64]:
    parts = 7
    width = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    inside = (np.arange(parts) + 0.5) / parts - 0.5
    squared_x, squared_y = (((axis[:, None] + inside) / width) ** 2 for axis in (x, y))
    fine = (1 + squared_y[:, None, :, None] + squared_x[None, :, None, :]) ** -beta
    return np.asarray((beta - 1) / (np.pi * width**2) * fine.mean(axis=(2, 3)))


def tangent_wcs(
    shape: tuple[int, int],
    centre: tuple[float, float],
    scale: float,
    *,
    angle: float = 0.0,
    offset: tuple[float, float] = (0.0, 0.0),
) -> WCS:
    """Gnomonic world coordinates of an image.

    Parameters
    ----------
    centre
        Right ascension and declination that the middle of the image sees, degrees, before the offset.
    scale
        Arcsec a pixel.
    angle
        Position angle of the image's y axis, degrees from north to east.
    offset
        Arcsec to the east and to the north by which the telescope is moved: a dither.
    """
    from astropy.wcs import WCS

    ra, dec = dithered(centre, offset)
    middle = (shape[1] + 1) / 2, (shape[0] + 1) / 2
    return WCS(celestial_cards(Pointing(ra, dec, angle, scale), middle))


def dithered(centre: tuple[float, float], offset: tuple[float, float]) -> tuple[float, float]:
    """Right ascension and declination after a small step to the east and to the north, in arcsec."""
    east, north = (step / 3600 for step in offset)
    return (centre[0] + east / math.cos(math.radians(centre[1]))) % 360, centre[1] + north
