"""Magnitudes, janskys and the zero point of an image.

The zero point is the AB magnitude of one unit of rate (an electron or DN a second): m = ZP − 2.5·log10(rate).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Corrected, Flags, Image, Mask
from reduce.errors import DataError, ParameterError
from reduce.kernels.planes import as_flags, flag_unusable, float_type, frame_planes, same_shape
from reduce.kernels.ratio import ratio

AB_JANSKY = 10 ** (23 - 48.60 / 2.5)
"""Jansky of AB magnitude 0: m = −2.5·log10(f_ν) − 48.60 with f_ν in erg/s/cm²/Hz (Oke & Gunn 1983, ApJ 266,
713)."""
MICROJANSKY_ZERO_POINT = 2.5 * math.log10(AB_JANSKY * 1e6)
"""AB magnitude of 1 µJy, 23.90."""
CALIBRATED_UNIT = "uJy"
_LOG = 2.5 / math.log(10)
_SINGLE = 1e-12, 1e12
"""Factors beyond which squares of errors don't fit into single precision."""


class ZeroPoint(NamedTuple):
    """The zero point and how well it is known.

    Parameters
    ----------
    value, error
        AB magnitude of one unit of rate and one standard deviation of it.
    used
        Which stars were used, (n,).
    chi2
        χ² a degree of freedom of those. Where it is above 1, the error is larger by its root.
    """

    value: float
    error: float
    used: Mask
    chi2: float


def zero_point(
    rates: ArrayLike,
    rate_errors: ArrayLike,
    magnitudes: ArrayLike,
    magnitude_errors: ArrayLike = 0.0,
    *,
    clip: float = 4.0,
) -> ZeroPoint:
    """The zero point by stars whose magnitudes are known.

    The factor k of rate = k·10^(−0.4·m) is fitted, so that noise in faint rates does not bias a logarithm,
    with the variance σ(rate)² + (0.4·ln 10·k·10^(−0.4·m)·σ(m))²; then ZP = 2.5·log10(k).

    Parameters
    ----------
    rates, rate_errors
        Of the stars in the image, in all their light (see `aperture_correction`), (n,).
    magnitudes, magnitude_errors
        AB magnitudes of a catalogue and their errors, (n,). Stars without one (NaN) are left out.
    clip
        Stars further off than so many standard deviations are left out.

    Raises
    ------
    DataError
        If shapes differ or no star can be used.
    """
    rate, error, magnitude, spread = (
        np.asarray(values, dtype=np.float64) for values in (rates, rate_errors, magnitudes, magnitude_errors)
    )
    if rate.ndim != 1 or rate.shape != error.shape or rate.shape != magnitude.shape:
        raise DataError(f"rates {rate.shape}, errors {error.shape} and magnitudes {magnitude.shape} differ")
    if spread.ndim and spread.shape != rate.shape:
        raise DataError(f"the magnitudes' errors have the shape {spread.shape}, the rates {rate.shape}")
    middle = float(np.nanmedian(magnitude)) if np.isfinite(magnitude).any() else 0.0
    expected = 10 ** (-0.4 * (magnitude - middle))
    usable = (
        np.isfinite(rate) & np.isfinite(expected) & np.isfinite(error) & (error > 0) & np.isfinite(spread)
    )
    found = ratio(
        np.where(usable, expected, np.nan),
        rate,
        lambda factor: error**2 + (factor * expected * spread / _LOG) ** 2,
        clip=clip,
    )
    if not found.value > 0:
        raise DataError("the stars of the catalogue give no light in the image", "is the WCS right?")
    value = middle + 2.5 * math.log10(found.value)
    return ZeroPoint(value, _LOG * found.error / found.value, found.used, found.chi2)


def magnitude_of(rates: ArrayLike, zero_point: float) -> NDArray[np.float64]:
    """AB magnitudes of rates; NaN where a rate is not positive."""
    rate = np.asarray(rates, dtype=np.float64)
    positive = rate > 0
    return np.where(positive, zero_point - 2.5 * np.log10(np.where(positive, rate, 1)), np.nan)


def magnitude_error_of(rates: ArrayLike, rate_errors: ArrayLike) -> NDArray[np.float64]:
    """Errors of `magnitude_of` to first order, without that of the zero point; NaN as there."""
    rate = np.asarray(rates, dtype=np.float64)
    positive = rate > 0
    return np.where(positive, _LOG * np.asarray(rate_errors) / np.where(positive, rate, 1), np.nan)


def rate_of(magnitudes: ArrayLike, zero_point: float) -> NDArray[np.float64]:
    """Rates of AB magnitudes."""
    return np.asarray(10 ** (-0.4 * (np.asarray(magnitudes, dtype=np.float64) - zero_point)))


def jansky_of(magnitudes: ArrayLike) -> NDArray[np.float64]:
    """Janskys of AB magnitudes."""
    return AB_JANSKY * rate_of(magnitudes, 0.0)


def magnitude_of_jansky(janskys: ArrayLike) -> NDArray[np.float64]:
    """AB magnitudes of janskys; NaN where one is not positive."""
    return magnitude_of(np.asarray(janskys, dtype=np.float64) / AB_JANSKY, 0.0)


def microjansky_factor(zero_point: float) -> float:
    """Microjansky of one unit of rate."""
    return float(10 ** (-0.4 * (zero_point - MICROJANSKY_ZERO_POINT)))


def flux_calibrate(
    sci: Image,
    variances: Mapping[str, Image],
    dq: Flags,
    *,
    zero_point: float | None = None,
    factor: float | None = None,
) -> Corrected:
    """Multiply a rate image by what one unit of rate is.

    The error of that factor is common to all pixels, so it is not in the variances: it belongs in the header
    (`flux_cards`).

    Parameters
    ----------
    sci, variances, dq
        The frame, each plane (ny, nx).
    zero_point
        AB magnitude of one unit of rate; the result is in µJy a pixel.
    factor
        Instead of it, any factor, such as MJy/sr of one unit of rate. Below 1e-12 or above 1e12 the result is
        in double precision, as the variances would vanish in single.

    Returns
    -------
    Corrected
        The bits as they were, and ``DO_NOT_USE`` where the result or its variance is not finite.

    Raises
    ------
    ParameterError
        If not exactly one of the two is given, or it is not a number that there can be.
    DataError
        If shapes differ.
    """
    if (zero_point is None) == (factor is None):
        raise ParameterError("either the zero point or a factor calibrates an image, and not both")
    given = factor if zero_point is None else zero_point
    scale = given if zero_point is None else microjansky_factor(zero_point)
    if scale is None or not math.isfinite(scale) or scale <= 0:
        raise ParameterError(f"a flux calibration by {given} is not possible")
    same_shape(sci, frame_planes(variances, dq))
    kind = float_type(sci) if _SINGLE[0] < scale < _SINGLE[1] else np.dtype(np.float64)
    flags = as_flags(dq).copy()
    with np.errstate(over="ignore", invalid="ignore"):
        result = sci.astype(kind) * kind.type(scale)
        parts = {origin: part.astype(kind) * kind.type(scale**2) for origin, part in variances.items()}
    flag_unusable(flags, result, parts.values())
    return Corrected(result, parts, flags)


def flux_cards(value: float, error: float) -> dict[str, tuple[str | float, str]]:
    """Cards of the header of an image in µJy: value and comment by keyword.

    PHOTZP and PHOTZPER are the zero point of the rates before the calibration and its error, PHOTFACT the
    factor between both and MAGZERO the zero point of the result.
    """
    return {
        "BUNIT": (CALIBRATED_UNIT, "microjansky a pixel"),
        "PHOTSYS": ("AB", "system of the magnitudes"),
        "PHOTZP": (float(value), "[mag] of one unit of rate"),
        "PHOTZPER": (float(error), "[mag] error of PHOTZP, common to all pixels"),
        "PHOTFACT": (microjansky_factor(value), "[uJy] of one unit of rate; was multiplied"),
        "MAGZERO": (MICROJANSKY_ZERO_POINT, "[mag] of 1 in this image"),
    }
