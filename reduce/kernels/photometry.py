"""Fluxes of stars in round apertures, with their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Flags, Image, Mask
from reduce.errors import DataError
from reduce.kernels.apertures import Estimator, measure
from reduce.kernels.ratio import ratio


@dataclass(frozen=True, slots=True, eq=False)
class Photometry:
    """What was measured of n stars.

    Parameters
    ----------
    flux, flux_err
        Sum over the aperture without background, and one standard deviation, (n,), in the image's unit. NaN
        if no pixel of the aperture or too few of the annulus can be used.
    background, background_err
        A pixel, (n,), and its error.
    area
        Pixels of the aperture that were used, (n,).
    flags
        `Flag` of each, (n,), uint8.
    """

    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    background: NDArray[np.float64]
    background_err: NDArray[np.float64]
    area: NDArray[np.float64]
    flags: NDArray[np.uint8]

    @property
    def good(self) -> Mask:
        """Which have no flag, (n,)."""
        return np.asarray(self.flags == 0)


class Growth(NamedTuple):
    """The curve of growth.

    Parameters
    ----------
    radii
        Pixels, (k,), increasing.
    factors, errors
        By what the flux within each radius is multiplied to give that within the last one, and one standard
        deviation of it, (k,). The error is common to all stars that are corrected.
    stars
        Stars that each factor is from, (k,).
    """

    radii: NDArray[np.float64]
    factors: NDArray[np.float64]
    errors: NDArray[np.float64]
    stars: NDArray[np.int64]


def aperture_photometry(
    sci: Image,
    variance: Image,
    dq: Flags,
    positions: ArrayLike,
    *,
    radius: float,
    annulus: tuple[float, float] | None,
    estimator: Estimator = "mean",
    correlation: float = 1.0,
) -> Photometry:
    """Measure stars at known places.

    The flux is Σ w·(S − B) with the exact part w of each pixel in the aperture, and its variance
    c²·(Σ w²·var + (Σ w)²·var(B)). B is from the pixels whose centre is in the annulus and not in another
    star's aperture, clipped at 4 standard deviations from the median. var(B) is ⟨var⟩/N for the mean and
    π/2 times that for the median (Kendall & Stuart, The Advanced Theory of Statistics, 10.10).

    The mean is the default: the noise of photons is skewed, so the median of pixels with λ photons is
    about 1/6 of a photon below their mean, which an aperture of n pixels adds up to n/6.

    Pixels with DO_NOT_USE, or whose value or variance is no number that there can be, are left out of both
    sums and nothing is put in their place, because what a star has there is not known: such a flux is too
    low, and flagged.

    Parameters
    ----------
    sci, variance, dq
        The image, its total variance and its data-quality bits, each (ny, nx).
    positions
        x and y of each star, (n, 2); the centre of the first pixel is at 0, 0.
    radius
        Of the aperture, pixels.
    annulus
        Inner and outer radius, pixels; or None for an image without background.
    correlation
        c: the noise of a sum over many pixels, over what their errors alone say. Above 1 for a resampled
        image (Fruchter & Hook 2002, PASP 114, 144, section 7).

    Raises
    ------
    DataError
        If shapes differ.
    ParameterError
        If radii are not positive or the annulus begins inside the aperture.
    """
    measured = measure(sci, variance, dq, positions, (radius,), annulus, estimator, correlation)
    with np.errstate(invalid="ignore"):
        return Photometry(
            measured.flux[:, 0],
            np.sqrt(measured.covariance[:, 0, 0]),
            measured.background,
            np.sqrt(measured.background_variance),
            measured.area[:, 0],
            measured.flags[:, 0],
        )


def aperture_correction(
    sci: Image,
    variance: Image,
    dq: Flags,
    positions: ArrayLike,
    *,
    radii: tuple[float, ...],
    annulus: tuple[float, float],
    estimator: Estimator = "mean",
    correlation: float = 1.0,
    signal_to_noise: float = 50.0,
) -> Growth:
    """How much of a star's light each aperture misses, by the curve of growth (Howell 1989, PASP 101, 616).

    Parameters
    ----------
    sci, variance, dq, positions, annulus, estimator, correlation
        See `aperture_photometry`.
    radii
        Increasing; the last is the one that all are corrected to. It should hold nearly all the light.
    signal_to_noise
        Of a flux at the least. Stars that have a flag in the last aperture are left out as well.

    Raises
    ------
    DataError
        If no star is isolated and bright enough.
    """
    measured = measure(sci, variance, dq, positions, radii, annulus, estimator, correlation)
    flux, covariance = measured.flux, measured.covariance
    good = measured.flags[:, -1] == 0
    factors, errors, stars = [1.0], [0.0], [int(good.sum())]
    for k in reversed(range(len(radii) - 1)):
        bright = good & (flux[:, k] ** 2 > signal_to_noise**2 * covariance[:, k, k]) & (flux[:, k] > 0)
        if not bright.any():
            raise DataError(
                f"no star is isolated and bright enough for the aperture correction at {radii[k]} pixels",
                f"it takes a signal-to-noise ratio of {signal_to_noise:g} and an aperture without flags",
            )
        inner, outer, both = (covariance[bright][:, i, j] for i, j in ((k, k), (-1, -1), (k, -1)))

        def spread(
            factor: float,
            inner: NDArray[np.float64] = inner,
            outer: NDArray[np.float64] = outer,
            both: NDArray[np.float64] = both,
        ) -> NDArray[np.float64]:
            return outer - 2 * factor * both + factor**2 * inner

        found = ratio(flux[bright, k], flux[bright, -1], spread)
        factors.append(found.value)
        errors.append(found.error)
        stars.append(int(found.used.sum()))
    return Growth(np.array(radii, dtype=float), *(np.array(part[::-1]) for part in (factors, errors, stars)))
