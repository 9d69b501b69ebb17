"""Gain and read noise from pairs of equal exposures: the photon transfer curve.

The variance of electrons is their number, so the variance of counts grows with their mean by 1/gain, from
that of the read noise (Janesick 2001, Scientific Charge-Coupled Devices, chapter 2). It is taken from the
difference of two exposures, in which the flat's own structure cancels.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Image, Mask
from reduce.errors import DataError, ParameterError
from reduce.kernels.medians import MAD_TO_SIGMA

_CLIP = 5.0
"""Standard deviations; cuts 6e-7 of good pixels, so the variance needs no correction."""
_FEWEST = 100
_SIGNIFICANT = 3.0
_ROUNDING = 1 / 12
"""Variance of a count that was rounded, DN²: the least there can be."""


class PhotonTransfer(NamedTuple):
    """What pairs of exposures tell about each channel.

    Parameters
    ----------
    gain, gain_error
        e-/DN, (channels,); NaN where the variance does not grow with the level or too few pixels are good.
    read_noise, read_noise_error
        e- rms of one read, with the rounding of the converter, (channels,).
    quadratic
        The variance's term in the mean squared, (channels,); 0 if it was not fitted.
    means, variances, variance_errors
        The curve: DN, DN² and its error, (channels, levels).
    chi2
        Of the curve, (channels,).
    dof
        Its degrees of freedom.
    """

    gain: NDArray[np.float64]
    gain_error: NDArray[np.float64]
    read_noise: NDArray[np.float64]
    read_noise_error: NDArray[np.float64]
    quadratic: NDArray[np.float64]
    means: NDArray[np.float64]
    variances: NDArray[np.float64]
    variance_errors: NDArray[np.float64]
    chi2: NDArray[np.float64]
    dof: int


class _Level(NamedTuple):
    mean: float
    variance: float
    pixels: int


class _Line(NamedTuple):
    terms: NDArray[np.float64]
    covariance: NDArray[np.float64]
    chi2: float


def photon_transfer(
    first: Image,
    second: Image,
    *,
    mask: Mask | None = None,
    channels: int = 1,
    reads_per_image: int = 1,
    quadratic: bool = False,
) -> PhotonTransfer:
    """Gain and read noise of a detector.

    Parameters
    ----------
    first, second
        The exposures of each pair, (levels, ny, nx), in DN above the bias, below saturation, corrected for
        reference pixels and linearity. Several levels, darks or biases among them for the read noise.
    mask
        Pixels to leave out, (ny, nx). Outliers are left out anyway.
    channels
        Strips of columns to be measured by themselves.
    reads_per_image
        Reads that each image is a sum or difference of: 2 for the last minus the first of a ramp.
    quadratic
        Fit a term in the square of the mean as well, for images that are not quite linear; it costs
        precision.

    Raises
    ------
    DataError
        If shapes differ, levels are too few, or no channel can be measured.
    ParameterError
        If there are not so many channels, or no reads.
    """
    _check(first, second, mask, channels, reads_per_image)
    degree = 2 if quadratic else 1
    levels, _, columns = first.shape
    if levels <= degree:
        raise DataError(f"{levels} levels are too few for {degree + 1} terms")
    good = np.ones(first.shape[1:], dtype=np.bool_) if mask is None else ~mask
    edges = [columns * channel // channels for channel in range(channels + 1)]
    strips = [slice(left, right) for left, right in pairwise(edges)]
    curves = [
        [
            _level(a[:, strip][good[:, strip]], b[:, strip][good[:, strip]])
            for a, b in zip(first, second, strict=True)
        ]
        for strip in strips
    ]
    result = _collected(curves, degree, reads_per_image)
    if np.isnan(result.gain).all():
        raise DataError("the gain can't be measured: the variance does not grow with the level")
    return result


def pixel_read_noise(images: Image, *, gain: float | Image, reads_per_image: int = 1) -> tuple[Image, Image]:
    """Read noise of each pixel from its scatter over equal exposures, such as biases.

    Parameters
    ----------
    images
        DN, (n, ny, nx), at least 3; what shifts a whole image is taken out.
    gain
        e-/DN, a number or (ny, nx).
    reads_per_image
        See `photon_transfer`.

    Returns
    -------
    read_noise, error
        e- rms of one read, (ny, nx).
    """
    if images.ndim != 3 or len(images) < 3:
        raise DataError(f"at least 3 images are needed for their scatter; the shape is {images.shape}")
    if reads_per_image < 1:
        raise ParameterError(f"an image of {reads_per_image} reads")
    shifts = np.median(images, axis=(1, 2), keepdims=True)
    scatter = np.std(images - shifts, axis=0, ddof=1, dtype=np.float64)
    noise: Image = np.asarray(scatter * gain / np.sqrt(reads_per_image))
    return noise, noise / np.sqrt(2 * (len(images) - 1))


def _check(first: Image, second: Image, mask: Mask | None, channels: int, reads: int) -> None:
    if first.ndim != 3 or first.shape != second.shape:
        raise DataError(
            f"pairs have the axes level, row, column; these have {first.shape} and {second.shape}"
        )
    if mask is not None and mask.shape != first.shape[1:]:
        raise DataError(f"the mask has the shape {mask.shape}, the images {first.shape[1:]}")
    if not 1 <= channels <= first.shape[2]:
        raise ParameterError(f"{channels} channels for {first.shape[2]} columns")
    if reads < 1:
        raise ParameterError(f"an image of {reads} reads")


def _level(first: Image, second: Image) -> _Level:
    """Mean and variance of one image of a pair, from pixels (n,)."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    keep = np.isfinite(a) & np.isfinite(b)
    keep[keep] = _near((a[keep] + b[keep]) / 2)
    if keep.sum() < _FEWEST:
        return _Level(0.0, 0.0, 0)
    bright = abs(a[keep].mean()) > 10 * np.std(a[keep] - b[keep])
    ratio = b[keep].mean() / a[keep].mean() if bright else 1.0
    difference = ratio * a - b
    for _ in range(3):
        keep[keep] = _near(difference[keep])
    pixels = int(keep.sum())
    if pixels < _FEWEST:
        return _Level(0.0, 0.0, 0)
    weight = 1 + ratio**2
    mean = float(ratio**2 * a[keep].mean() + b[keep].mean()) / weight
    return _Level(mean, float(np.var(difference[keep], ddof=1)) / weight, pixels)


def _near(values: Image) -> Mask:
    if values.size == 0:
        return np.zeros(0, dtype=np.bool_)
    offset = np.abs(values - np.median(values))
    near: Mask = offset <= _CLIP * max(MAD_TO_SIGMA * float(np.median(offset)), 1e-9)
    return near


def _collected(curves: list[list[_Level]], degree: int, reads: int) -> PhotonTransfer:
    shape = (len(curves), len(curves[0]))
    means = np.array([[level.mean for level in curve] for curve in curves])
    variances = np.array([[level.variance for level in curve] for curve in curves])
    pixels = np.array([[level.pixels for level in curve] for curve in curves])
    errors = variances * np.sqrt(2 / np.maximum(pixels - 1, 1))
    found = np.full((6, len(curves)), np.nan)
    for channel in range(len(curves)):
        if pixels[channel].all() and len(np.unique(means[channel])) > degree:
            line = _line(means[channel], variances[channel], pixels[channel], degree)
            if line.terms[1] > _SIGNIFICANT * np.sqrt(line.covariance[1, 1]):
                found[:, channel] = (*_noise(line, reads), line.terms[2] if degree == 2 else 0.0, line.chi2)
    gain, gain_error, noise, noise_error, quadratic, chi2 = found
    dof = shape[1] - degree - 1
    return PhotonTransfer(
        gain, gain_error, noise, noise_error, quadratic, means, variances, errors, chi2, dof
    )


def _line(
    means: NDArray[np.float64], variances: NDArray[np.float64], pixels: NDArray[np.int_], degree: int
) -> _Line:
    """Fit the curve, with the errors that the fit itself predicts: measured ones would pull it down."""
    scale = max(float(np.abs(means).max()), 1.0)
    design = np.vander(means / scale, degree + 1, increasing=True)
    expected = variances
    for _ in range(4):
        errors = np.maximum(expected, _ROUNDING) * np.sqrt(2 / (pixels - 1))
        weighted = design / errors[:, None]
        covariance = np.linalg.pinv(weighted.T @ weighted)
        terms = covariance @ (weighted.T @ (variances / errors))
        expected = design @ terms
    chi2 = float((((variances - expected) / errors) ** 2).sum())
    units = scale ** -np.arange(degree + 1.0)
    return _Line(terms * units, covariance * np.outer(units, units), chi2)


def _noise(line: _Line, reads: int) -> tuple[float, float, float, float]:
    """Gain and its error, read noise and its error."""
    floor, slope = line.terms[:2]
    gain = 1 / slope
    gain_error = gain * np.sqrt(line.covariance[1, 1]) / slope
    if floor <= 0:
        return gain, gain_error, 0.0, gain * np.sqrt(np.sqrt(line.covariance[0, 0]) / reads)
    noise = gain * np.sqrt(floor / reads)
    gradient = np.array([0.5 / floor, -1 / slope])
    return gain, gain_error, noise, noise * np.sqrt(gradient @ line.covariance[:2, :2] @ gradient)
