"""Cosmic rays in a single frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from reduce.arrays import Corrected, Flags, Image, Mask
from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels.planes import (
    as_flags,
    flag_unusable,
    float_type,
    frame_planes,
    same_shape,
    total_variance,
)

FOUND = DQ.OUTLIER | DQ.DO_NOT_USE
"""A cosmic ray. Not ``JUMP_DET``, which says that a ramp was fitted around the hit and may be used."""
CLEANED = DQ.OUTLIER | DQ.FLUX_ESTIMATED | DQ.UNRELIABLE_ERROR
"""A cosmic ray whose pixel was filled from its neighbours; its variance is left as it was."""
_SMALLEST = 7
"""Rows and columns that the filters take; astroscrappy writes beyond the end of smaller images."""


class _Counts(NamedTuple):
    """A frame in electrons without anything that is not a number."""

    sci: Image
    variance: Image
    background: Image | None
    mask: Mask


def flag(
    sci: Image,
    variances: Mapping[str, Image],
    dq: Flags,
    background: Image | None = None,
    *,
    exposure_time: float = 1.0,
    sigma: float = 4.5,
    neighbour_fraction: float = 0.3,
    contrast: float = 5.0,
    iterations: int = 4,
    clean: bool = False,
) -> Corrected:
    """Find cosmic rays by their sharp edges (L.A.Cosmic: van Dokkum 2001, PASP 113, 1420).

    The frame's own variance is the noise model; astroscrappy does the work.

    Parameters
    ----------
    sci, variances, dq
        The frame, each plane (ny, nx): a rate in electrons per second, or electrons with the exposure time 1.
        Pixels with ``DO_NOT_USE`` are not looked at.
    background
        What to subtract while looking, (ny, nx), in the unit of `sci`.
    exposure_time
        Seconds.
    sigma
        How many standard deviations the Laplacian of a cosmic ray is high.
    neighbour_fraction
        Part of `sigma` that is enough next to one.
    contrast
        Least ratio of the Laplacian to the fine structure; larger if the cores of stars are found.
    iterations
        At most so many rounds.
    clean
        True to fill pixels with the mean of their good neighbours in 5×5 pixels.

    Returns
    -------
    Corrected
        With `FOUND`, or `CLEANED` if they were filled.

    Raises
    ------
    DataError
        If shapes differ, a side is shorter than 7 pixels, there is no variance, or no pixel is good.
    ParameterError
        If a parameter's value is not allowed, or astroscrappy is not installed.
    """
    same_shape(sci, {**frame_planes(variances, dq), "background": background})
    if sci.ndim != 2:
        raise DataError(f"cosmic rays are looked for in an image, not in the shape {sci.shape}")
    if min(sci.shape) < _SMALLEST:
        raise DataError(
            f"cosmic rays are looked for in {_SMALLEST} rows and columns or more, not in {sci.shape}"
        )
    if not variances:
        raise DataError("cosmic rays can't be told from noise without a variance")
    if not 0 < exposure_time < np.inf:
        raise ParameterError(f"{exposure_time} s is not an exposure time")
    if not (sigma > 0 and neighbour_fraction > 0 and contrast > 0 and iterations > 0):
        raise ParameterError("the thresholds and the number of rounds for cosmic rays must be above zero")
    try:
        from astroscrappy import detect_cosmics
    except ImportError as missing:
        raise ParameterError(
            "cosmic rays in single frames need astroscrappy", "pip install 'calmap-toolkit[reduce]'"
        ) from missing
    counts = _counts(sci, variances, dq, background, exposure_time)
    with np.errstate(over="ignore", invalid="ignore"):
        hits, filled = detect_cosmics(
            counts.sci,
            inmask=counts.mask,
            inbkg=counts.background,
            invar=counts.variance,
            sigclip=sigma,
            sigfrac=neighbour_fraction,
            objlim=contrast,
            gain=1.0,
            satlevel=np.inf,
            niter=iterations,
            cleantype="meanmask",
        )
    hits = hits & ~counts.mask
    result = sci.astype(float_type(sci))
    if clean:
        result[hits] = filled[hits] / exposure_time
    flags = as_flags(dq).copy()
    flags[hits] |= np.uint32(CLEANED if clean else FOUND)
    flag_unusable(flags, result, variances.values())
    return Corrected(result, dict(variances), flags)


def _counts(
    sci: Image, variances: Mapping[str, Image], dq: Flags, background: Image | None, exposure_time: float
) -> _Counts:
    """A frame in electrons; bad pixels have the median of the good ones."""
    given = [(sci, exposure_time), (total_variance(sci, variances), exposure_time**2)]
    if background is not None:
        given.append((background, exposure_time))
    with np.errstate(over="ignore", invalid="ignore"):
        planes = [plane.astype(np.float32) * np.float32(unit) for plane, unit in given]
        mask = flagged(dq) | ~((planes[1] > 0) & (planes[1] < np.inf))
    for plane in planes:
        mask |= ~np.isfinite(plane)
    if mask.all():
        raise DataError("no pixel is good; cosmic rays can't be looked for")
    filled = [np.where(mask, np.median(plane[~mask]), plane).astype(np.float32) for plane in planes]
    return _Counts(filled[0], filled[1], filled[2] if background is not None else None, mask)
