"""How bright the sky is in a frame, and where the frame has sources."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image, Mask
from reduce.dq import flagged
from reduce.errors import DataError
from reduce.kernels.medians import MAD_TO_SIGMA
from reduce.kernels.mesh import slow_part
from reduce.kernels.planes import float_type
from reduce.kernels.source_mask import Search, source_mask

_CELL_CLIP = 3.0
_CELL_ROUNDS = 5


class Level(NamedTuple):
    """How bright the sky is in a frame, with its standard deviation, in the frame's unit."""

    value: float
    error: float


class Exposure(NamedTuple):
    """A frame, with its total variance, and what is known of its sources."""

    sci: Image
    variance: Image
    dq: Flags
    sources: Mask


class Model(NamedTuple):
    """The sky per unit of its level, and the same in each cell."""

    sci: Image
    dq: Flags
    cells: Image


def model_of(sky: Image, dq: Flags, box: int) -> Model:
    """The sky with its cells."""
    return Model(sky, dq, slow_part(sky, flagged(dq), box=box).cells)


def measured(
    frame: Exposure, model: Model, guess: float, box: int, search: Search | None
) -> tuple[Level, Mask]:
    """A frame's level and its sources, given a first guess and the sources of the last round.

    The sources are those of the last round if none are searched for.
    """
    kind = float_type(frame.sci)
    unknown = flagged(model.dq)
    bad = flagged(frame.dq) | ~((frame.variance >= 0) & (frame.variance < np.inf)) | ~np.isfinite(frame.sci)
    excess = np.subtract(frame.sci, kind.type(guess) * model.sci, dtype=kind)
    mesh = slow_part(excess, bad | frame.sources | unknown, box=box)
    usable = model.cells > 0
    level = _level(guess + mesh.cells[usable].astype(np.float64) / model.cells[usable])
    if search is None:
        return level, frame.sources
    excess -= mesh.image
    error = np.sqrt(np.where(bad | (frame.variance == 0), 1, frame.variance))
    with np.errstate(over="ignore"):
        np.divide(excess, error, out=excess, where=~bad, casting="same_kind")
    bad |= ~np.isfinite(excess)
    found = source_mask(excess, bad | unknown, search)
    return level, found | (frame.sources & unknown)


def _level(cells: NDArray[np.float64]) -> Level:
    """The mean of cells without outliers."""
    kept = cells
    if not kept.size:
        raise DataError("the sky is nowhere above zero; nothing can be scaled to it")
    for _ in range(_CELL_ROUNDS):
        middle = np.median(kept)
        spread = MAD_TO_SIGMA * np.median(np.abs(kept - middle))
        inside = kept[np.abs(kept - middle) <= _CELL_CLIP * spread]
        if inside.size in (0, kept.size):
            break
        kept = inside
    error = float(np.std(kept, ddof=1)) / sqrt(kept.size) if kept.size > 1 else 0.0
    return Level(float(np.mean(kept)), error)
