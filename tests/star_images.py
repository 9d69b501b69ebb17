"""Images of stars with the noise of photons and of the detector, for the tests."""

import math
from typing import NamedTuple

import numpy as np

FWHM = 3.0


class StarImage(NamedTuple):
    sci: np.ndarray
    variance: np.ndarray
    dq: np.ndarray
    positions: np.ndarray
    fluxes: np.ndarray


def gaussian(positions, fluxes, shape, fwhm=FWHM, reach=20):
    """Electrons of round Gaussian stars, integrated over each pixel."""
    image = np.zeros(shape)
    width = math.sqrt(2) * fwhm / 2.35482004503
    erf = np.vectorize(math.erf, otypes=[float])
    for (x, y), flux in zip(positions, fluxes, strict=True):
        columns = np.arange(max(round(x) - reach, 0), min(round(x) + reach + 1, shape[1]))
        rows = np.arange(max(round(y) - reach, 0), min(round(y) + reach + 1, shape[0]))
        across = (erf((columns + 0.5 - x) / width) - erf((columns - 0.5 - x) / width)) / 2
        along = (erf((rows + 0.5 - y) / width) - erf((rows - 0.5 - y) / width)) / 2
        image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += flux * np.outer(along, across)
    return image


def grid(side, step, rng):
    """Places at least `step` - 2 pixels apart, with all fractions of a pixel."""
    axis = np.arange(step, side - step / 2, step)
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return places + rng.uniform(-1, 1, places.shape)


def observed(positions, fluxes, shape, *, sky=100.0, read_noise=5.0, rng=None, profile=gaussian):
    """Stars on a sky in electrons; without a generator there is no noise, only its variance."""
    truth = profile(positions, fluxes, shape) + sky
    sci, counts = truth, truth
    if rng is not None:
        counts = rng.poisson(truth).astype(float)
        sci = counts + rng.normal(0, read_noise, shape)
    dq = np.zeros(shape, dtype=np.uint32)
    image = StarImage(sci, counts + read_noise**2, dq, np.asarray(positions, dtype=float), np.asarray(fluxes))
    for array in image:
        array.flags.writeable = False
    return image


def moffat(positions, fluxes, shape, fwhm=FWHM, beta=3.5, parts=3):
    """Electrons of Moffat stars, sampled on a grid within each pixel."""
    image = np.zeros(shape)
    width = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    inside = (np.arange(parts) + 0.5) / parts - 0.5
    reach = 30
    for (x, y), flux in zip(positions, fluxes, strict=True):
        columns = np.arange(max(round(x) - reach, 0), min(round(x) + reach + 1, shape[1]))
        rows = np.arange(max(round(y) - reach, 0), min(round(y) + reach + 1, shape[0]))
        u = ((columns[:, None] + inside).ravel() - x) / width
        v = ((rows[:, None] + inside).ravel() - y) / width
        fine = (1 + u[None, :] ** 2 + v[:, None] ** 2) ** -beta
        mean = fine.reshape(len(rows), parts, len(columns), parts).mean(axis=(1, 3))
        image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += (
            flux * (beta - 1) / (np.pi * width**2) * mean
        )
    return image
