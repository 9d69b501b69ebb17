"""What the kernels of whole frames share: shapes that have to agree, and the types of results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image
from reduce.dq import DQ
from reduce.errors import DataError


def same_shape(sci: Image, planes: Mapping[str, NDArray[Any] | None]) -> None:
    """Refuse planes that don't fit an image.

    Parameters
    ----------
    sci
        The image.
    planes
        Other arrays by what people call them; None for one that there is not.

    Raises
    ------
    DataError
        Naming the plane and both shapes.
    """
    for name, plane in planes.items():
        if plane is not None and plane.shape != sci.shape:
            raise DataError(
                f"the {name} has the shape {plane.shape}, the image {sci.shape}",
                "cut a reference of the full frame to the subarray first" if plane.ndim == sci.ndim else None,
            )


def frame_planes(variances: Mapping[str, Image], dq: Flags) -> dict[str, NDArray[Any] | None]:
    """A frame's planes by name, for `same_shape`."""
    return {**{f"variance {origin}": part for origin, part in variances.items()}, "DQ": dq}


def float_type(sci: Image) -> np.dtype[np.floating[Any]]:
    """The type of a result: the image's own in the machine's byte order, at least 32 bits."""
    found: np.dtype[np.floating[Any]] = np.result_type(sci.dtype, np.float32)
    return found


def total_variance(sci: Image, variances: Mapping[str, Image]) -> Image:
    """The sum of all parts of a frame's variance."""
    total = np.zeros(sci.shape, dtype=float_type(sci))
    with np.errstate(over="ignore", invalid="ignore"):
        for part in variances.values():
            total += part
    return total


def as_flags(dq: NDArray[Any]) -> Flags:
    """Flags as 32 bits without a sign."""
    return dq.astype(np.uint32, copy=False)


def flag_unusable(flags: Flags, sci: Image, variances: Iterable[Image]) -> None:
    """Set ``DO_NOT_USE`` where a value is not finite, or a variance not finite or below zero.

    Parameters
    ----------
    flags
        Bits of a result that is being made; they are changed.
    sci, variances
        Its values and the parts of their variance, each of the shape of `flags`.
    """
    usable = np.isfinite(sci)
    for variance in variances:
        usable &= (variance >= 0) & (variance < np.inf)
    if not usable.all():
        flags[~usable] |= np.uint32(DQ.DO_NOT_USE)
