"""Images of two files compared in parts, so that large ones need little memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from calmap.references.fitsfile import FitsFile, parts
from calmap.references.hdu import image_shape, image_type, item_size


class ArrayDifference(NamedTuple):
    """How two images differ.

    Parameters
    ----------
    place
        Which extension, as it is called in the old file.
    old_shape, new_shape
        Axes in the order of numpy; empty if there are no data.
    old_type, new_type
        Numpy's names of their types.
    differing
        How many pixels differ; None if the shapes do and nothing was compared.
    largest
        The largest difference of two finite pixels; None if there is none.
    first
        The first pixel that differs, counted from 1 in the order of FITS.
    """

    place: str
    old_shape: tuple[int, ...]
    new_shape: tuple[int, ...]
    old_type: str
    new_type: str
    differing: int | None
    largest: float | None
    first: tuple[int, ...]


def compare_images(old: FitsFile, at: int, new: FitsFile, other: int, place: str) -> ArrayDifference | None:
    """Compare two images; None if shapes, types and pixels are the same. NaN equals NaN.

    Raises
    ------
    HeaderError
        If data can't be read.
    """
    shapes = image_shape(old.hdus[at]), image_shape(new.hdus[other])
    before, after = _type(old.hdus[at]), _type(new.hdus[other])
    if shapes[0] != shapes[1]:
        return ArrayDifference(place, *shapes, before, after, None, None, ())
    differing, largest, first = _compare_pixels(old, at, new, other)
    if not differing and before == after:
        return None
    return ArrayDifference(place, *shapes, before, after, differing, largest, first)


def _type(hdu: Any) -> str:
    return image_type(hdu) if image_shape(hdu) else ""


def _compare_pixels(
    old: FitsFile, at: int, new: FitsFile, other: int
) -> tuple[int, float | None, tuple[int, ...]]:
    """How many pixels differ, by how much at most, and which is the first."""
    import numpy as np

    differing, largest = 0, None
    first: tuple[int, ...] = ()
    shape = image_shape(old.hdus[at])
    old.require(at)
    new.require(other)
    for part in parts(shape, max(item_size(old.hdus[at]), item_size(new.hdus[other]))):
        before, after = old.slab(at, part), new.slab(other, part)
        wrong = _unequal(before, after)
        count = int(np.count_nonzero(wrong))
        if not count:
            continue
        if not differing:
            first = _fits_place(part, wrong, len(shape))
        differing += count
        found = _largest(before[wrong], after[wrong])
        if found is not None and (largest is None or found > largest):
            largest = found
    return differing, largest, first


def _unequal(old: Any, new: Any) -> Any:
    wrong = old != new
    if old.dtype.kind in "fc" and new.dtype.kind in "fc" and wrong.any():
        wrong &= (old == old) | (new == new)
    return wrong


def _largest(old: Any, new: Any) -> float | None:
    import numpy as np

    if old.dtype.kind in "iub" and new.dtype.kind in "iub":
        high, low = np.maximum(old, new), np.minimum(old, new)
        return float(np.max(high.astype(np.float64) - low.astype(np.float64)))
    step = np.abs(old.astype(np.float64) - new.astype(np.float64))
    step = step[np.isfinite(step)]
    return float(step.max()) if step.size else None


def _fits_place(part: tuple[int | slice, ...], wrong: Any, axes: int) -> tuple[int, ...]:
    import numpy as np

    inside = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    fixed = [index for index in part if isinstance(index, int)]
    offsets = [index.start for index in part if isinstance(index, slice)]
    offsets += [0] * (axes - len(part))
    place = [*fixed, *(int(i) + offset for i, offset in zip(inside, offsets, strict=True))]
    return tuple(index + 1 for index in reversed(place))
