"""Where an image has stars and galaxies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reduce.arrays import Image, Mask
from reduce.kernels.medians import MAD_TO_SIGMA

_SAMPLE = 1_000_000


class Search(NamedTuple):
    """What a source is.

    Parameters
    ----------
    threshold
        How many standard deviations of the smoothed image above the background it is.
    fwhm
        Full width at half maximum of the Gaussian that smooths, in pixels.
    pixels
        How many connected pixels, by sides or corners, it has at least.
    grow
        How far its mask reaches beyond those pixels.
    """

    threshold: float = 4.0
    fwhm: float = 3.0
    pixels: int = 5
    grow: int = 5


SEARCH = Search()


def source_mask(excess: Image, mask: Mask, search: Search = SEARCH) -> Mask:
    """Where an image has sources.

    The image is smoothed with a Gaussian; connected pixels above a number of standard deviations (from the
    median of the absolute deviations of the smoothed image) are a source if there are enough of them.

    Parameters
    ----------
    excess
        What is above the background, shape (ny, nx), best in units of each pixel's error.
    mask
        Where not to look, (ny, nx).
    search
        What a source is.

    Returns
    -------
    numpy.ndarray
        Boolean, (ny, nx).
    """
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(
        np.where(mask, excess.dtype.type(0), excess), search.fwhm / 2.3548, truncate=3.0
    )
    typical = smooth[~mask] if mask.any() else smooth
    if not typical.size:
        return np.zeros(mask.shape, dtype=np.bool_)
    typical = typical.ravel()[:: max(1, typical.size // _SAMPLE)]
    middle = np.median(typical)
    sigma = MAD_TO_SIGMA * np.median(np.abs(typical - middle))
    labels, count = ndimage.label(smooth > middle + search.threshold * sigma, structure=np.ones((3, 3)))
    if not count:
        return np.zeros(mask.shape, dtype=np.bool_)
    large = np.bincount(labels.ravel()) >= search.pixels
    large[0] = False
    sources: Mask = large[labels]
    grown: Mask = ndimage.maximum_filter(sources.view(np.uint8), size=2 * search.grow + 1).view(np.bool_)
    return grown
