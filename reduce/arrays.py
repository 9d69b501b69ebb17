"""Names for the kinds of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.floating[Any]]
"""Floating-point numbers; two-dimensional unless it says otherwise."""
Flags: TypeAlias = NDArray[np.uint32]
"""Data-quality bits, see `reduce.dq.DQ`."""
Mask: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.integer[Any]]


class Rows(Protocol):
    """An array, or what gives one when it is sliced along its first axis."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""

    def __getitem__(self, key: slice, /) -> NDArray[Any]:
        """Some rows."""


class Corrected(NamedTuple):
    """A frame's arrays after a correction.

    Parameters
    ----------
    sci
        The image, shape (ny, nx).
    variances
        Parts of its variance by their origin (``POISSON``, ``RNOISE``, ``FLAT``, …), each (ny, nx), in the
        square of the image's unit.
    dq
        Data-quality bits, (ny, nx).
    """

    sci: Image
    variances: Mapping[str, Image]
    dq: Flags
