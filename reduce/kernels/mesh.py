"""What varies slowly over an image: clipped medians of its cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reduce.arrays import Image, Mask
from reduce.errors import DataError, ParameterError

_SIGMA = 3.0
_ROUNDS = 10
_MOST_MASKED = 80.0
_FEWEST_CELLS = 3


class Mesh(NamedTuple):
    """An image's slow part.

    Parameters
    ----------
    cells
        The level of each cell, shape (rows of cells, columns of cells).
    image
        The same between the cells' centres, (ny, nx).
    """

    cells: Image
    image: Image


def slow_part(image: Image, mask: Mask, *, box: int) -> Mesh:
    """The part of an image that varies slowly.

    The median of each cell without what lies 3σ off (photutils' ``Background2D``); for the image a 3×3 median
    filter over the cells and a bicubic spline between them (Bertin & Arnouts 1996, A&AS 117, 393, §3).

    Parameters
    ----------
    image
        Shape (ny, nx).
    mask
        Where not to look, (ny, nx); pixels that are not numbers are never looked at. A cell with more than
        80 % of its pixels masked gets its level from its neighbours.
    box
        Width of a cell in pixels, about; less if an axis has no room for three.

    Raises
    ------
    DataError
        If no cell has enough pixels.
    ParameterError
        If the box is not above zero.
    """
    from astropy.stats import SigmaClip
    from photutils.background import Background2D, MedianBackground
    from scipy import ndimage

    if box < 1:
        raise ParameterError(f"a box of {box} pixels is too small for a background")
    masked = mask | ~np.isfinite(image)
    if masked.all():
        raise DataError("no pixel is good; a background can't be measured")
    widths = [-(-side // max(_FEWEST_CELLS, round(side / box))) for side in image.shape]
    try:
        cells = Background2D(
            np.where(masked, image.dtype.type(0), image),
            widths,
            mask=masked,
            exclude_percentile=_MOST_MASKED,
            filter_size=1,
            sigma_clip=SigmaClip(_SIGMA, maxiters=_ROUNDS),
            bkg_estimator=MedianBackground(),
        ).background_mesh
    except ValueError as problem:
        raise DataError("too few pixels are good; a background can't be measured") from problem
    filtered = ndimage.median_filter(cells.astype(image.dtype), 3, mode="nearest")
    # Slopes go on beyond the outermost centres.
    wider = np.pad(filtered, 1, mode="reflect", reflect_type="odd")
    smooth = ndimage.zoom(wider, widths, order=3, mode="nearest", grid_mode=True)
    inner = tuple(slice(width, width + side) for width, side in zip(widths, image.shape, strict=True))
    return Mesh(cells, smooth[inner])
