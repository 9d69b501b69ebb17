"""Flats: the response of each pixel to even light, relative to the typical one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from reduce.arrays import Flags
from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.frame import Frame
from reduce.kernels.bad_pixels import FLAT_LIMITS, FlatLimits, from_flat
from reduce.kernels.normalization import Statistic, normalize, typical
from reduce.making.exposures import LIGHT, Exposure
from reduce.making.frames import (
    Ready,
    brought,
    by_recipe,
    combination,
    few,
    hidden,
    lasting,
    listing,
    made_record,
    records,
    without_border,
)
from reduce.making.order import Made, Order
from reduce.parameters import option
from reduce.recipe import Level

KINDS = ("FLAT",)


@dataclass(frozen=True, slots=True)
class FlatMaking:
    """Parameters of flats."""

    typical: str = option("median", "What of a frame becomes 1.", choices=("median", "mean", "mode"))
    dead: float = option(
        FLAT_LIMITS.dead, "A pixel is dead below this share of its surroundings.", least=0, most=1
    )
    low: float = option(FLAT_LIMITS.low, "It has a low efficiency below this share.", least=0, most=1)
    unreliable: float = option(
        0.1, "The flat of a pixel is unreliable if its error is a larger share of it.", least=0
    )
    box: int = option(64, "Cells in which the slow part of the flat is measured.", least=4, unit="pixel")

    @property
    def limits(self) -> FlatLimits:
        """What the kernels take."""
        return FlatLimits(self.dead, self.low)


def make_flat(exposures: Sequence[Exposure], order: Order) -> tuple[Made, ...]:
    """The flat of some exposures of a lamp or the sky, whose brightness may differ."""
    parameters: FlatMaking = order.parameters
    statistic = cast(Statistic, parameters.typical)
    frames = scaled(brought(exposures, order, Level.L2, by_recipe(order, Level.L2)), statistic)
    whole, record, rejected = combination(frames, order)
    flat = whole.corrected(normalize(whole.sci, whole.variances, whole.dq, statistic=statistic).arrays)
    level = float(np.mean([each.level for each in frames]))
    flags = flat_flags(flat, parameters)
    arrays = {"SCI": flat.sci, "ERR": flat.err, "DQ": flags, "EXPOSURES": listing(frames)}
    return (
        Made(
            "flat",
            arrays,
            {},
            LIGHT,
            {
                "NREJECT": (rejected, "values left out as outliers"),
                "LAMPLEV": (level, f"{whole.unit}, mean level of the exposures"),
            },
            records(frames, record, made_record("flat", parameters)),
            few(frames, "flat"),
        ),
    )


def scaled(frames: Sequence[Ready], statistic: Statistic) -> tuple[Ready, ...]:
    """Frames with their typical values, and factors that make these 1.

    Raises
    ------
    DataError
        If a frame has no light.
    """
    return tuple(_scaled(frame, statistic) for frame in frames)


def _scaled(frame: Ready, statistic: Statistic) -> Ready:
    path, whole = frame.exposure.path, frame.rows.loaded()
    flags = hidden(whole.dq)
    try:
        level = typical(whole.sci, whole.variances, flags, statistic=statistic).value
    except DataError as problem:
        raise DataError(problem.about(path), problem.hint) from problem
    noise = float(np.median(whole.err[~flagged(flags)]))
    if level <= max(noise, 0):
        raise DataError(
            f"{path} has no light: its typical value is {level:.4g} {whole.unit}, and its noise {noise:.4g}",
            "leave it out",
        )
    return replace(frame, level=level, scale=1 / level)


def flat_flags(flat: Frame, parameters: FlatMaking) -> Flags:
    """The bits of a flat: of its frames, and of pixels that see too little."""
    flags = from_flat(flat.sci, flat.dq, limits=parameters.limits, box=parameters.box)
    uncertain = flat.err > parameters.unreliable * np.abs(flat.sci)
    flags[uncertain] |= np.uint32(DQ.UNRELIABLE_FLAT)
    blind = flagged(flat.dq) | (flat.sci <= 0) | flagged(flags, DQ.DEAD)
    flags[blind] |= np.uint32(DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE)
    return without_border(lasting(flags, DQ.UNRELIABLE_FLAT))
