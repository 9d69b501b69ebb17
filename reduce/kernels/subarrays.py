"""Rectangles of a detector that are read on their own: found in a map, cut out, put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Counts, Flags, Rows
from reduce.dq import DQ
from reduce.errors import DataError


class Window(NamedTuple):
    """A rectangle of the detector.

    Parameters
    ----------
    id
        Number of the subarray, above 0; 0 is the full frame.
    xstart, ystart
        First column and row, counted from 1 as in ``SUBSTRT1`` and ``SUBSTRT2``.
    xsize, ysize
        Number of columns and rows, as in ``SUBSIZE1`` and ``SUBSIZE2``.
    """

    id: int
    xstart: int
    ystart: int
    xsize: int
    ysize: int

    @property
    def xend(self) -> int:
        """Last column, counted from 1."""
        return self.xstart + self.xsize - 1

    @property
    def yend(self) -> int:
        """Last row, counted from 1."""
        return self.ystart + self.ysize - 1

    def __str__(self) -> str:
        return f"columns {self.xstart} to {self.xend}, rows {self.ystart} to {self.yend}"

    def slices(self, of: Window) -> tuple[slice, slice]:
        """Rows and columns of this window in an array that holds another."""
        row, column = self.ystart - of.ystart, self.xstart - of.xstart
        return slice(row, row + self.ysize), slice(column, column + self.xsize)

    def within(self, other: Window) -> bool:
        """True if all of it is in another window."""
        return (
            other.xstart <= self.xstart
            and other.ystart <= self.ystart
            and self.xend <= other.xend
            and self.yend <= other.yend
        )

    def overlaps(self, other: Window) -> bool:
        """True if they have a pixel in common."""
        return (
            self.xstart <= other.xend
            and other.xstart <= self.xend
            and self.ystart <= other.yend
            and other.ystart <= self.yend
        )


def full_frame(shape: Sequence[int]) -> Window:
    """The window of an array that begins at the detector's first pixel; its first axes are (ny, nx)."""
    return Window(0, 1, 1, shape[1], shape[0])


def parse_map(subarray_map: Counts, *, windows: Sequence[Window] = ()) -> tuple[Window, ...]:
    """The subarrays of a map.

    Parameters
    ----------
    subarray_map
        Number of the subarray that each pixel of the full frame belongs to, shape (ny, nx); 0 for none.
        Numbers may be left out.
    windows
        What headers say about subarrays; the map has to agree.

    Returns
    -------
    tuple of Window
        By their numbers.

    Raises
    ------
    DataError
        If a subarray is not a rectangle, two overlap, or the map and `windows` disagree. The message names
        the numbers.
    """
    if subarray_map.ndim != 2 or not np.issubdtype(subarray_map.dtype, np.integer):
        raise DataError(
            f"a map of subarrays is an image of whole numbers, not {subarray_map.dtype} of the shape"
            f" {subarray_map.shape}"
        )
    check_apart(windows)
    numbers = [int(number) for number in np.unique(subarray_map[subarray_map != 0])]
    if numbers and numbers[0] < 0:
        raise DataError(f"a subarray can't have the number {numbers[0]}")
    found = tuple(_bounds(subarray_map, number) for number in numbers)
    for window in windows:
        if window.id not in numbers:
            raise DataError(f"subarray {window.id} ({window}) is not in the map", _among(numbers))
        parsed = found[numbers.index(window.id)]
        if parsed != window:
            raise DataError(f"subarray {window.id} is {parsed} in the map, but {window} in its header")
    return found


def draw_map(windows: Sequence[Window], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """The map of some subarrays on a detector of (ny, nx) pixels.

    Raises
    ------
    DataError
        If two overlap or have the same number, one's number can't be in a map, or one is not on the detector.
    """
    check_apart(windows)
    detector = full_frame(shape)
    drawn = np.zeros(shape, dtype=np.uint16)
    for window in windows:
        if not 0 < window.id <= np.iinfo(drawn.dtype).max:
            raise DataError(f"a subarray can't have the number {window.id}")
        _check_within(window, detector)
        drawn[window.slices(detector)] = window.id
    return drawn


def cut(array: Rows, window: Window, *, of: Window | None = None) -> NDArray[Any]:
    """A window of an array, such as a reference of the full frame.

    Parameters
    ----------
    array
        Shape (ny, nx, …). It may be read from a file only when it is sliced.
    window
        What to cut out.
    of
        The window that the array itself holds; None if it begins at the detector's first pixel.

    Returns
    -------
    numpy.ndarray
        Shape (ysize, xsize, …): a new array, or `array` itself if it holds just that window.

    Raises
    ------
    DataError
        If the array does not have the size of its window, or `window` reaches out of it.
    """
    if len(array.shape) < 2:
        raise DataError(f"a window can't be cut out of the shape {array.shape}; it takes rows and columns")
    holds = full_frame(array.shape) if of is None else of
    if array.shape[:2] != (holds.ysize, holds.xsize):
        raise DataError(
            f"an array with the shape {array.shape} can't hold {holds.ysize} rows of {holds.xsize} columns"
        )
    _check_within(window, holds)
    if window[1:] == holds[1:]:
        return array if isinstance(array, np.ndarray) else np.asarray(array[:])
    rows, columns = window.slices(holds)
    return np.array(np.asarray(array[rows])[:, columns])


def merge(
    full: NDArray[Any],
    parts: Mapping[int, NDArray[Any]],
    subarray_map: Counts,
    *,
    allow_missing: bool = False,
) -> NDArray[Any]:
    """The full frame with its subarrays put back: what `cut` took apart, bit by bit.

    Parameters
    ----------
    full
        Shape (ny, nx, …).
    parts
        Subarrays by number, each (ysize, xsize, …).
    subarray_map
        See `parse_map`.
    allow_missing
        True to leave the full frame as it is where there is no part.

    Raises
    ------
    DataError
        If a part is not in the map or the other way round, or it has another shape, or a type that the full
        frame's type can't hold.
    """
    if full.shape[:2] != subarray_map.shape:
        raise DataError(
            f"the map of subarrays has the shape {subarray_map.shape}, the full frame {full.shape}"
        )
    windows = {window.id: window for window in parse_map(subarray_map)}
    unknown = sorted(set(parts) - set(windows))
    if unknown:
        raise DataError(f"{_named(unknown)} not in the map", _among(sorted(windows)))
    missing = sorted(set(windows) - set(parts))
    if missing and not allow_missing:
        raise DataError(f"{_named(missing)} in the map, but not among the files to merge")
    merged = full.copy()
    detector = full_frame(full.shape)
    for number, part in parts.items():
        window = windows[number]
        shape = (window.ysize, window.xsize, *full.shape[2:])
        if part.shape != shape:
            raise DataError(f"subarray {number} has the shape {part.shape}, its place in the map {shape}")
        if not np.can_cast(part.dtype, full.dtype, "safe"):
            raise DataError(
                f"subarray {number} has the type {part.dtype}, which does not fit into {full.dtype}"
            )
        merged[window.slices(detector)] = part
    return merged


def flag_holes(dq: Flags, subarray_map: Counts) -> Flags:
    """Flags of a full frame, with ``NON_SCIENCE`` and ``DO_NOT_USE`` where subarrays were read instead.

    Parameters
    ----------
    dq
        Shape (ny, nx).
    subarray_map
        See `parse_map`.
    """
    if dq.shape != subarray_map.shape:
        raise DataError(f"the map of subarrays has the shape {subarray_map.shape}, the DQ {dq.shape}")
    flags: Flags = dq.astype(np.uint32)
    flags[subarray_map != 0] |= np.uint32(DQ.NON_SCIENCE | DQ.DO_NOT_USE)
    return flags


def check_apart(windows: Sequence[Window]) -> None:
    """Refuse windows that have pixels in common, no size, or the same number.

    Raises
    ------
    DataError
        Naming the numbers.
    """
    for place, window in enumerate(windows):
        if window.xsize < 1 or window.ysize < 1:
            raise DataError(f"subarray {window.id} has {window.ysize} rows of {window.xsize} columns")
        for other in windows[:place]:
            if other.id == window.id:
                raise DataError(f"there are two subarrays {window.id}: {other}, and {window}")
            if other.overlaps(window):
                raise DataError(f"subarrays {other.id} ({other}) and {window.id} ({window}) overlap")


def _bounds(subarray_map: Counts, number: int) -> Window:
    """The rectangle of one number, which has to be full of it."""
    pixels = subarray_map == number
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    window = Window(number, x + 1, y + 1, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    inside = subarray_map[window.slices(full_frame(subarray_map.shape))]
    others = [int(other) for other in np.unique(inside[inside != number])]
    if any(others):
        overlapping = ", ".join(str(other) for other in others if other)
        raise DataError(f"subarray {number} ({window}) overlaps with {overlapping}")
    if others:
        raise DataError(f"subarray {number} is not a rectangle: {window} has holes")
    return window


def _check_within(window: Window, holds: Window) -> None:
    """Refuse a window that is not all in another."""
    if window.xsize < 1 or window.ysize < 1:
        raise DataError(f"subarray {window.id} has {window.ysize} rows of {window.xsize} columns")
    if not window.within(holds):
        raise DataError(
            f"subarray {window.id} ({window}) reaches out of what it is cut from ({holds})",
            "see that the reference is of the full frame or of the same subarray",
        )


def _named(numbers: Sequence[int]) -> str:
    """``subarray 3 is`` or ``subarrays 3, 5 are``."""
    if len(numbers) == 1:
        return f"subarray {numbers[0]} is"
    return f"subarrays {', '.join(map(str, numbers))} are"


def _among(numbers: Sequence[int]) -> str:
    """A hint at what the map has."""
    return f"the map has {', '.join(map(str, numbers))}" if numbers else "the map has no subarrays"
