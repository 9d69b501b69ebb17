"""Biases: the counts of each pixel just after its reset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Image
from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.kernels.bad_pixels import DARK_LIMITS, DarkLimits, from_darks
from reduce.making.exposures import READOUT, Exposure, require_raw
from reduce.making.frames import (
    Ready,
    brought,
    combination,
    few,
    lasting,
    listing,
    made_record,
    records,
    stacked,
    without_border,
)
from reduce.making.order import Made, Order
from reduce.making.readout import FIRST_READS, KNOWN_BORDER, Border, FirstReads, border_option, tasks
from reduce.parameters import option
from reduce.pipeline import Task
from reduce.recipe import Level

KINDS = ("BIAS",)
_STEPS: Final = ("saturation", "refpix")
_SIGMA_OF_MAD: Final = 1.482602218505602
_ENOUGH: Final = 3
_ROUNDING: Final = 1 / 12
"""Variance of a count that was rounded, DN²: the least there can be."""


@dataclass(frozen=True, slots=True)
class BiasMaking:
    """Parameters of biases."""

    reads: str = option(
        "first", "Reads that are averaged: the first of each group, or all.", choices=("first", "all")
    )
    border: int = border_option()
    noisy: float = option(
        DARK_LIMITS.noisy,
        "A pixel is unreliable if its scatter is higher by this.",
        least=0.1,
        unit="sigma",
    )


@dataclass(frozen=True, slots=True)
class Even:
    """An image that is the same everywhere, as rows."""

    shape: tuple[int, int]
    value: float

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return np.dtype(np.float32)

    def __getitem__(self, key: slice) -> Image:
        rows = len(range(self.shape[0])[key])
        return np.full((rows, self.shape[1]), self.value, dtype=np.float32)


def make_bias(exposures: Sequence[Exposure], order: Order) -> tuple[Made, ...]:
    """The bias of some exposures of no length, or of the first reads of others.

    The noise of a bias, mostly that of the reset, is the same in all of its pixels: it is measured from the
    differences of the exposures.
    """
    require_raw(exposures, "bias")
    parameters: BiasMaking = order.parameters
    order = order.without("bias")
    steps = (
        Task(KNOWN_BORDER, Border(parameters.border)),
        *tasks(order, _STEPS),
        Task(FIRST_READS, FirstReads(parameters.reads)),
    )
    found = brought(exposures, order, Level.L1, lambda *_: steps)
    images, bits = stacked(found, order, "bias")
    frames, noise = _with_variance(found, images, bits)
    whole, record, rejected = combination(frames, order)
    flags = whole.dq
    if len(frames) >= _ENOUGH:
        unsteady = flagged(
            from_darks(images, bits, limits=DarkLimits(noisy=parameters.noisy)), DQ.UNRELIABLE_DARK
        )
        flags = flags | np.where(unsteady, np.uint32(DQ.UNRELIABLE_BIAS), np.uint32(0))
    flags, error = lasting(flags, DQ.UNRELIABLE_BIAS), whole.err
    if len(frames) == 1:
        error = np.zeros_like(error)
    return (
        Made(
            "bias",
            {"SCI": whole.sci, "ERR": error, "DQ": without_border(flags), "EXPOSURES": listing(frames)},
            {"SCI": "DN", "ERR": "DN"},
            READOUT,
            {
                "NREJECT": (rejected, "values left out as outliers"),
                "NOISE": (noise, "DN, standard deviation of a pixel of an exposure"),
            },
            records(frames, record, made_record("bias", parameters)),
            (*few(frames, "bias"), *(("its error is not known",) if len(frames) == 1 else ())),
        ),
    )


def _with_variance(
    frames: Sequence[Ready], images: NDArray[Any], bits: NDArray[Any]
) -> tuple[tuple[Ready, ...], float]:
    """Frames with their levels and the variance that their differences have."""
    levels = [_median(image, flags) for image, flags in zip(images, bits, strict=True)]
    pairs = range(len(images) - 1)
    noise = float(np.median([_spread(images, bits, pair) for pair in pairs])) if len(images) > 1 else 0.0
    variance = Even(frames[0].rows.shape, max(noise**2, _ROUNDING))
    ready = [
        replace(frame, rows=replace(frame.rows, variances={"RNOISE": variance}), level=level)
        for frame, level in zip(frames, levels, strict=True)
    ]
    return tuple(ready), noise


def _median(image: NDArray[Any], flags: NDArray[Any]) -> float:
    good = ~flagged(flags)
    if not good.any():
        raise DataError("no pixel is good in an exposure; there is no bias")
    return float(np.median(image[good]))


def _spread(images: NDArray[Any], bits: NDArray[Any], first: int) -> float:
    """Standard deviation of a frame from its difference to the next, robust."""
    good = ~(flagged(bits[first]) | flagged(bits[first + 1]))
    if not good.any():
        raise DataError("no pixel is good in two exposures that follow each other; there is no bias")
    difference = images[first][good] - images[first + 1][good]
    return float(_SIGMA_OF_MAD * np.median(np.abs(difference - np.median(difference))) / np.sqrt(2))
