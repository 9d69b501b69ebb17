"""Sums over round apertures, how they vary together, and the background under them."""

from __future__ import annotations

from enum import IntFlag
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Flags, Image, Mask
from reduce.dq import flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels.planes import same_shape

Estimator = Literal["mean", "median"]
_CLIP = 4.0
_FEWEST = 10
_FULL = 1 - 1e-6
_NOWHERE = -1e9


class Flag(IntFlag):
    """Why a flux is not to be trusted."""

    GOOD = 0
    EDGE = 1
    """Part of the aperture is outside of the image."""
    BAD_PIXELS = 2
    """Pixels of the aperture can't be used."""
    CROWDED = 4
    """Another star's aperture overlaps."""
    NO_BACKGROUND = 8
    """Fewer than 10 pixels are left to measure the background; there is no flux."""


class Measured(NamedTuple):
    """n stars in k apertures.

    Parameters
    ----------
    flux, covariance
        Sums without background, (n, k), and how they vary together, (n, k, k). NaN where there is none.
    area
        Pixels that were used, (n, k).
    background, background_variance
        Of a pixel, (n,).
    flags
        `Flag`, (n, k), uint8.
    """

    flux: NDArray[np.float64]
    covariance: NDArray[np.float64]
    area: NDArray[np.float64]
    background: NDArray[np.float64]
    background_variance: NDArray[np.float64]
    flags: NDArray[np.uint8]


def measure(
    sci: Image,
    variance: Image,
    dq: Flags,
    positions: ArrayLike,
    radii: tuple[float, ...],
    annulus: tuple[float, float] | None,
    estimator: Estimator,
    correlation: float,
) -> Measured:
    """Measure stars in some apertures each; see `reduce.kernels.photometry.aperture_photometry`."""
    same_shape(sci, {"variance": variance, "DQ": dq})
    _check(radii, annulus, correlation)
    places = _places(positions)
    bad = flagged(dq) | ~np.isfinite(sci) | ~((variance >= 0) & (variance < np.inf))
    taken = bad | _near(places, radii[-1], sci.shape)
    reach = max(radii[-1], annulus[1] if annulus else 0.0)
    n, k = len(places), len(radii)
    flux, area, covariance = np.full((n, k), np.nan), np.zeros((n, k)), np.full((n, k, k), np.nan)
    background, background_variance = np.full((2, n), np.nan)
    flags = np.where(_crowded(places, radii), Flag.CROWDED, Flag.GOOD).astype(np.uint8)
    for star, place in enumerate(places):
        cut = _around(place, reach, sci.shape)
        here = (place[0] - cut[1].start, place[1] - cut[0].start)
        usable = ~bad[cut]
        image, noise = (np.where(usable, plane[cut], 0).astype(np.float64) for plane in (sci, variance))
        level, level_variance = 0.0, 0.0
        if annulus:
            ring = _ring(here, annulus, image.shape) & ~taken[cut]
            level, level_variance = _background(image[ring], noise[ring], estimator)
        whole = np.stack([_overlap(here, radius, image.shape) for radius in radii])
        weights = whole * usable
        area[star] = weights.sum(axis=(1, 2))
        pixels = np.einsum("kyx,lyx,yx->kl", weights, weights, noise)
        some = area[star] > 0
        flux[star, some] = (np.einsum("kyx,yx->k", weights, image) - area[star] * level)[some]
        covariance[star] = pixels + np.outer(area[star], area[star]) * level_variance
        covariance[star, ~some] = covariance[star, :, ~some] = np.nan
        background[star], background_variance[star] = level, level_variance
        inside = whole.sum(axis=(1, 2))
        flags[star] |= np.where(inside < _FULL * np.pi * np.square(radii), Flag.EDGE, 0).astype(np.uint8)
        flags[star] |= np.where(area[star] < inside, Flag.BAD_PIXELS, 0).astype(np.uint8)
        flags[star] |= np.uint8(0 if np.isfinite(level) else Flag.NO_BACKGROUND)
    scale = correlation**2
    return Measured(flux, covariance * scale, area, background, background_variance * scale, flags)


def _places(positions: ArrayLike) -> NDArray[np.float64]:
    """x and y; what is not finite, or far away, becomes a place outside of any image."""
    places = np.asarray(positions, dtype=np.float64)
    if places.size and (places.ndim != 2 or places.shape[1] != 2):
        raise DataError(f"positions have the shape (n, 2), not {places.shape}")
    places = places.reshape(-1, 2)
    near = np.all(np.abs(places) < -_NOWHERE, axis=1)
    return np.where(near[:, None], places, _NOWHERE)


def _around(place: NDArray[np.float64], reach: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the image within so many pixels; none if the place is far outside."""
    first = [min(max(int(c - reach) - 1, 0), side) for c, side in zip(place[::-1], shape, strict=True)]
    last = [min(max(int(c + reach) + 3, 0), side) for c, side in zip(place[::-1], shape, strict=True)]
    return slice(first[0], last[0]), slice(first[1], last[1])


def _check(radii: tuple[float, ...], annulus: tuple[float, float] | None, correlation: float) -> None:
    if not radii or not radii[0] > 0 or any(b <= a for a, b in pairwise(radii)):
        raise ParameterError(f"the radii {radii} have to be positive and to increase")
    if annulus and not radii[-1] <= annulus[0] < annulus[1]:
        raise ParameterError(
            f"the annulus from {annulus[0]} to {annulus[1]} pixels has to lie outside of "
            f"the aperture of {radii[-1]}"
        )
    if not correlation > 0:
        raise ParameterError(f"a correlation factor of {correlation} is not positive")


def _overlap(here: tuple[float, float], radius: float, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The exact part of each pixel within a circle."""
    from photutils.geometry import circular_overlap_grid

    (x, y), (rows, columns) = here, shape
    if not rows * columns:
        return np.zeros((rows, columns))
    left, low = -0.5 - x, -0.5 - y
    return np.asarray(
        circular_overlap_grid(left, left + columns, low, low + rows, columns, rows, radius, 1, 1)
    )


def _squared(here: tuple[float, float], shape: tuple[int, ...]) -> NDArray[np.float64]:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((x - here[0]) ** 2 + (y - here[1]) ** 2)


def _ring(here: tuple[float, float], annulus: tuple[float, float], shape: tuple[int, ...]) -> Mask:
    squared = _squared(here, shape)
    return np.asarray((squared >= annulus[0] ** 2) & (squared < annulus[1] ** 2))


def _near(places: NDArray[np.float64], radius: float, shape: tuple[int, ...]) -> Mask:
    """Pixels whose centre is in the aperture of a star."""
    mask = np.zeros(shape, dtype=bool)
    for x, y in places:
        rows, columns = (
            slice(max(int(np.ceil(c - radius)), 0), max(int(np.floor(c + radius)) + 1, 0)) for c in (y, x)
        )
        part = mask[rows, columns]
        part |= _squared((x - columns.start, y - rows.start), part.shape) <= radius**2
    return mask


def _crowded(places: NDArray[np.float64], radii: tuple[float, ...]) -> Mask:
    """Whose aperture another one overlaps, (n, k)."""
    from scipy.spatial import KDTree

    if len(places) < 2:
        return np.zeros((len(places), len(radii)), dtype=bool)
    nearest = KDTree(places).query(places, k=2)[0][:, 1]
    return np.asarray(nearest[:, None] < 2 * np.asarray(radii))


def _background(
    values: NDArray[np.float64], noise: NDArray[np.float64], estimator: Estimator
) -> tuple[float, float]:
    """The level of some pixels and its variance; NaN if there are too few."""
    if values.size < _FEWEST:
        return np.nan, np.nan
    level, kept = clipped(values, estimator)
    factor = np.pi / 2 if estimator == "median" else 1.0
    return level, factor * float(noise[kept].mean()) / int(kept.sum())


def clipped(values: NDArray[np.float64], estimator: Estimator) -> tuple[float, Mask]:
    """Mean or median of those within 4 standard deviations of the median, and which these are."""
    from astropy.stats import SigmaClip

    clip = SigmaClip(_CLIP, maxiters=5, cenfunc="median", stdfunc="mad_std")
    kept = ~np.ma.getmaskarray(clip(values, masked=True, copy=True))
    middle = np.median if estimator == "median" else np.mean
    return float(middle(values[kept])), kept
