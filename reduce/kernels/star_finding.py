"""Where the stars of an image are."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image
from reduce.dq import flagged
from reduce.errors import ParameterError
from reduce.kernels.apertures import clipped
from reduce.kernels.planes import same_shape


def find_stars(sci: Image, err: Image, dq: Flags, *, fwhm: float, threshold: float) -> NDArray[np.float64]:
    """Places of stars (DAOFIND; Stetson 1987, PASP 99, 191), the brightest first.

    Parameters
    ----------
    sci, err, dq
        The image, one standard deviation of each pixel and its data-quality bits, each (ny, nx).
    fwhm
        Of a star, pixels.
    threshold
        Height of a star's peak above the sky, in standard deviations.

    Returns
    -------
    array (n, 2)
        x and y; the centre of the first pixel is at 0, 0. Empty if there are none.
    """
    from photutils.detection import DAOStarFinder
    from photutils.utils.exceptions import NoDetectionsWarning

    same_shape(sci, {"error": err, "DQ": dq})
    if not fwhm > 0 or not threshold > 0:
        raise ParameterError(f"a width of {fwhm} pixels and a threshold of {threshold} have to be positive")
    bad = flagged(dq) | ~np.isfinite(sci) | ~np.isfinite(err)
    if bad.all():
        return np.empty((0, 2))
    typical = float(np.median(err[~bad]))
    sky = np.where(bad, 0, sci) - clipped(sci[~bad].astype(float), "median")[0]
    finder = DAOStarFinder(threshold * np.where(bad, typical, err), fwhm)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        table = finder(np.where(bad, 0, sky), mask=bad)
    if table is None:
        return np.empty((0, 2))
    names = ("x_centroid", "y_centroid") if "x_centroid" in table.colnames else ("xcentroid", "ycentroid")
    order = np.argsort(-np.asarray(table["flux"], dtype=float), kind="stable")
    return np.stack([np.asarray(table[name], dtype=float) for name in names], axis=1)[order]
