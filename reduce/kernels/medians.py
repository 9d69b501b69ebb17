"""Medians of what is a number, and what scatter they tell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]

MAD_TO_SIGMA = 1.482602218505602
"""Standard deviation of a Gaussian over the median of the distances to its median."""


def median(values: Numbers, axis: int = 0) -> Numbers:
    """The median along an axis of what is not NaN; NaN where nothing is.

    Much faster than `numpy.nanmedian` along a short axis, and without warnings.
    """
    ordered = np.sort(values, axis=axis)
    count = np.count_nonzero(~np.isnan(values), axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis)
    middle: Numbers = np.squeeze((low + high) / 2, axis)
    return middle
