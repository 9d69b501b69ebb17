"""Reproducible noise and shapes: whole numbers and IEEE basic operations only, the same bits everywhere."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]

SIZE = 64
"""Pixels along each side of every simulated detector."""

_WORD = (1 << 64) - 1


def scrambled(label: str, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    """64 mixed bits for each element (the splitmix64 sequence, seeded by the label's CRC)."""
    seed = (crc32(label.encode()) * 0xD1B54A32D192ED03) & _WORD
    count = int(np.prod(shape))
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))).reshape(shape)


def uniform(label: str, shape: tuple[int, ...]) -> Image:
    """Numbers in [0, 1), multiples of 2**-24."""
    return (scrambled(label, shape) >> np.uint64(40)).astype(np.float64) / 2.0**24


def normal(label: str, shape: tuple[int, ...]) -> Image:
    """Numbers of mean 0 and standard deviation 1: four 16-bit uniform ones added up."""
    bits = scrambled(label, shape)
    total = np.zeros(shape)
    for shift in (0, 16, 32, 48):
        total += ((bits >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float64)
    return (total / 65536.0 - 2.0 + 2.0**-15) * np.sqrt(3.0)


def quantised(values: Image, step: float) -> NDArray[np.float32]:
    """Nearest multiples of a power of two, so that a last-bit difference can't show in a file."""
    return (np.rint(values / step) * step).astype(np.float32)


def pixel_grid() -> tuple[Image, Image]:
    """Rows and columns of a detector, from -1 to 1."""
    axis = (np.arange(SIZE) - (SIZE - 1) / 2) / (SIZE / 2)
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    return rows, columns


def waves(phase: float) -> Image:
    """Slanted triangular fringes between -1 and 1."""
    rows, columns = pixel_grid()
    return 4.0 * np.abs((3.0 * columns + rows + phase) % 1.0 - 0.5) - 1.0


def star(row: float, column: float, flux: float) -> Image:
    """A Moffat profile (beta 2, core radius 2 pixels) of the given total flux."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    core = 4.0
    profile = 1.0 + ((y - row) * (y - row) + (x - column) * (x - column)) / core
    return flux / (3.140625 * core) / (profile * profile)
