"""Reads and one number for each pixel: differences and products."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Image
from reduce.kernels import acceleration
from reduce.kernels.rampdata import Reads

Operation = Literal["subtract", "multiply"]


def combined(reads: Reads, plane: Image, operation: Operation) -> NDArray[np.float32]:
    """Each pixel's reads less its number, or times it.

    Parameters
    ----------
    reads
        Shape (ny, nx, ngroups, nreads), native and contiguous.
    plane
        float32, (ny, nx).

    Returns
    -------
    numpy.ndarray
        float32, the shape of `reads`.
    """
    out = np.empty(reads.shape, dtype=np.float32)
    if acceleration.available():
        from reduce.kernels import pixelwise_fast

        loop = pixelwise_fast.subtract if operation == "subtract" else pixelwise_fast.multiply
        shape = (*reads.shape[:2], reads.shape[2] * reads.shape[3])
        flat, result = reads.reshape(shape), out.reshape(shape)
        acceleration.in_blocks(reads.shape[0], lambda rows: loop(flat[rows], plane[rows], result[rows]))
    else:
        ufunc = np.subtract if operation == "subtract" else np.multiply
        ufunc(reads, plane[:, :, None, None], out=out, casting="same_kind")
    return out
