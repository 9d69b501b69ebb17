"""What varies slowly over an image: clipped medians of its cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Image, Mask
from reduce.errors import DataError, ParameterError
from reduce.kernels.acceleration import in_blocks
from reduce.kernels.planes import float_type

_SIGMA = 3.0
_ROUNDS = 10
_LEAST_GOOD = 0.2
_FEWEST_CELLS = 3
_BELOW_ONE_SIGMA = 0.158655


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

    The median of each cell without what lies 3σ off; for the image a 3×3 median filter over the cells and a
    bicubic spline through them (Bertin & Arnouts 1996, A&AS 117, 393, §3, but for σ, which is half of what
    the middle 68 % of the values span).

    Parameters
    ----------
    image
        Shape (ny, nx).
    mask
        Where not to look, (ny, nx); pixels that are not numbers are never looked at. A cell with less than
        20 % of its pixels left has the level of the nearest cell with more.
    box
        Width of a cell in pixels, about; less if an axis has no room for three.

    Raises
    ------
    DataError
        If no cell has enough pixels.
    ParameterError
        If the box is not above zero.
    """
    from scipy import ndimage

    if box < 1:
        raise ParameterError(f"a box of {box} pixels is too small for a background")
    down, across = (_edges(side, box) for side in image.shape)
    cells = np.empty((len(down) - 1, len(across) - 1), dtype=float_type(image))

    def work(rows: slice) -> None:
        for row in range(rows.start, rows.stop):
            some = slice(down[row], down[row + 1])
            values = np.where(mask[some], np.nan, image[some]).astype(cells.dtype, copy=False)
            values[np.isinf(values)] = np.nan
            for column, first in enumerate(across[:-1]):
                cells[row, column] = _clipped_median(values[:, first : across[column + 1]].ravel())

    in_blocks(len(cells), work, size=1)
    unknown = np.isnan(cells)
    if unknown.all():
        raise DataError("no pixel is good, or too few in any one place; a background can't be measured")
    if unknown.any():
        nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
        cells = cells[tuple(nearest)]
    filtered = ndimage.median_filter(cells, 3, mode="nearest").astype(np.float64)
    # Slopes go on beyond the outermost centres.
    wider = np.pad(filtered, 1, mode="reflect", reflect_type="odd")
    along = (wider @ _spline(across).T).astype(cells.dtype)
    return Mesh(cells, _spline(down).astype(cells.dtype) @ along)


def _edges(side: int, box: int) -> NDArray[np.intp]:
    """Where the cells of an axis begin, and where the last one ends; their widths differ by 1 at most."""
    count = min(side, max(_FEWEST_CELLS, round(side / box)))
    return np.arange(count + 1) * side // count


def _clipped_median(values: NDArray[Any]) -> float:
    """The median of what is not NaN, without outliers; NaN if too little is left."""
    kept = np.sort(values)
    kept = kept[: len(kept) - np.count_nonzero(np.isnan(kept))]
    if len(kept) < max(1.0, _LEAST_GOOD * values.size):
        return np.nan
    for _ in range(_ROUNDS):
        middle = (float(kept[(len(kept) - 1) // 2]) + float(kept[len(kept) // 2])) / 2
        tail = int(_BELOW_ONE_SIGMA * len(kept))
        reach = _SIGMA * (float(kept[len(kept) - 1 - tail]) - float(kept[tail])) / 2
        first = int(np.searchsorted(kept, middle - reach, side="left"))
        last = int(np.searchsorted(kept, middle + reach, side="right"))
        if last - first in (0, len(kept)):
            break
        kept = kept[first:last]
    return middle


def _spline(edges: NDArray[np.intp]) -> NDArray[np.float64]:
    """What takes an axis's cells, and one more at either end, to its pixels; shape (side, cells + 2)."""
    from scipy.interpolate import CubicSpline

    middles = (edges[:-1] + edges[1:] - 1) / 2
    steps = np.diff(middles) if len(middles) > 1 else np.ones(1)
    centres = np.concatenate([[middles[0] - steps[0]], middles, [middles[-1] + steps[-1]]])
    matrix: NDArray[np.float64] = CubicSpline(centres, np.eye(len(centres)))(np.arange(edges[-1]))
    return matrix
